"""The verdict on an answer, from data alone: nothing that the agent wrote is executed, and no model is asked.

VULPO (arXiv 2511.11896) rewards the semantic relevance of an analysis, which takes a judging model; `reason` here is a stand-in that is
exact and can be worked out by hand: the weakness and the two functions that matter have to be named, and few others.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from agentgym.envs.code.environment import NOTES
from agentgym.envs.code.vuln.answer import ANSWER, Answer, BadAnswer, read_answer
from agentgym.types import Score
from agentgym.verifier import Evidence, Verifier

if TYPE_CHECKING:
    from agentgym.runtime import Runtime

TOLERANCE = 1
"""How many lines beside a true place still count: two swapped lines are the flaw together."""
CWE_SHARE = 0.4
MAX_NAMED = 5
"""A reason that names more functions of the program than this lists instead of explaining."""
_DEFINED = re.compile(r"^(?:def|class)\s+(\w+)|^\w[\w\s*]*?\b(\w+)\([^;]*\{$", re.M)


class VulnVerifier(Verifier):
    """Scores "prediction", "location" and "solved" in {0, 1} and "reason" in [0, 1]; solved: right verdict and place.

    Without the right verdict the others are 0, whatever was written.
    """

    name: ClassVar[str] = "vuln"

    async def verify(self, evidence: Evidence, runtime: Runtime) -> list[Score]:
        try:
            answer = _submitted(evidence)
        except BadAnswer as error:
            return _scores(0.0, 0.0, 0.0, f"no answer: {error}")
        secret = evidence.task.secret
        if answer.vulnerable != secret["vulnerable"]:
            return _scores(0.0, 0.0, 0.0, "the verdict is wrong")
        located = float(located_in(answer, secret))
        why = "right" if located else "the verdict is right, the place is not"
        return _scores(1.0, located, explained(answer, secret, evidence.task.payload["files"]), why)


def located_in(answer: Answer, secret: Mapping[str, Any]) -> bool:
    """Whether the lines that the answer names touch a true place."""
    if answer.lines is None:
        return False
    first, last = answer.lines
    return any(
        answer.file == file and first <= end + TOLERANCE and last >= start - TOLERANCE
        for file, start, end in secret["places"]
    )


def explained(answer: Answer, secret: Mapping[str, Any], files: Mapping[str, str]) -> float:
    """How much of what matters the answer names: the weakness, and the functions of flaw (or guard) and harm."""
    weakness = CWE_SHARE if answer.cwe in secret["cwe"] else 0.0
    defined = {name for text in files.values() for found in _DEFINED.findall(text) for name in found if name}
    words = set(re.findall(r"\w+", answer.reason))
    symbols = set(secret["symbols"])
    if len(words & (defined | symbols)) > MAX_NAMED:
        return weakness
    return weakness + (1 - CWE_SHARE) * len(words & symbols) / len(symbols)


def _submitted(evidence: Evidence) -> Answer:
    if evidence.end != "submit":
        raise BadAnswer(f"not submitted, the episode ended with {evidence.end or 'nothing'}")
    if (text := evidence.artefacts.get(ANSWER)) is None:
        raise BadAnswer("; ".join(json.loads(evidence.artefacts.get(NOTES) or "[]")) or f"{ANSWER} is missing")
    return read_answer(text)


def _scores(prediction: float, location: float, reason: float, why: str) -> list[Score]:
    return [
        Score("prediction", prediction, reason=why),
        Score("location", location),
        Score("reason", reason),
        Score("solved", prediction * location, reason=why),
    ]
