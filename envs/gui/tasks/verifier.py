"""GuiTasksVerifier: what was achieved, by the application's own books; or whether one action was the oracle's; and the form."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, ClassVar

from agentgym.envs.gui.tasks.form import well_formed
from agentgym.envs.gui.tasks.settings.schema import entries
from agentgym.envs.web.miniwob.verifier import MiniWobVerifier
from agentgym.envs.web.shop.verifier import ShopVerifier
from agentgym.errors import VerifierError
from agentgym.types import Score
from agentgym.verifier import Evidence, Verifier

if TYPE_CHECKING:
    from agentgym.runtime import Runtime


class GuiTasksVerifier(Verifier):
    """Scores "solved" in {0, 1}, and for each turn "format" in {0, 1}: Mobile-R1's format reward."""

    name: ClassVar[str] = "gui-tasks"

    async def verify(self, evidence: Evidence, runtime: Runtime) -> list[Score]:
        solved, reason = await self._solved(evidence, runtime)
        forms = (Score("format", float(well_formed(turn.action)), n) for n, turn in enumerate(evidence.turns))
        return [Score("solved", solved, reason=reason), *forms]

    async def _solved(self, evidence: Evidence, runtime: Runtime) -> tuple[float, str]:
        if evidence.artefacts.get("stage") == "step":
            agreed = float(json.loads(evidence.artefacts.get("agreed", "0")))
            return agreed, "as the oracle" if agreed else "not what the oracle does here"
        match evidence.artefacts.get("app"):
            case "settings":
                return _settings(evidence)
            case "shop":
                scores = await ShopVerifier().verify(evidence, runtime)
            case "miniwob":
                scores = await MiniWobVerifier().verify(evidence, runtime)
            case other:
                raise VerifierError(f"the artefacts of {evidence.task.id} are of no application: {other!r}")
        solved = next(score for score in scores if score.channel == "solved")
        return solved.value or 0.0, solved.reason


def _settings(evidence: Evidence) -> tuple[float, str]:
    """All is as it was asked for, and nothing else was changed."""
    try:
        now: dict[str, str] = json.loads(evidence.artefacts["settings"])
        after: dict[str, str] = evidence.task.secret["after"]
        wrong = sorted(key for key in entries() if now[key] != after[key])
    except (ValueError, KeyError, TypeError) as error:
        raise VerifierError(f"the artefacts of {evidence.task.id} are broken: {error!r}") from None
    if wrong:
        return 0.0, f"not as asked: {', '.join(f'{key} is {now[key]!r}' for key in wrong[:5])}"
    if evidence.end != "terminated":
        return 0.0, "all is as asked for, but nobody said so"
    return 1.0, "all is as asked for"
