"""The release gate catches what it says it catches: every toy here has exactly one fault, and must not pass."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from agentgym import (
    Action,
    Channel,
    Config,
    Context,
    Environment,
    EnvSpec,
    Evidence,
    Rubric,
    Score,
    Scripted,
    Task,
    TaskList,
    ToolCall,
    UsageError,
    Verifier,
    tool,
)
from agentgym.errors import SandboxError
from agentgym.testing import check_environment

WORDS = ("apple", "brick", "cloud", "dragon")


class Open(Environment[Config]):
    """A box with a combination lock: turn the dial to the task's number, then open it. The base of all the toys."""

    async def on_reset(self) -> str:
        self.dial = 0
        self.log: list[int] = []
        return f"Turn the dial to {self.task.payload['number']} and open the box. Hint: {self.rng.choice(WORDS)}."

    @tool
    def turn_dial(self, to: int) -> str:
        """Turn the dial.

        Args:
            to: The number to turn it to.
        """
        self.dial = to
        self.log.append(to)
        self.score("turned", 1.0 if len(self.log) == 1 else 0.0)
        return f"The dial shows {self.dial} after {len(self.log)} turns."

    @tool
    async def open_box(self) -> str:
        """Try to open the box; ends the episode."""
        self.end("opened")
        return "You tried."

    async def state(self) -> Any:
        return {"dial": self.dial, "log": self.log}

    async def artefacts(self) -> dict[str, str]:
        return {"dial": str(self.dial)}


class DialVerifier(Verifier):
    name = "dial"

    async def verify(self, evidence: Evidence, runtime: Any) -> list[Score]:
        right = evidence.artefacts["dial"] == str(evidence.task.secret["number"])
        return [Score("open", float(right), reason="" if right else "the box stayed shut")]


def call(name: str, **arguments: Any) -> Action:
    return Action("", (ToolCall("c1", name, json.dumps(arguments)),))


def oracle(context: Context) -> Action:
    return call("turn_dial", to=context.task.secret["number"]) if context.turn < 2 else call("open_box")


def guess(context: Context) -> Action:
    return call("turn_dial", to=context.seed % 1000) if context.turn == 0 else call("open_box")


POLICIES = {
    "oracle": lambda: Scripted("oracle", oracle, privileged=True),
    "noop": lambda: Scripted("noop", lambda context: call("open_box")),
    "random": lambda: Scripted("random", guess),
    "cheat/say-so": lambda: Scripted("cheat/say-so", lambda context: Action("The box is open. Success: 1.0")),
}


def tasks(config: Config, runtime: Any) -> TaskList:
    splits = itertools.cycle(("train", "test"))
    return TaskList(Task(f"n{n}", "toy/lock-v0", {"number": n}, {"number": n}, next(splits)) for n in range(5, 11))


GOOD = EnvSpec(
    id="toy/lock-v0",
    entry=Open,
    tasks=tasks,
    verifier=DialVerifier(),
    rubric=Rubric((Channel("open", "outcome"), Channel("turned", "process", weight=0.1))),
    limits=replace(EnvSpec.__dataclass_fields__["limits"].default_factory(), turns=6),  # type: ignore[misc]
    policies=POLICIES,
)


class FaultyClock(Open):
    """Says something else in every process."""

    async def on_reset(self) -> str:
        return f"{await super().on_reset()} Process {os.getpid()}."


class FaultyHash(Open):
    """Its state depends on the interpreter's hash seed, which no observation shows."""

    async def state(self) -> Any:
        return {"dial": self.dial, "hash": hash(WORDS)}


class FaultyFork(Open):
    """Its native forks share one list with their parent."""

    async def save(self) -> Any:
        return self.dial, self.log

    async def load(self, native: Any) -> None:
        self.dial, self.log = native


class GoodFork(FaultyFork):
    async def save(self) -> Any:
        return self.dial, list(self.log)

    async def load(self, native: Any) -> None:
        self.dial, self.log = native[0], list(native[1])


class FaultyRestore(GoodFork):
    """Comes back to the dial's zero position."""

    async def load(self, native: Any) -> None:
        self.dial, self.log = 0, list(native[1])


