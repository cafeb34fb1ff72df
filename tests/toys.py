"""Small environments and verifiers that the core's tests play with. No sandbox, no model, no files."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

from agentgym import (
    Action,
    Channel,
    Config,
    Environment,
    EnvSpec,
    Evidence,
    LimitExceeded,
    Limits,
    Observation,
    Policy,
    Reply,
    Rubric,
    Runtime,
    SandboxError,
    Score,
    Scripted,
    Task,
    TaskError,
    TaskList,
    ToolCall,
    ToolError,
    Verifier,
    VerifierError,
    tool,
)
from agentgym.policy import Context

COUNTER = "toy/counter-v0"


def call(name: str, arguments: str = "{}", id: str = "c0") -> ToolCall:
    return ToolCall(id, name, arguments)


def act(name: str, arguments: str = "{}") -> Action:
    """An action of one call."""
    return Action("", (call(name, arguments),))


class CounterConfig(Config):
    target: int = 3
    step: Literal[1, 2] = 1


class Counter(Environment[CounterConfig]):
    """Add up to the target, then submit. Everything that the contract lets an author do is done here by one tool."""

    async def on_reset(self) -> str:
        if "broken" in self.task.payload:
            raise TaskError(f"task {self.task.id!r} is broken")
        self.value = 0
        self.open = True
        return f"Reach {self.config.target}."

    @tool
    def add(self, n: int = 1) -> str:
        """Add to the counter.

        Args:
            n: how much to add
        """
        self.value += n * self.config.step
        self.score("progress", 0.1, f"added {n}")
        self.tell(value=self.value)
        return str(self.value)

    @tool
    def look(self) -> Reply:
        """Look at the counter, which changes nothing."""
        return Reply(str(self.value), effective=False)

    @tool
    def submit(self) -> None:
        """Hand in the counter."""
        self.end("submitted", answer=str(self.value))

    @tool
    def roll(self) -> str:
        """Roll a die."""
        self.value = self.rng.randrange(1_000_000)
        return str(self.value)

    @tool
    def flood(self, size: int) -> str:
        """Answer with much text."""
        return "x" * size

    @tool
    async def wait(self, seconds: float) -> str:
        """Wait for a while."""
        await asyncio.sleep(seconds)
        return "waited"

    @tool
    def refuse(self) -> str:
        """Tell the agent that it is wrong."""
        raise ToolError("not like this")

    @tool
    def crash(self, kind: str = "bug") -> str:
        """Fail in the way asked for."""
        if kind == "box":
            raise SandboxError("the box is gone")
        if kind == "limit":
            raise LimitExceeded("budget", "the budget is spent")
        raise ZeroDivisionError("a bug of the author")

    @tool
    def lock(self) -> str:
        """Allow only `look` from now on."""
        self.allow("look")
        return "locked"

    async def state(self) -> dict[str, int]:
        return {"value": self.value}

    async def artefacts(self) -> dict[str, str]:
        return {"value": str(self.value)}

    async def on_close(self) -> None:
        self.open = False


class CounterVerifier(Verifier):
    """1 if the submitted value is the target of the task's secret."""

    name = "counter"

    async def verify(self, evidence: Evidence, runtime: Runtime) -> list[Score]:
        right = evidence.artefacts.get("value") == str(evidence.task.secret.get("target", 3))
        return [Score("outcome", float(right), reason="right" if right else "wrong")]


class FakeFlakyVerifier(Verifier):
    """Gives no verdict the first `failures` times."""

    name = "flaky"

    def __init__(self, failures: int, error: Exception | None = None) -> None:
        self.left = failures
        self.calls = 0
        self.error = error or VerifierError("no verdict today")

    async def verify(self, evidence: Evidence, runtime: Runtime) -> list[Score]:
        self.calls += 1
        if self.left > 0:
            self.left -= 1
            raise self.error
        return [Score("outcome", 1.0)]


class FakeSilentVerifier(Verifier):
    """Never says anything about the outcome."""

    name = "silent"

    async def verify(self, evidence: Evidence, runtime: Runtime) -> list[Score]:
        return [Score("outcome", None, reason="could not be told")]


def task(id: str = "t0", **payload: Any) -> Task:
    return Task(id, COUNTER, payload, secret={"target": 3})


def tasks(n: int) -> list[Task]:
    return [task(f"t{i}") for i in range(n)]


def all_tasks(config: Any, runtime: Runtime) -> TaskList:
    held_out = [replace(each, id=f"h{i}", split="test") for i, each in enumerate(tasks(3))]
    return TaskList([*tasks(8), *held_out], version="1")


RUBRIC = Rubric(
    (
        Channel("outcome", "outcome", priority=1, threshold=0.0),
        Channel("progress", "process"),
    )
)

counter = EnvSpec(
    id=COUNTER,
    entry=Counter,
    tasks=all_tasks,
    verifier=CounterVerifier(),
    rubric=RUBRIC,
    config=CounterConfig(),
    limits=Limits(turns=10),
)


def counter_spec(**changes: Any) -> EnvSpec:
    """The counter's spec with fields changed; `limits` may be a dict of changes too."""
    if isinstance(limits := changes.get("limits"), dict):
        changes["limits"] = replace(counter.limits, **limits)
    return replace(counter, **changes)


class NativeCounter(Counter):
    """A counter whose snapshots are native; `saved` holds those that were not dropped."""

    saved: set[int] = set()  # noqa: RUF012 - shared by all instances on purpose

    async def save(self) -> dict[str, int]:
        kept = {"value": self.value}
        NativeCounter.saved.add(id(kept))
        return kept

    async def load(self, native: Any) -> None:
        self.value = native["value"]
        self.open = True

    async def drop(self, native: Any) -> None:
        NativeCounter.saved.discard(id(native))


native = counter_spec(id="toy/native-v0", entry=NativeCounter, forking="native")


class FakeDrifting(Counter):
    """Not deterministic: every instance starts from another value."""

    made = 0

    async def on_reset(self) -> str:
        FakeDrifting.made += 1
        await super().on_reset()
        self.value = FakeDrifting.made
        return "Reach 3."


drifting = counter_spec(id="toy/drifting-v0", entry=FakeDrifting)


class Duo(Environment[Config]):
    """Two actors take turns; each sees only what it is told."""

    async def on_reset(self) -> Observation:
        return Observation(self.say("ping?"), actor="ping")

    async def on_text(self, text: str) -> Observation:
        if self.turn >= 3:
            self.end("said enough")
        other = "pong" if self.observation.actor == "ping" else "ping"
        return Observation(self.say(f"{text}!"), actor=other)

    def say(self, text: str) -> Any:
        from agentgym import Message

        return (Message("user", text),)


duo = EnvSpec(
    id="toy/duo-v0",
    entry=Duo,
    tasks=lambda config, runtime: TaskList([task()]),
    verifier=CounterVerifier(),
    rubric=Rubric((Channel("outcome", "outcome"),)),
    actors=("ping", "pong"),
)


def solve(context: Context) -> Action:
    """Add one three times, then submit."""
    return act("add") if context.turn < 3 else act("submit")


def scripted(play: Callable[[Context], Any] = solve, name: str = "oracle") -> Policy:
    return Scripted(name, play)
