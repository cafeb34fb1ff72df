"""Tasks: a branch of a parser that the inputs shown do not take, though another input of ours does. Exact by construction.

Which branches there are depends on the box's Python, so a parser is surveyed in a box when its first task is asked for.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from random import Random
from typing import TYPE_CHECKING, Any

from agentgym.envs.code.fuzz.config import FuzzConfig
from agentgym.envs.code.fuzz.parsers import SPLITS, Arc, Survey, corpus, harness_of, survey
from agentgym.envs.swe.boxes import of_runtime
from agentgym.envs.swe.cache import Results
from agentgym.errors import TaskError
from agentgym.seeds import derive_seed
from agentgym.tasks import Task, TaskSet

if TYPE_CHECKING:
    from agentgym.runtime import Runtime

ID = "code/fuzz"
INPUTS = "inputs"
RARE = 4
"""A target is taken by at most one in so many inputs of the corpus."""
_ABOVE, _BELOW = 25, 10
_STATEMENT = """\
The module `{module}` of Python's standard library parses text; here it is {path}. Inputs reach it by this function:

{harness}

The inputs in `seeds/` do not make it go from line {start} directly on to line {end} (marked with >):

{code}

Write inputs that do: files `inputs/0` to `inputs/{last}`, as many as you need, each of at most {size} bytes of UTF-8 text. One
that gets there is enough; an error afterwards does no harm. `python3 coverage.py inputs/0 inputs/1` tells how each ends and how
many steps it stays away."""


class FuzzTasks(TaskSet):
    """The task set of `code/fuzz`: ids are "parser-line-line"; in turn from each parser of a split."""

    version = "1"

    def __init__(self, config: FuzzConfig, runtime: Runtime) -> None:
        self._config, self._runtime = config, runtime

    def size(self, split: str) -> int | None:
        return None if split in SPLITS else 0

    async def ids(self, split: str, seed: int | None = None) -> AsyncIterator[str]:
        order = Random(derive_seed("order", ID, split, seed or 0))
        parsers = order.sample(SPLITS.get(split, ()), len(SPLITS.get(split, ())))
        waiting: dict[str, list[str]] = {}
        place = 0
        while parsers:
            for parser in list(parsers):
                if place == 0:
                    found = [f"{parser}-{start}-{end}" for start, end in targets(parser, await self._survey(parser))]
                    waiting[parser] = order.sample(found, len(found))
                if place < len(waiting[parser]):
                    yield waiting[parser][place]
                else:
                    parsers.remove(parser)
            place += 1

    async def get(self, id: str) -> Task:
        parser, *lines = id.rsplit("-", 2)
        split = next((split for split, parsers in SPLITS.items() if parser in parsers), None)
        if split is None or len(lines) != 2 or not all(line.isdecimal() and line.isascii() for line in lines):
            raise TaskError(f"no task {id!r}: ids are like json-98-101, a parser and two lines of its module")
        known, arc = await self._survey(parser), (int(lines[0]), int(lines[1]))
        if id != f"{parser}-{arc[0]}-{arc[1]}" or arc not in targets(parser, known):
            raise TaskError(f"no task {id!r}: in {known.path} this is no branch that is asked for")
        return self._task(id, parser, arc, known, split)

    async def _survey(self, parser: str) -> Survey:
        open_box, results = of_runtime(self._runtime), Results(self._runtime.cache / "fuzz")
        return await self._runtime.resource(("code-fuzz", parser), lambda: survey(parser, open_box, results))

    def _task(self, id: str, parser: str, arc: Arc, known: Survey, split: str) -> Task:
        texts, there = corpus(parser), known.inputs[arc]
        rng = Random(derive_seed("seeds", ID, id))
        elsewhere = [text for index, text in enumerate(texts) if index not in there]
        shown = rng.sample(elsewhere, self._config.seeds)
        witness = min((texts[index] for index in there), key=lambda text: (len(text), text))
        payload = {
            "statement": self._statement(parser, arc, known),
            "files": {f"seeds/{number}": text for number, text in enumerate(shown)},
            "submit": [INPUTS],
            "parser": parser,
            "target": list(arc),
            "path": known.path,
            "sha256": known.sha256,
        }
        secret: dict[str, Any] = {"solution": {f"{INPUTS}/0": witness}}
        return Task(id, ID, payload, secret, split, (parser,))

    def _statement(self, parser: str, arc: Arc, known: Survey) -> str:
        module, harness = harness_of(parser)
        return _STATEMENT.format(
            module=module, path=known.path, harness=harness, start=arc[0], end=arc[1], code=excerpt(known.source, arc),
            last=self._config.most_inputs - 1, size=self._config.input_bytes,
        )  # fmt: skip


def targets(parser: str, known: Survey) -> list[Arc]:
    """The branches that are rare in the corpus."""
    most = len(corpus(parser)) // RARE
    return [arc for arc, inputs in known.inputs.items() if len(inputs) <= most]


def excerpt(source: str, arc: Arc) -> str:
    """The code around a branch, numbered, from its function's first line if that is near."""
    lines = source.split("\n")
    start, depth = arc[0], _depth(lines[arc[0] - 1])
    heads = (
        n for n in range(start, 0, -1) if lines[n - 1].lstrip().startswith("def ") and _depth(lines[n - 1]) < depth
    )
    head = next(heads, start)
    first, last = max(head, start - _ABOVE), min(len(lines), start + _BELOW)
    shown = sorted({head, *range(first, last + 1), *range(max(1, arc[1] - 2), min(len(lines), arc[1] + 2) + 1)})
    rows = []
    for before, number in zip([0, *shown], shown, strict=False):
        gap = "   ...\n" if before and number != before + 1 else ""
        rows.append(f"{gap}{'>' if number in arc else ' '}{number:5} {lines[number - 1]}".rstrip())
    return "\n".join(rows)


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())