class FaultyTool(Open):
    """A tool that breaks the episode on an argument nobody thought of."""

    @tool
    def turn_dial(self, to: int) -> str:
        """Turn the dial."""
        if to < 0:
            raise SandboxError("negative dials break the box")
        return super().turn_dial(to)


class FaultyOffer(Open):
    """Offers a tool that it does not have."""

    async def on_reset(self) -> str:
        self.allow("turn_dial", "open_box", "smash")
        return await super().on_reset()


class FaultyChannel(Open):
    """Scores on a channel that the rubric does not know."""

    @tool
    def turn_dial(self, to: int) -> str:
        """Turn the dial."""
        self.score("tunred", 1.0)
        return super().turn_dial(to)


class FaultyTemp(Open):
    """Leaves a file behind in every episode."""

    async def on_reset(self) -> str:
        handle, _ = tempfile.mkstemp()
        os.close(handle)
        return await super().on_reset()


class FaultyProcess(Open):
    """Leaves a process behind."""

    async def on_reset(self) -> str:
        if self.task.id == "n5":
            await asyncio.create_subprocess_exec(sys.executable, "-c", "import time; time.sleep(20)")
        return await super().on_reset()


class FaultyClose(Open):
    """Can be closed once."""

    async def on_close(self) -> None:
        del self.dial


class FaultyBox(Open):
    """Cannot be set up for one of its tasks: the host's fault."""

    async def on_reset(self) -> str:
        if self.task.id == "n7":
            raise SandboxError("the host has no disk left")
        return await super().on_reset()


class GullibleVerifier(DialVerifier):
    """Believes what the agent says."""

    async def verify(self, evidence: Evidence, runtime: Any) -> list[Score]:
        if any("Success: 1.0" in turn.action.text for turn in evidence.turns):
            return [Score("open", 1.0)]
        return await super().verify(evidence, runtime)


class FaultyVerifier(DialVerifier):
    """Gives no verdict on one task."""

    async def verify(self, evidence: Evidence, runtime: Any) -> list[Score]:
        return [] if evidence.task.id == "n8" else await super().verify(evidence, runtime)


def faulty(name: str, entry: type[Open] = Open, **changes: Any) -> EnvSpec:
    return replace(GOOD, id=f"toy/{name}-v0", entry=entry, **changes)


def wrong_oracle(context: Context) -> Action:
    return call("turn_dial", to=8) if context.turn == 0 else call("open_box")


def lucky(context: Context) -> Action:
    return call("turn_dial", to=5 + context.seed % 2) if context.turn == 0 else call("open_box")


def shifting_tasks(config: Config, runtime: Any) -> TaskList:
    return TaskList([Task("n1", "toy/shifting-v0", {"number": 1}, {"number": 1, "salt": hash(WORDS)})])


FAULTY_CLOCK = faulty("clock", FaultyClock)
FAULTY_HASH = faulty("hash", FaultyHash)
FAULTY_FORK = faulty("fork", FaultyFork, forking="native")
GOOD_FORK = faulty("good-fork", GoodFork, forking="native")
FAULTY_RESTORE = faulty("restore", FaultyRestore, forking="native")
FAULTY_TOOL = faulty("tool", FaultyTool)
FAULTY_OFFER = faulty("offer", FaultyOffer)
FAULTY_CHANNEL = faulty("channel", FaultyChannel)
FAULTY_TEMP = faulty("temp", FaultyTemp)
FAULTY_PROCESS = faulty("process", FaultyProcess)
FAULTY_CLOSE = faulty("close", FaultyClose)
FAULTY_BOX = faulty("box", FaultyBox)
FAULTY_GULLIBLE = faulty("gullible", verifier=GullibleVerifier())
FAULTY_VERIFIER = faulty("verifier", verifier=FaultyVerifier())
FAULTY_ORACLE = faulty("oracle", policies={**POLICIES, "oracle": lambda: Scripted("oracle", wrong_oracle)})
FAULTY_NOOP = faulty("noop", policies={**POLICIES, "noop": POLICIES["oracle"]})
FAULTY_CHANCE = faulty("chance", policies={**POLICIES, "random": lambda: Scripted("random", lucky)})
GOOD_CHANCE = faulty("good-chance", policies=FAULTY_CHANCE.policies, chance=0.3)
FAULTY_UNTRIED = faulty("untried", policies={k: v for k, v in POLICIES.items() if k in ("oracle", "noop", "random")})
FAULTY_TASKS = faulty("shifting", tasks=shifting_tasks)
NORMALISED = faulty(
    "normalised",
    FaultyClock,
    determinism="normalised",
    normalise=lambda text: text.partition(" Process ")[0],
)
NO_PROMISE = faulty("no-promise", FaultyClock, determinism="none", forking="none")


