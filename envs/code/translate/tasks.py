"""Translation tasks: a drawn program in one language, to be written in another. Only between languages that work here.

The number in an id says the pair of languages, so that an id means the same task on every machine; ids of pairs whose tools
are missing are not listed, with one warning, and asking for one says what to install.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, Any

from agentgym.envs.code.generated import Draft, Family, GeneratedTasks
from agentgym.envs.code.translate import languages
from agentgym.envs.code.translate.ir import Function, OutOfBounds, interpret, parse
from agentgym.envs.code.translate.languages import LANGUAGES, PAIRS
from agentgym.envs.code.translate.printers import PRINTERS
from agentgym.envs.code.translate.stages import HELD_OUT, STAGES, assemble
from agentgym.errors import TaskError
from agentgym.tasks import Task

if TYPE_CHECKING:
    from agentgym.runtime import Runtime

ENV = "code/translate"
SHOWN, HIDDEN = 2, 8
_SIZES = (5, 3, 1, 1, 2, 8, 13, 20, 30, 40)
_DIFFERENT = 8
"""Of the outputs, at least: a program that prints the same for all is no test."""
log = logging.getLogger("agentgym")
_STATEMENT = """Translate the {source} program source/{source_file} to {target}, as {target_file}.

For every input the translation must print exactly what the program prints. An input has three lines: a number n from 1 to
40; n whole numbers from -99 to 99, with single spaces; a word of 1 to 40 letters from a to z. No number in the program
leaves 32 bits. examples/ holds inputs (1.in, ...) and outputs (1.out, ...).

The translation is {how} and must do the work itself: it can start no other program."""

Input = tuple[list[int], str]


class TranslateTasks(GeneratedTasks):
    """Tasks "split-N": the pair of languages is N modulo 12, in the order of `PAIRS`."""

    def __init__(self, runtime: Runtime | None = None) -> None:
        self._runtime, self._warned = runtime, False
        super().__init__(ENV, {name: _family(name, PAIRS[0]) for name in STAGES}, HELD_OUT)
        self._sets = [
            GeneratedTasks(f"{ENV}/{'-'.join(pair)}", {name: _family(name, pair) for name in STAGES}, HELD_OUT)
            for pair in PAIRS
        ]

    async def ids(self, split: str, seed: int | None = None) -> AsyncIterator[str]:
        lacking = await self._lacking()
        if lacking and not self._warned:
            self._warned = True
            for name, why in lacking.items():
                log.warning("%s: no tasks with %s here: %s", ENV, LANGUAGES[name].title, why)
        if len(lacking) >= len(LANGUAGES) - 1:
            raise TaskError(f"{ENV}: no two languages work here: {'; '.join(lacking.values())}")
        async for id in super().ids(split, seed):
            if not lacking.keys() & set(pair_of(id)):
                yield id

    async def get(self, id: str) -> Task:
        if not id.rpartition("-")[2].isdecimal():
            return await super().get(id)  # says what ids are like
        pair = pair_of(id)
        if self._runtime is not None:
            await languages.require(pair, self._runtime)
        return replace(await self._sets[PAIRS.index(pair)].get(id), env=ENV)

    async def _lacking(self) -> dict[str, str]:
        return {} if self._runtime is None else await languages.missing(self._runtime)


def every() -> TranslateTasks:
    """The tasks of all pairs, whatever works on this machine."""
    return TranslateTasks()


def pair_of(id: str) -> tuple[str, str]:
    """The languages of a task, from and to."""
    return PAIRS[int(id.rpartition("-")[2][-12:]) % len(PAIRS)]


def draft(rng: Random, first: str, pair: tuple[str, str]) -> Draft:
    """A program with the stage `first`, which is one if it stays within bounds on its inputs and tells them apart."""
    more = sorted(STAGES) if first in HELD_OUT else sorted(STAGES.keys() - HELD_OUT)
    text = assemble(rng, first, more)
    drawn = Draft(text, tags=("-".join(pair),))

    def finish() -> bool:
        functions = parse(text)
        inputs = [_input(rng, size) for size in _SIZES]
        try:
            outputs = [interpret(functions, *given) for given in inputs]
        except OutOfBounds:
            return False
        drawn.payload, drawn.secret = _told(functions, pair, [_text(given) for given in inputs], outputs)
        return len(set(outputs)) >= _DIFFERENT

    drawn.finish = finish
    return drawn


def _told(
    functions: list[Function], pair: tuple[str, str], texts: list[str], outputs: list[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """A task's payload and secret."""
    source, target = (LANGUAGES[name] for name in pair)
    printed = {name: PRINTERS[name]().program(functions) for name in pair}
    examples = {}
    for number in range(SHOWN):
        examples[f"examples/{number + 1}.in"] = texts[number]
        examples[f"examples/{number + 1}.out"] = outputs[number]
    how = f"compiled by `{' '.join(target.compile)}` and run" if target.compile else f"run by `{' '.join(target.run)}`"
    payload = {
        "statement": _STATEMENT.format(
            source=source.title, source_file=source.file, target=target.title, target_file=target.file, how=how
        ),
        "files": {f"source/{source.file}": printed[pair[0]], **examples},
        "submit": [target.file],
        "pair": list(pair),
    }
    secret = {"solution": {target.file: printed[pair[1]]}, "inputs": texts[SHOWN:], "outputs": outputs[SHOWN:]}
    return payload, secret


def _family(first: str, pair: tuple[str, str]) -> Family:
    return lambda rng: draft(rng, first, pair)


def _input(rng: Random, size: int) -> Input:
    few = "".join(rng.sample("abcdefghijklmnopqrstuvwxyz", 4))
    word = "".join(rng.choice(few if rng.random() < 0.7 else "abcdefghijklmnopqrstuvwxyz") for _ in range(size))
    return [rng.randint(-99, 99) for _ in range(size)], word


def _text(given: Input) -> str:
    numbers, word = given
    return f"{len(numbers)}\n{' '.join(map(str, numbers))}\n{word}\n"
