"""Print what one environment step costs, here and in the peers that are installed: `python benchmarks/step_cost.py`.

The same ten-turn counter everywhere, reset included.  CPU time of this process, not wall time; all contestants in
one run, taken in turns, so that a noisy neighbour disturbs all alike.  Peers: `pip install -r requirements.txt`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import io
import logging
import platform
import statistics
import time
import warnings
from collections.abc import Awaitable, Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import agentgym
from agentgym import (
    Action,
    Channel,
    Config,
    Environment,
    EnvSpec,
    Evidence,
    Rubric,
    Runtime,
    Score,
    Task,
    TaskList,
    ToolCall,
    Verifier,
    tool,
)

TURNS = 10
TEXT = "<act>hello</act>"
Play = Callable[[int], Awaitable[None]]


class Logic:
    """The counter itself; every contestant wraps one of these."""

    def reset(self) -> str:
        self.turn = 0
        return "start"

    def step(self, action: str) -> tuple[str, float, bool]:
        self.turn += 1
        done = self.turn >= TURNS
        return f"turn {self.turn}: {action[:32]}", float(done), done


def bare() -> Play:
    logic = Logic()

    async def play(episodes: int) -> None:
        for _ in range(episodes):
            logic.reset()
            done = False
            while not done:
                _, _, done = logic.step(TEXT)

    return play


# ---- agentgym -----------------------------------------------------------------------------------------------------


class Counter(Environment[Config]):
    async def on_reset(self) -> str:
        self.logic = Logic()
        return self.logic.reset()

    async def on_text(self, text: str) -> str:
        return self.advance(text)

    @tool
    def echo(self, text: str, times: int = 1) -> str:
        """Say it."""
        return self.advance(text)

    def advance(self, text: str) -> str:
        answer, _, done = self.logic.step(text)
        if done:
            self.end("done")
        return answer


class CounterVerifier(Verifier):
    name = "counter"

    async def verify(self, evidence: Evidence, runtime: Runtime) -> list[Score]:
        return [Score("outcome", 1.0)]


SPEC = EnvSpec(
    id="bench/counter-v0",
    entry=Counter,
    tasks=lambda config, runtime: TaskList([TASK]),
    verifier=CounterVerifier(),
    rubric=Rubric((Channel("outcome", "outcome"),)),
)
TASK = Task("t", SPEC.id, {})


def agentgym_text() -> Play:
    env = agentgym.make(SPEC, runtime=Runtime(), verdict=False)

    async def play(episodes: int) -> None:
        for _ in range(episodes):
            await env.reset(task=TASK)
            done = False
            while not done:
                _, _, done, _, _ = await env.step(Action(TEXT))

    return play


def agentgym_tool() -> Play:
    env = agentgym.make(SPEC, runtime=Runtime(), verdict=False)
    arguments = '{"text": "' + TEXT + '", "times": 1}'

    async def play(episodes: int) -> None:
        for _ in range(episodes):
            await env.reset(task=TASK)
            done = False
            while not done:
                _, _, done, _, _ = await env.step(Action("", (ToolCall("1", "echo", arguments),)))

    return play


def agentgym_make() -> Play:
    agentgym.register(SPEC)
    runtime = Runtime()

    async def play(episodes: int) -> None:
        for _ in range(episodes):
            env = agentgym.make(SPEC.id, runtime=runtime, verdict=False)
            await env.reset(task=TASK)
            done = False
            while not done:
                _, _, done, _, _ = await env.step(Action(TEXT))
            await env.close()

    return play


# ---- peers: each raises ImportError if it is not installed ----------------------------------------------------------


def gem_make() -> Play:
    import gem

    class GemCounter(gem.Env):  # type: ignore[misc]
        def __init__(self, **kwargs: Any) -> None:
            self.logic = Logic()

        def reset(self, seed: int | None = None) -> Any:
            super().reset(seed)
            return self.logic.reset(), {}

        def step(self, action: str) -> Any:
            answer, reward, done = self.logic.step(action)
            return answer, reward, done, False, {}

    gem.register("bench:Counter", GemCounter)
    env = gem.make("bench:Counter")

    async def play(episodes: int) -> None:
        for _ in range(episodes):
            env.reset()
            done = False
            while not done:
                _, _, done, _, _ = env.step(TEXT)

    return play


def _gymnasium(make: bool) -> Play:
    import gymnasium
    from gymnasium.spaces import Text

    class GymnasiumCounter(gymnasium.Env):  # type: ignore[misc]
        observation_space = Text(64, charset=_CHARSET)
        action_space = Text(64, charset=_CHARSET)

        def __init__(self) -> None:
            self.logic = Logic()

        def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
            super().reset(seed=seed)
            return self.logic.reset(), {}

        def step(self, action: str) -> Any:
            answer, reward, done = self.logic.step(action)
            return answer, reward, done, False, {}

    if make:
        gymnasium.register("BenchCounter-v0", GymnasiumCounter)
    env = gymnasium.make("BenchCounter-v0") if make else GymnasiumCounter()

    async def play(episodes: int) -> None:
        for _ in range(episodes):
            env.reset()
            done = False
            while not done:
                _, _, done, _, _ = env.step(TEXT)

    return play


_CHARSET = "".join(map(chr, range(32, 127)))


def gymnasium_bare() -> Play:
    return _gymnasium(make=False)


def gymnasium_make() -> Play:
    return _gymnasium(make=True)


def _skyrl(make: bool) -> Play:
    import skyrl_gym
    from skyrl_gym.envs.base_text_env import BaseTextEnv, BaseTextEnvStepOutput

    class SkyrlCounter(BaseTextEnv):  # type: ignore[misc]
        def __init__(self, **kwargs: Any) -> None:
            super().__init__()
            self.logic = Logic()

        def init(self, prompt: Any) -> Any:
            self.logic.reset()
            return prompt, {}

        def step(self, action: str) -> Any:
            answer, reward, done = self.logic.step(action)
            said = [{"role": "user", "content": answer}]
            return BaseTextEnvStepOutput(observations=said, reward=reward, done=done, metadata={})

    if make:
        skyrl_gym.register("bench_counter", SkyrlCounter)
    single = SkyrlCounter()
    prompt = [{"role": "user", "content": "start"}]

    async def play(episodes: int) -> None:
        for _ in range(episodes):
            env = skyrl_gym.make("bench_counter") if make else single
            env.init(prompt)
            done = False
            while not done:
                done = env.step(TEXT)["done"]

    return play


def skyrl_one() -> Play:
    return _skyrl(make=False)


def skyrl_make() -> Play:
    return _skyrl(make=True)


def openenv_typed() -> Play:
    from openenv.core.env_server import interfaces, types

    class EchoAction(types.Action):  # type: ignore[misc]
        message: str

    class EchoObservation(types.Observation):  # type: ignore[misc]
        text: str

    class OpenEnvCounter(interfaces.Environment):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.logic = Logic()

        def reset(self, seed: Any = None, episode_id: Any = None, **kwargs: Any) -> Any:
            return EchoObservation(text=self.logic.reset())

        def step(self, action: Any, timeout_s: Any = None, **kwargs: Any) -> Any:
            answer, reward, done = self.logic.step(action.message)
            return EchoObservation(text=answer, reward=reward, done=done)

        @property
        def state(self) -> Any:
            return types.State(step_count=self.logic.turn)

    env = OpenEnvCounter()

    async def play(episodes: int) -> None:
        for _ in range(episodes):
            env.reset()
            done = False
            while not done:
                done = env.step(EchoAction(message=TEXT)).done

    return play


CONTESTANTS: list[tuple[str, str, Callable[[], Play]]] = [
    ("", "bare Python class", bare),
    ("gem-llm", "make; str in, str out", gem_make),
    ("gymnasium", "bare subclass", gymnasium_bare),
    ("gymnasium", "make, default wrappers", gymnasium_make),
    ("skyrl-gym", "one environment; str in, dict out", skyrl_one),
    ("skyrl-gym", "make each episode", skyrl_make),
    ("openenv", "in process; pydantic in and out", openenv_typed),
    ("agentgym", "typed step", agentgym_text),
    ("agentgym", "typed step with a validated tool call", agentgym_tool),
    ("agentgym", "make, typed step, close each episode", agentgym_make),
]


def prepare() -> tuple[dict[str, Play], list[str]]:
    """The contestants that are installed, by their row's name, and the rows of those that are not."""
    ready, missing = {}, []
    for package, what, build in CONTESTANTS:
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                name = f"{package} {version(package)}: {what}" if package else what
                ready[name] = build()
        except (ImportError, PackageNotFoundError) as error:
            missing.append(f"{package}: {what} ({type(error).__name__}: {error})")
    return ready, missing


