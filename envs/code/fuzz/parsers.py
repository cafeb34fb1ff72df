"""The parsers: where their programs come from, what is known of them, and what a box's own Python says about them.

A parser is a module of the standard library of the box, never a copy, so tasks depend on that Python: a survey runs the
corpus in a box and says which branches there are, and every task carries the hash of the module that it was made for.
"""

from __future__ import annotations

import base64
import importlib.resources
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any

from agentgym.envs.swe.cache import Results, digest
from agentgym.envs.swe.runner import ENVIRONMENT, PYTHON, OpenBox
from agentgym.errors import SandboxError, TaskError
from agentgym.sandboxes.sandbox import SandboxLimits, SandboxSpec
from agentgym.seeds import derive_seed

TIMEOUT_S = 180.0
LIMITS = SandboxLimits(memory_bytes=1 << 30, processes=64, disk_bytes=64 << 20, file_bytes=32 << 20)
SPLITS = {
    "train": (
        *(
            "addresses",
            "cookie-headers",
            "cookies",
            "decimals",
            "doctests",
            "html",
            "ini",
            "mail-headers",
            "mail-parts",
        ),
        *("mailboxes", "netrc", "paths", "plists", "regexes", "tables", "times"),
    ),
    "validation": ("robots", "shell-words", "templates"),
    "test": ("json", "toml", "urls", "zones"),
}
"""No parser is in two splits."""
_SPECIAL = "\0[({<\"'\\a=%$#:;,-&\n"

Arc = tuple[int, int]


@dataclass(slots=True, frozen=True)
class Survey:
    """What the corpus does in one Python: which of its inputs take a branch, for branches that nothing trivial takes."""

    path: str
    sha256: str
    source: str
    inputs: dict[Arc, frozenset[int]]


@cache
def program() -> str:
    """What runs in boxes, verifiers' and agents': the harnesses, then the tracer."""
    here = importlib.resources.files("agentgym.envs.code.fuzz")
    harnesses, inbox = (here.joinpath(name).read_text() for name in ("harnesses.py", "inbox.py"))
    return f"{harnesses}\n\n{inbox.replace('from __future__ import annotations', '', 1)}"


@cache
def corpus(parser: str) -> tuple[str, ...]:
    """The inputs that we wrote for a parser, which between them take every branch that is a target."""
    file = importlib.resources.files("agentgym.envs.code.fuzz").joinpath("corpus", f"{parser}.json")
    return tuple(json.loads(file.read_text()))


@cache
def floor() -> tuple[str, ...]:
    """Inputs that take no thought. What one of them reaches is no target."""
    rng = Random(derive_seed("fuzz-floor"))
    letters = "".join(map(chr, range(32, 127))) + "\n\t"
    noise = ["".join(rng.choices(letters, k=rng.randint(1, 60))) for _ in range(24)]
    return ("", "x", " ", "0", "a b", "a b\nc d\n", letters, *(letter * 300 for letter in _SPECIAL), *noise)


def harness_of(parser: str) -> tuple[str, str]:
    """The module whose branches count, and the source text of the function that calls it."""
    text = importlib.resources.files("agentgym.envs.code.fuzz").joinpath("harnesses.py").read_text()
    entry = re.search(rf'^    "{re.escape(parser)}": \("([\w.]+)", (\w+)\),$', text, re.M)
    if entry is None:
        raise TaskError(f"no parser {parser!r}")
    start = text.index(f"def {entry[2]}(")
    return entry[1], text[start : text.index("\n\n\n", start)]


async def survey(parser: str, open_box: OpenBox, results: Results) -> Survey:
    """Run the corpus and the floor in a box, unless that was done before. Raises SandboxError if it fails."""
    known, inputs = corpus(parser), encoded([*corpus(parser), *floor()])
    module = await run_job(open_box, {"parser": parser, "inputs": []})
    key = digest("fuzz", parser, program(), module["python"], module["sha256"], *inputs)
    taken = results.get(key)
    if taken is None:
        told = await run_job(open_box, {"parser": parser, "inputs": inputs})
        if any(ending == "starved" for ending, _ in told["inputs"]):
            raise SandboxError("the machine is too busy to survey a parser")
        taken = [arcs for _, arcs in told["inputs"]]
        results.put(key, taken)
    where: dict[Arc, set[int]] = {}
    for index, arcs in enumerate(taken):
        for start, end in arcs:
            where.setdefault((start, end), set()).add(index)
    rows = {arc: frozenset(found) for arc, found in sorted(where.items()) if max(found) < len(known)}
    return Survey(module["path"], module["sha256"], module["source"], rows)


async def run_job(open_box: OpenBox, job: dict[str, Any]) -> dict[str, Any]:
    """One job for the program in a fresh box. Raises SandboxError: only data goes in, so no answer is a box's fault."""
    async with open_box(SandboxSpec(env=ENVIRONMENT, limits=LIMITS)) as box:
        done = await box.exec(
            [*PYTHON, "-c", program()],
            cwd="/",
            stdin=json.dumps([job]).encode(),
            timeout=TIMEOUT_S,
            max_output=24 << 20,
        )
    try:
        (told,) = json.loads(done.stdout)
    except ValueError:
        said = done.killed_by or done.stderr[-500:].decode("utf-8", "replace")
        raise SandboxError(f"the inputs for {job['parser']} could not be run: {said}", "ambiguous") from None
    answer: dict[str, Any] = told
    return answer


def encoded(inputs: Sequence[str | bytes]) -> list[str]:
    raw = (text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text for text in inputs)
    return [base64.b64encode(data).decode() for data in raw]