async def test_a_good_environment_passes() -> None:
    seen: dict[str, tuple[int, int]] = {}
    report = await check_environment(GOOD, progress=lambda what, done, total: seen.update({what: (done, total)}))
    assert report.problems == []
    assert report.passed
    assert (report.oracle.n, report.oracle.mean) == (6, 1.0)
    assert (report.noop.max, report.random.max, report.cheat.max) == (0.0, 0.0, 0.0)
    assert report.cheats == {"cheat/say-so": 0.0}
    assert report.replay_identical is True
    assert report.forks_independent is True
    assert report.leaks == []
    assert set(seen) >= {"episodes", "replays", "forks", "hostile actions"}
    assert all(done == total for done, total in seen.values())


async def test_limit_takes_an_even_share_of_every_split() -> None:
    report = await check_environment(GOOD, limit=2)
    assert report.passed
    assert report.oracle.n == 2


@pytest.mark.parametrize("spec", [GOOD_FORK, GOOD_CHANCE, NORMALISED], ids=lambda spec: spec.id)
async def test_other_good_environments_pass(spec: EnvSpec) -> None:
    report = await check_environment(spec)
    assert report.problems == []
    assert report.passed


async def test_what_a_spec_does_not_promise_is_not_asked() -> None:
    report = await check_environment(NO_PROMISE)
    assert report.passed
    assert report.replay_identical is None
    assert report.forks_independent is None


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (FAULTY_CLOCK, "Process"),
        (FAULTY_HASH, "state hash"),
        (FAULTY_FORK, "fork on"),
        (FAULTY_RESTORE, "snapshot"),
        (FAULTY_TOOL, "negative dials break the box"),
        (FAULTY_OFFER, "smash"),
        (FAULTY_CHANNEL, "'tunred'"),
        (FAULTY_TEMP, "temporary file"),
        pytest.param(FAULTY_PROCESS, "time.sleep(20)", marks=pytest.mark.slow),  # the leak is waited for
        (FAULTY_CLOSE, "closing"),
        (FAULTY_BOX, "oracle on n7 failed (not the agent's doing): SandboxError: the host has no disk left"),
        (FAULTY_GULLIBLE, "cheat/say-so has success 1"),
        (FAULTY_VERIFIER, "oracle on n8 failed"),
        (FAULTY_ORACLE, "oracle has success 0 on n5: the box stayed shut"),
        (FAULTY_NOOP, "noop has success 1"),
        (FAULTY_CHANCE, "above the declared chance of 0"),
        (FAULTY_UNTRIED, "no 'cheat/...' policy"),
        (FAULTY_TASKS, "the task itself differs"),
    ],
    ids=lambda value: value.id if isinstance(value, EnvSpec) else "",
)
async def test_one_fault_is_caught_and_named(spec: EnvSpec, said: str) -> None:
    report = await check_environment(spec, limit=4)
    assert not report.passed
    assert any(said in problem for problem in report.problems), report.problems


@pytest.fixture
def daemon() -> Iterator[None]:
    """One that always has something running."""
    process = subprocess.Popen(["sh", "-c", "while :; do sleep 0.5; done"])
    yield
    process.kill()
    process.wait()


@pytest.mark.usefixtures("daemon")
async def test_what_a_daemon_that_was_there_before_starts_is_not_a_leak() -> None:
    report = await check_environment(GOOD, limit=1)
    assert report.leaks == []


async def test_failed_episodes_are_not_counted_as_zero() -> None:
    report = await check_environment(FAULTY_BOX)
    assert (report.oracle.n, report.oracle.mean) == (5, 1.0)


async def test_no_tasks_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="no tasks"):
        await check_environment(GOOD, tasks=[])


async def test_an_unknown_id_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="no environment 'toy/lokc-v0'"):
        await check_environment("toy/lokc-v0")
