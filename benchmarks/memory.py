"""Print what the memory environments cost: generating, stepping, forking, answering, finding: `python benchmarks/memory.py`.

CPU time of this process, best of the rounds: the noise of a shared machine only ever adds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import platform
import time
from collections.abc import Callable
from random import Random

import agentgym
from agentgym import Action, Runtime, ToolCall
from agentgym.envs.memory.dialogue.reader import DialogueReading
from agentgym.envs.memory.dialogue.specs import DIALOGUE
from agentgym.envs.memory.dialogue.stream import generate
from agentgym.envs.memory.match import Question
from agentgym.envs.memory.retrieval import INDEXES, make_index
from agentgym.envs.memory.store import Memory
from agentgym.episode import Episode
from agentgym.tasks import Task


def best(rounds: int, work: Callable[[], object]) -> float:
    """CPU seconds of the fastest round."""
    took = []
    for _ in range(rounds):
        began = time.process_time()
        work()
        took.append(time.process_time() - began)
    return min(took)


def row(what: str, value: str) -> None:
    print(f"| {what} | {value} |", flush=True)


def generator(rounds: int) -> None:
    for size in (8_000, 400_000, 4_000_000):
        words = sum(len(line.split()) for line in generate(Random(0), size).lines)
        took = best(rounds if size < 10**6 else 1, lambda size=size: generate(Random(0), size))  # type: ignore[misc]
        row(f"generator, {size:,} tokens", f"{words / took:,.0f} words/s")


def retrieval(rounds: int) -> None:
    for count in (200, 2_000, 10_000):
        lines = generate(Random(1), count * 25, facts=0.9).lines[:count]
        items = {f"{n:04x}": line for n, line in enumerate(lines)}
        queries = [line[11:60] for line in lines[:: max(1, count // 40)]]
        for name in INDEXES:
            built = best(rounds, lambda name=name, items=items: make_index(name, items))  # type: ignore[misc]
            index = make_index(name, items)
            index.search("warm up", 20)
            asked = best(rounds, lambda index=index, queries=queries: [index.search(q, 20) for q in queries])  # type: ignore[misc]
            row(
                f"retrieval, {name}, {len(items):,} items",
                f"built in {built * 1e3:.1f} ms, a query {asked / len(queries) * 1e3:.2f} ms",
            )


async def steps(task: Task, runtime: Runtime, rounds: int) -> None:
    """Steps that insert three notes each; forks and hashes of what comes out."""
    env = agentgym.make(DIALOGUE, runtime=runtime, verdict=False)
    took, count = [], 0
    for _ in range(rounds):
        await env.reset(task=task)
        began, count, ended = time.process_time(), 0, False
        while not ended:
            calls = tuple(
                ToolCall(
                    str(n),
                    "new_memory_insert",
                    json.dumps({"memory_type": "semantic_memory", "content": f"{count} {n} tea"}),
                )
                for n in range(3)
            )
            _, _, ended, _, _ = await env.step(Action(calls=calls))
            count += 1
        took.append((time.process_time() - began) / count)
    row("step with three inserts", f"{min(took) * 1e6:.0f} µs")
    await env.reset(task=task)
    for _ in range(5):
        await env.step(Action(calls=calls))
    began = time.process_time()
    for _ in range(200):
        await (await env.fork()).close()
    row("fork and close", f"{(time.process_time() - began) / 200 * 1e6:.0f} µs")
    began = time.process_time()
    for _ in range(200):
        await env.state_hash()
    row("state hash", f"{(time.process_time() - began) / 200 * 1e6:.0f} µs")


async def scoring(task: Task, runtime: Runtime, rounds: int) -> None:
    """The exact reader's answers on the oracle's memory, and the whole verdict."""
    episode = await Episode.start(
        agentgym.make(DIALOGUE, runtime=runtime, verdict=False), DIALOGUE.policies["oracle"](), task
    )
    while not await episode.turn():
        pass
    trajectory = await episode.finish()
    text, reading = trajectory.artefacts["memory"], DialogueReading()
    questions = [Question.load(raw) for raw in task.secret["questions"]]

    def answer() -> None:
        memory = Memory.load(text)
        for question in questions:
            reading.answer(question, memory)

    tokens = task.id.split("-")[1]
    row(
        f"a question by the exact reader, stream of {tokens} tokens",
        f"{best(rounds, answer) / len(questions) * 1e3:.2f} ms",
    )


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    print(f"Python {platform.python_version()}, best of {rounds}, CPU time\n\n| what | |\n|---|---|")
    generator(rounds)
    async with Runtime() as runtime:
        for size, number in ((8_000, 12), (100_000, 100)):
            spec = DIALOGUE.configure(tokens=size, questions=number)
            [task] = await runtime.tasks(spec).take("train", 1)
            if size == 8_000:
                await steps(task, runtime, rounds)
            await scoring(task, runtime, rounds)
    retrieval(rounds)


if __name__ == "__main__":
    asyncio.run(main())
