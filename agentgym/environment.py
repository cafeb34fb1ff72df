"""Environment: one episode behind Gymnasium's five-tuple, async, with tools, snapshots and a verdict at the end.

Authors write the first half (`on_reset`, `@tool` methods, `on_text`, `on_turn`, `artefacts`, …); the second half
(`reset`, `step`, `snapshot`, …) is the machinery and is final.  Environments never call models: a simulated user is an
actor with a policy of its own.  Driving an episode with a policy is `Episode`'s business, not this file's.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from dataclasses import replace
from random import Random
from time import perf_counter
from typing import Any, ClassVar, Generic, Literal, TypeVar, final

from agentgym.envspec import Config, EnvSpec
from agentgym.errors import AgentGymError, LimitExceeded, TaskError, ToolError, UsageError
from agentgym.seeds import content_hash, derive_seed
from agentgym.state import StateRef
from agentgym.tasks import Task, TaskSet
from agentgym.texts import clip, clip_content, with_note
from agentgym.tools import Tool, ToolResult, tools_of
from agentgym.types import Action, CallResult, Content, Info, Message, Observation, Reply, Score, ToolCall, Turn
from agentgym.verdict import judge
from agentgym.verifier import Evidence

C = TypeVar("C", bound=Config)
StepResult = tuple[Observation, float, bool, bool, Info]
Heard = Observation | tuple[Message, ...] | str | None
Phase = Literal["new", "running", "busy", "ended", "dead", "closed"]

log = logging.getLogger("agentgym")
_NO_SCORES: tuple[Score, ...] = ()
_NO_RESULTS: tuple[CallResult, ...] = ()
_NOT_EXECUTED = "not executed: the episode has ended"


class Environment(Generic[C]):
    """Base class of all environments. Made by `agentgym.make`; holds one episode at a time; not re-entrant.

    Attributes for authors: `task`, `seed`, `rng` (seeded), `config`, `runtime`, `shared`, `turn` (0-based), `turns`,
    and in `on_turn` also `results`: how this turn's calls went.
    """

    toolbox: ClassVar[dict[str, Tool]] = {}
    _hears_turns: ClassVar[bool] = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.toolbox = tools_of(cls)
        if taken := cls.toolbox.keys() & _RESERVED:
            raise UsageError(f"{cls.__name__}: tools can not be called {sorted(taken)}: the environment needs the name")
        cls._hears_turns = cls.on_turn is not Environment.on_turn

    def __init__(self, spec: EnvSpec, runtime: Any, *, verdict: bool = True) -> None:
        self.spec = spec
        self.config: C = spec.config  # type: ignore[assignment]
        self.runtime = runtime
        self.shared: Any = None
        self.task: Task = None  # type: ignore[assignment]
        self.seed = 0
        self.turn = 0
        self.turns: list[Turn] = []
        self.results: tuple[CallResult, ...] = ()
        self.answer: str | None = None
        self._verdict = verdict
        self._phase: Phase = "new"
        self._shared_open = False
        self._rng: Random | None = None
        self._tools: tuple[str, ...] | None = None
        self._observation = Observation()
        self._scores: list[Score] = []
        self._data: dict[str, Any] | None = None
        self._effective = True
        self._end: str | None = None
        self._truncated = False
        self._started = 0.0
        self._call: str | None = None

    # ---- what authors override ----------------------------------------------------------------------------------

    @classmethod
    async def open_shared(cls, config: C, runtime: Any) -> Any:
        """Open what all episodes of this configuration share; called once a process, result in `self.shared`."""
        return None

    async def on_reset(self) -> Heard:
        """Build the world for `self.task` and `self.seed`; return what the agent sees first.

        A string becomes a user message.  May be called again after `on_close`.  Raise TaskError for a broken task.
        """
        raise NotImplementedError(f"{type(self).__name__} must define on_reset")

    async def on_text(self, text: str) -> Heard:
        """Answer a message without tool calls. Default: a nudge. A string becomes a user message."""
        return f"No tool was called. Call one of: {', '.join(self._tools or self.toolbox)}."

    async def on_turn(self) -> Observation | Content | None:
        """After the calls of a turn: score, end, or add. Text (or parts) is added to the last message; an Observation
        replaces what was gathered (a fresh context, another actor)."""
        return None

    async def state(self) -> Any:
        """The world (not its history) as a JSON-able value, for hashes. None: not told."""
        return None

    async def reveal(self) -> Any:
        """What a privileged policy is told beside the task (places of elements, say). Must change nothing. None: nothing."""
        return None

    async def save(self) -> Any:
        """Native state for `forking="native"`: whatever `load` of another instance in this process can take."""
        raise NotImplementedError(f"{type(self).__name__} says native forking and must define save")

    async def load(self, native: Any) -> None:
        """Build the world from `native`, whether one is open or not. `native` is not used up: it may be loaded again."""
        raise NotImplementedError(f"{type(self).__name__} says native forking and must define load")

    async def drop(self, native: Any) -> None:
        """Free what `save` made."""

    async def artefacts(self) -> dict[str, str]:
        """What the verifier will judge, by name. Called while the world is still open."""
        return {}

    async def on_close(self) -> None:
        """Close the world. Idempotent."""

    # ---- what authors call --------------------------------------------------------------------------------------

    @property
    def rng(self) -> Random:
        """This episode's own random source, seeded by (task, seed)."""
        if self._rng is None:
            self._rng = Random(derive_seed("rng", self.task.id, self.seed))
        return self._rng

    @final
    def score(self, channel: str, value: float, reason: str = "") -> None:
        """Note a process score of this turn (and of the call under way)."""
        self._scores.append(Score(channel, value, self.turn, self._call, reason))

    @final
    def end(self, reason: str, answer: str | None = None, truncated: bool = False) -> None:
        """End the episode after the call under way."""
        if self._end is None:
            self._end, self._truncated, self.answer = reason, truncated, answer

    @final
    def allow(self, *names: str) -> None:
        """From the next observation on, only these tools may be called (none given: all)."""
        self._tools = names or None

    @final
    def tell(self, **data: Any) -> None:
        """Put trusted facts for the verifier into this turn's `info.data` (JSON-able)."""
        self._data = {**(self._data or {}), **data}

    # ---- machinery ----------------------------------------------------------------------------------------------

    @property
    def tasks(self) -> TaskSet:
        """The task set of this environment's configuration."""
        tasks: TaskSet = self.runtime.tasks(self.spec)
        return tasks

    @final
    async def reset(self, *, task: Task | None = None, seed: int = 0) -> tuple[Observation, Info]:
        """Start an episode. Without `task`, one of the train split chosen by `seed`.

        Raises TaskError (a broken task, an empty split), SandboxError (then only `close`), UsageError.
        """
        if self._phase in ("busy", "dead", "closed"):
            raise UsageError(f"reset on an environment that is {self._phase}: make a new one")
        opened = self._phase in ("running", "ended")
        self._phase = "busy"
        try:
            if opened:
                await self.on_close()
            if not self._shared_open:
                if type(self).open_shared.__func__ is not Environment.open_shared.__func__:  # type: ignore[attr-defined]
                    self.shared = await self.runtime.shared_of(type(self), self.config)
                self._shared_open = True
            self._clear(task if task is not None else await self._pick(seed), seed)
            self._observation = self._hear(await self.on_reset())
        except BaseException:
            self._phase = "dead"
            raise
        self._phase = "running"
        return self._observation, Info()

    @final
    async def step(self, action: Action | str) -> StepResult:
        """Play one assistant message; return (observation, reward, terminated, truncated, info).

        Nothing in `action` can raise: bad calls come back as messages.  `reward` is what became known, ungated;
        on the last step it is the record's total less what was paid, and `info.record` is set (unless made with
        verdict=False).  Raises SandboxError or VerifierError (the environment is dead then) and UsageError.
        """
        if self._phase != "running":
            raise UsageError(f"step on an environment that is {self._phase}: {_ADVICE[self._phase]}")
        self._phase = "busy"
        started = perf_counter()
        if isinstance(action, str):
            action = Action(action)
        try:
            self._effective, self._data, self.results = True, None, _NO_RESULTS
            if action.calls:
                observation = await self._run_calls(action.calls)
            else:
                try:
                    heard = await self.on_text(action.text)
                except Exception as error:
                    heard = self._excuse("on_text", action.text, error)
                observation = self._hear(heard)
            if self._hears_turns:
                observation = self._add(await self.on_turn(), observation)
            reward, info = self._settle(action, observation, started)
            if self._end is None:
                self._phase = "running"
                return observation, reward, False, False, info
            if self._verdict:
                reward = await self._judge(info)
        except BaseException:
            self._phase = "dead"
            raise
        self._phase = "ended"
        return observation, reward, not self._truncated, self._truncated, info

    @final
    async def snapshot(self) -> StateRef:
        """A reference to this point of the episode. Give it back with `release`."""
        self._require_live("snapshot")
        actions = tuple(turn.action for turn in self.turns)
        if self.spec.forking != "native":
            return StateRef(self.task, self.seed, actions, await self.state_hash())
        rng = self._rng.getstate() if self._rng is not None else None
        kept = (await self.save(), self._tools, self._observation, rng, tuple(self._scores))
        return StateRef(self.task, self.seed, actions, None, kept, tuple(self.turns))

    @final
    async def restore(self, ref: StateRef) -> Observation:
        """Go to `ref` and return the observation there: natively if it can, else by replaying its actions.

        Raises UsageError if the replay arrives at another state (the environment is not deterministic).
        """
        if ref.native is None:
            await self.reset(task=ref.task, seed=ref.seed)
            for action in ref.actions:
                if self._phase == "running":
                    await self.step(action)
            arrived = self._phase == "running" and (ref.hash is None or await self.state_hash() == ref.hash)
            if not arrived:
                self._phase = "dead"
                raise UsageError(f"{self.spec.id}: replaying {len(ref.actions)} actions of {ref.task.id} diverged")
            return self._observation
        if self._phase in ("busy", "dead", "closed"):
            raise UsageError(f"restore on an environment that is {self._phase}: make a new one")
        native, tools, observation, rng, scores = ref.native
        seen: Observation = observation
        self._phase = "busy"
        try:
            self._clear(ref.task, ref.seed)
            if not self._shared_open:
                self.shared = await self.runtime.shared_of(type(self), self.config)
                self._shared_open = True
            await self.load(native)
        except BaseException:
            self._phase = "dead"
            raise
        self.turns, self.turn = list(ref.turns), len(ref.turns)
        self._tools, self._observation, self._scores, self._phase = tools, seen, list(scores), "running"
        if rng is not None:
            self.rng.setstate(rng)
        return seen

    @final
    async def release(self, ref: StateRef) -> None:
        """Free what `ref` holds. Idempotent."""
        if ref.native is not None:
            native, ref.native = ref.native[0], None
            await self.drop(native)

    @final
    async def fork(self) -> Environment[C]:
        """A second environment at this very point; both go on apart. Raises UsageError if the spec forbids forks."""
        if self.spec.forking == "none":
            raise UsageError(f"{self.spec.id} can not be forked (spec.forking is 'none')")
        ref = await self.snapshot()
        branch = type(self)(self.spec, self.runtime, verdict=self._verdict)
        try:
            await branch.restore(ref)
        except BaseException:
            await branch.close()
            raise
        finally:
            await self.release(ref)
        return branch

    @final
    async def state_hash(self) -> str | None:
        """SHA-256 of the world; None if the environment does not tell its state. May need I/O."""
        state = await self.state()
        return None if state is None else content_hash(state)

    @final
    async def close(self) -> None:
        """Close everything. Idempotent, finishes under cancellation, gives up after the spec's `close_s` seconds."""
        if self._phase == "closed":
            return
        if self._phase == "new":
            self._phase = "closed"
            return
        self._phase = "closed"
        work = asyncio.ensure_future(self._shut())
        try:
            await asyncio.shield(work)
        except asyncio.CancelledError:
            await asyncio.wait([work])
            raise

    @property
    def ended(self) -> str | None:
        """Why the episode ended; None while it runs."""
        return self._end

    @property
    def truncated(self) -> bool:
        return self._truncated

    @property
    def observation(self) -> Observation:
        """The latest observation."""
        return self._observation

    # ---- inside -------------------------------------------------------------------------------------------------

    def _settle(self, action: Action, observation: Observation, started: float) -> tuple[float, Info]:
        """The turn is over: enforce the limits, and write down what was seen, done and scored."""
        seen, self._observation = self._observation, observation
        self.turn += 1
        now = perf_counter()
        if self._end is None:
            limits = self.spec.limits
            if limits.turns is not None and self.turn >= limits.turns:
                self.end("turn_limit", truncated=True)
            elif limits.episode_s is not None and now - self._started > limits.episode_s:
                self.end("wall_time", truncated=True)
        scores, reward = _NO_SCORES, 0.0
        if self._scores:
            scores, self._scores = tuple(self._scores), []
            reward = self.spec.rubric.immediate(scores)
        info = Info(scores, self.results, self._effective, None, self._end, self._data, {"step_s": now - started})
        self.turns.append(Turn(seen, action, reward, info))
        return reward, info

    async def _run_calls(self, calls: tuple[ToolCall, ...]) -> Observation:
        messages, results = [], []
        for call in calls:
            if self._end is not None:
                content: Content = _NOT_EXECUTED
                result = CallResult(call.id, call.name, False, _NOT_EXECUTED, False)
            else:
                content, result = await self._run_call(call)
            messages.append(Message("tool", content, (), call.id))
            results.append(result)
            if not result.effective:
                self._effective = False
        self.results = tuple(results)
        return Observation(tuple(messages), self._tools)

    async def _run_call(self, call: ToolCall) -> tuple[Content, CallResult]:
        self._call = call.id
        limit = self.spec.limits.output_chars
        try:
            tool = self._tool(call.name)
            returned = getattr(self, call.name)(**tool.parse(call.arguments))
            if tool.is_async:
                returned = await self._in_time(returned, call.name)
        except Exception as error:
            why = self._excuse(call.name, call.arguments, error)
            return clip(f"error: {why}", limit), CallResult(call.id, call.name, False, why, False)
        finally:
            self._call = None
        if isinstance(returned, Reply):
            return clip_content(returned.content, limit), CallResult(call.id, call.name, True, "", returned.effective)
        content = "" if returned is None else clip_content(returned, limit)
        return content, CallResult(call.id, call.name, True)

    def _tool(self, name: str) -> Tool:
        tool = self.toolbox.get(name)
        if tool is None or (self._tools is not None and name not in self._tools):
            why = "there is no tool" if tool is None else "this is not the time for tool"
            raise ToolError(f"{why} {name!r}; these can be called: {', '.join(self._tools or self.toolbox)}")
        return tool

    async def _in_time(self, work: Awaitable[ToolResult], name: str) -> ToolResult:
        limit = self.spec.limits.call_s
        try:
            async with asyncio.timeout(limit) as clock:
                return await work
        except TimeoutError:
            if not clock.expired():
                raise
            self.end("call_time", truncated=True)
            raise ToolError(f"{name} took longer than {limit} s; the episode ends here") from None

    def _excuse(self, where: str, sent: str, error: Exception) -> str:
        """What the agent is told of `error`. It chose what was sent, so only what is not its doing may get out of step.

        What no author meant to raise is told to the author too, in the log.
        """
        if isinstance(error, LimitExceeded):
            self.end(error.reason, truncated=True)
        elif not isinstance(error, ToolError):
            if isinstance(error, AgentGymError):
                raise error
            log.error("%s: %s failed on %.200r", self.spec.id, where, sent, exc_info=error)
            return f"{where} failed: {type(error).__name__}: {error}"
        return str(error)

    def _hear(self, heard: Heard) -> Observation:
        if isinstance(heard, str):
            limit = self.spec.limits.output_chars
            if limit is not None and len(heard) > limit:
                heard = clip(heard, limit)
            return Observation((Message("user", heard),), self._tools)
        if isinstance(heard, Observation):
            return self._agree(heard)
        return Observation(tuple(heard or ()), self._tools)

    def _add(self, note: Observation | Content | None, observation: Observation) -> Observation:
        if isinstance(note, Observation):
            return self._agree(note)
        if note:
            return replace(observation, messages=with_note(observation.messages, note), tools=self._tools)
        if observation.tools != self._tools:
            return replace(observation, tools=self._tools)
        return observation

    def _agree(self, observation: Observation) -> Observation:
        """An author's own observation and `allow` say the same about tools: what the observation says goes first."""
        if observation.tools is None:
            return observation if self._tools is None else replace(observation, tools=self._tools)
        self._tools = observation.tools
        return observation

    async def _judge(self, info: Info) -> float:
        """Close the world, get the verdict, and return what is still to be paid."""
        evidence = Evidence(self.task, await self.artefacts(), self.turns, self._end or "")
        await self._shut()
        verdict = await judge(evidence, self.spec.verifier, self.spec.rubric, self.runtime)
        info.record = verdict.record
        return verdict.record.total - sum(turn.reward for turn in self.turns[:-1])

    def _clear(self, task: Task, seed: int) -> None:
        self.task, self.seed, self.turn, self.turns = task, seed, 0, []
        self._rng, self._tools, self._scores, self._data = None, None, [], None
        self._end, self._truncated, self.answer, self._call = None, False, None, None
        self._started = perf_counter()

    async def _pick(self, seed: int) -> Task:
        async for id in self.tasks.ids("train", seed):
            return await self.tasks.get(id)
        raise TaskError(f"{self.spec.id} has no train tasks: give reset a task")

    async def _shut(self) -> None:
        try:
            async with asyncio.timeout(self.spec.limits.close_s):
                await self.on_close()
        except TimeoutError:
            log.warning("%s: on_close did not end within %s s", self.spec.id, self.spec.limits.close_s)
        except Exception:
            log.exception("%s: on_close failed", self.spec.id)

    def _require_live(self, what: str) -> None:
        if self._phase != "running":
            raise UsageError(f"{what} on an environment that is {self._phase}: {_ADVICE[self._phase]}")


_ATTRIBUTES = {"task", "seed", "turn", "turns", "results", "answer", "spec", "config", "runtime", "shared"}
_RESERVED = set(vars(Environment)) | _ATTRIBUTES
_ADVICE = {
    "new": "call reset first",
    "ended": "the episode is over; call reset",
    "busy": "await the call under way first",
    "dead": "an earlier call was cancelled or failed; only close may be called",
    "closed": "make a new one",
}
