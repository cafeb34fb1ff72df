"""Efficiency tasks from problems: what the agent is told and given, and the inputs that the verdict uses."""

from __future__ import annotations

import importlib.resources
import json
from collections.abc import Callable
from random import Random
from typing import Any

from agentgym.envs.code.efficiency.problems import FAMILIES, Problem
from agentgym.envs.code.generated import Draft, Family, GeneratedTasks

FILE = "solution.py"
FUNCTION = "solve"
HELD_OUT = frozenset({"components", "grid-paths"})
CALLS = 3
EXAMPLE_BUDGET = 20_000_000
_STATEMENT = """Write {file} with a function `{signature}` that is right and cheap.

{prose}

slow.py is right, and far too dear. Cost is counted, not timed: `python3 cost.py FILE examples.json` checks a program on some
examples and prints its cost; cost.py's docstring says what is charged for. On hidden, larger inputs the program must give
the right results at a cost of at most {most:g} times that of a good solution.

A program consists of functions; it has no classes, no try, no printing, and may import only from bisect, collections,
functools, heapq, itertools, math and typing."""


def meter_text() -> str:
    """The meter as it is sent to boxes."""
    return importlib.resources.files("agentgym.envs.code.efficiency").joinpath("meter.py").read_text()


def tasks(slack: float) -> GeneratedTasks:
    """Every family's problems, those of `HELD_OUT` in the test split only. `slack` is only told, the verifier has its own."""
    families = {name: _family(make, slack) for name, make in FAMILIES.items()}
    return GeneratedTasks("code/efficiency", families, HELD_OUT)


def draft(problem: Problem, slack: float, rng: Random, examples: Callable[[list[Any]], Any]) -> Draft:
    """A problem with its examples, whose results `examples` gives, and its hidden inputs."""
    small = max(4, problem.size // 12) if problem.size < 5_000 else 40
    shown = [problem.inputs(rng, size) for size in (3, small, small)]
    cases = [{"arguments": arguments, "result": examples(arguments)} for arguments in shown]
    listed = {"function": FUNCTION, "budget": EXAMPLE_BUDGET, "cases": cases}
    payload = {
        "statement": _STATEMENT.format(file=FILE, signature=problem.signature, prose=problem.prose, most=1 + slack),
        "files": {"slow.py": problem.slow, "cost.py": meter_text(), "examples.json": json.dumps(listed) + "\n"},
        "submit": [FILE],
    }
    secret = {
        "solution": {FILE: problem.fast},
        "calls": [problem.inputs(rng, problem.size) for _ in range(CALLS)],
    }
    return Draft(problem.key, payload, secret)


def results_of(source: str) -> Callable[[list[Any]], Any]:
    """What a program of ours returns. Only for the texts in `problems.py`."""
    space: dict[str, Any] = {}
    exec(compile(source, "reference", "exec"), space)

    def call(arguments: list[Any]) -> Any:
        return space[FUNCTION](*json.loads(json.dumps(arguments)))

    return call


def _family(make: Callable[[Random], Problem], slack: float) -> Family:
    def family(rng: Random) -> Draft:
        problem = make(rng)
        return draft(problem, slack, rng, results_of(problem.fast))

    return family
