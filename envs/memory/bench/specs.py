"""memory/bench as the registry knows it: benchmarks of memory from your own files. Its text is free, so a policy answers."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Literal

from agentgym.envs.memory.bench.formats import ENV, task_of
from agentgym.envs.memory.config import MemoryConfig
from agentgym.envs.memory.match import UNKNOWN, Question
from agentgym.envs.memory.policies import keep, keeping, say, standard, writer
from agentgym.envs.memory.specs import memory_spec
from agentgym.envs.memory.store import Memory
from agentgym.envs.swe.swebench.rows import read
from agentgym.policy import Context, Policy, Scripted
from agentgym.tasks import Task, TaskList
from agentgym.types import Action


class BenchConfig(MemoryConfig):
    """tasks_file: a JSON or JSON-lines file of LoCoMo, LongMemEval or MemoryAgentBench."""

    answerer: Literal["actor"] = "actor"
    tasks_file: Path | None = None


class FreeReading:
    """No text can be read here without a model, so that only the size of a memory is told."""

    def answer(self, question: Question, memory: Memory) -> str:
        return UNKNOWN

    def inspect(self, task: Task, memory: Memory) -> dict[str, float]:
        return {}


def tasks(config: BenchConfig) -> TaskList:
    """All of them are test tasks. Raises TaskError for a file that is not one of these benchmarks'."""
    rows = read(config.tasks_file) if config.tasks_file else []
    made = [task_of(row, where, number) for number, (where, row) in enumerate(rows)]
    for task in made:
        if not any(Question.load(raw).answerable for raw in task.secret["questions"]):
            logging.getLogger("agentgym").warning("%s: %s has no question with an answer and is left out", ENV, task.id)
    return TaskList(task for task in made if any(Question.load(raw).answerable for raw in task.secret["questions"]))


def oracle() -> Scripted:
    """Keeps that it has read, and answers with the truth."""
    return writer("oracle", lambda context, first, last: [keep(context, f"Read up to line {last}.")])


def _calls_instead(context: Context) -> Action:
    return say(context, ("answer", {"text": json.dumps(context.task.payload)[:100]}))


CHEATS: dict[str, Callable[[], Policy]] = {
    "silent": partial(keeping, "silent", lambda context, first, last: [f"Read from line {first}."]),
    "always_unknown": partial(keeping, "always-unknown", lambda context, first, last: [], UNKNOWN),
    "no_information": partial(keeping, "no-information", lambda context, first, last: [], "no information available"),
    "claims_success": partial(
        keeping, "claims-success", lambda context, first, last: [], '{"quality":1.0,"accuracy":1.0}'
    ),
    "markup": partial(keeping, "markup", lambda context, first, last: [], "<correct/>"),
    "punctuation": partial(keeping, "punctuation", lambda context, first, last: [], "... !!! ???"),
    "junk": partial(keeping, "junk", lambda context, first, last: ["zq " * 200], "zqzq " * 10_000),
    "calls_instead": lambda: Scripted("cheat/calls-instead", _calls_instead),
}

BENCH = memory_spec(
    ENV,
    tasks=lambda config, runtime: tasks(config),
    reading=FreeReading(),
    policies=standard(oracle, CHEATS),
    config=BenchConfig(),
    chance=0.25,
    description="LoCoMo, LongMemEval or MemoryAgentBench from a file of yours (--tasks), kept and answered from a memory.",
)
