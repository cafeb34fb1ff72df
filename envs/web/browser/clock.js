// Runs before the page's own scripts, in their world: what frames, time and chance a page sees depends on virtual time alone.
// `agentgymClock(ms)` says what time it is now: loading takes an unforeseeable part of virtual time, which is taken back so.
(() => {
  const { setTimeout: later, clearTimeout: cancel, Date: Clock } = globalThis;
  const started = Clock.now();
  let shift = 0;
  const now = () => Clock.now() + shift;
  globalThis.requestAnimationFrame = (work) => later(() => work(now() - started), 16);
  globalThis.cancelAnimationFrame = (id) => cancel(id);
  performance.now = () => now() - started;
  globalThis.Date = new Proxy(Clock, {
    construct: (target, given, self) => Reflect.construct(target, given.length ? given : [now()], self),
    apply: () => new Clock(now()).toString(),
    get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
  });
  Object.defineProperty(globalThis, 'agentgymClock', { value: (ms) => { shift = ms - Clock.now(); } });
  let state = 0x9e3779b9;
  Math.random = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
})();
