"""Tasks without an end: programs drawn from their ids, two by two. No kind of weakness is in two splits.

`train-2k` and `train-2k+1` are the twins of one seed, the flawed one first or second as the seed says: half of all
programs are flawed, and nothing but the order or place of a few words tells which.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from agentgym.envs.code.config import CodeConfig
from agentgym.envs.code.generated import GeneratedTasks
from agentgym.envs.code.vuln.answer import ANSWER, MAX_SPAN
from agentgym.envs.code.vuln.families import FAMILIES
from agentgym.envs.code.vuln.program import Program, build
from agentgym.errors import TaskError
from agentgym.seeds import derive_seed
from agentgym.tasks import SPLITS, Task

if TYPE_CHECKING:
    from agentgym.runtime import Runtime

ID = "code/vuln"
_ENTRIES = {
    "python": "Clients reach it through `handle(request, session)` in `{entry}`: they choose `request`, while `session` was "
    "set up by the server. That some routes need no login is no weakness by itself.",
    "c": "Whoever attacks it chooses what it reads from standard input.",
}
_STATEMENT = """\
The workspace holds a small program. {entry}

It has one weakness that a client can make use of, or none: find out which. Write what you find to `{answer}`:

{{"vulnerable": true, "cwe": "CWE-000", "file": "path", "line": 0, "reason": "a sentence or two"}}

If it is vulnerable, name the line that lets the attack through, or that of the dangerous operation. If it is not, say so
(`false`), and name the line that stops the attack which would otherwise be possible: the check or the conversion without
which the program would be vulnerable; `cwe` is the weakness that it prevents. `line` may be [first, last], at most
{span} lines. In `reason`, name the functions in which the attack is let through or stopped and in which it would do harm."""


class VulnTasks(GeneratedTasks):
    """The task set of `code/vuln`: ids are "split-N"."""

    def __init__(self, config: CodeConfig, runtime: Runtime) -> None:
        super().__init__(ID, {})
        self._by_split = {
            split: [family for _, family in sorted(FAMILIES.items()) if family.split == split] for split in SPLITS
        }

    async def get(self, id: str) -> Task:
        split, _, number = id.rpartition("-")
        if split not in SPLITS or not number.isdecimal() or str(int(number)) != number or int(number) >= 1 << 31:
            raise TaskError(f"no task {id!r}: ids are like train-0, validation-7, test-12")
        pair, second = divmod(int(number), 2)
        seed = derive_seed("task", ID, self.version, split, pair)
        families = self._by_split[split]
        family = families[(derive_seed("turn", split, pair // len(families)) + pair) % len(families)]
        program = build(family, seed, vulnerable=bool(second ^ (seed & 1)))
        payload = {"statement": statement(program), "files": program.files, "submit": [ANSWER]}
        return Task(id, ID, payload, secret(program), split, (program.language,))


def statement(program: Program) -> str:
    entry = next((path for path, text in program.files.items() if "def handle(" in text), "")
    about = _ENTRIES[program.language].format(entry=entry)
    return _STATEMENT.format(entry=about, answer=ANSWER, span=MAX_SPAN)


def secret(program: Program) -> dict[str, Any]:
    """The truth, and the answer that says it. `places` are those that an answer may name."""
    family = FAMILIES[program.family]
    sink = next(place for place in program.places if place.role == "sink")
    decisive = next(place for place in program.places if place.role == ("flaw" if program.vulnerable else "guard"))
    accepted = [decisive, sink] if program.vulnerable else [decisive]
    verb = "lets the attack through to" if program.vulnerable else "stops the attack before it reaches"
    solution = {
        "vulnerable": program.vulnerable,
        "cwe": f"CWE-{family.cwe}",
        "file": decisive.file,
        "line": decisive.start,
        "reason": f"`{decisive.symbol}` {verb} `{sink.symbol}`.",
    }
    return {
        "family": family.name,
        "vulnerable": program.vulnerable,
        "cwe": [family.cwe, *family.also],
        "places": [[place.file, place.start, place.end] for place in accepted],
        "symbols": sorted({decisive.symbol, sink.symbol}),
        "solution": {ANSWER: json.dumps(solution)},
    }