async def measure(ready: dict[str, Play], rounds: int, episodes: int) -> dict[str, list[float]]:
    """Microseconds a step of every contestant, one number a round; contestants take turns."""
    took: dict[str, list[float]] = {name: [] for name in ready}
    for play in ready.values():
        await play(20)
    for _ in range(rounds):
        for name, play in ready.items():
            gc.collect()
            began = time.process_time()
            await play(episodes)
            took[name].append((time.process_time() - began) / (episodes * TURNS) * 1e6)
    return took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=21, help="repetitions of each contestant (default 21)")
    parser.add_argument("--episodes", type=int, default=500, help="episodes of ten steps a repetition (default 500)")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    ready, missing = prepare()
    took = asyncio.run(measure(ready, options.rounds, options.episodes))
    floor = min(took["bare Python class"])
    print(f"Python {platform.python_version()}, {options.rounds} rounds of {options.episodes * TURNS} steps each\n")
    print("| environment | min µs | median µs | min, times bare |")
    print("|---|---:|---:|---:|")
    for name, numbers in took.items():
        print(f"| {name} | {min(numbers):.2f} | {statistics.median(numbers):.2f} | {min(numbers) / floor:.1f} |")
    for name in missing:
        print(f"| {name} | not installed | | |")


if __name__ == "__main__":
    main()
