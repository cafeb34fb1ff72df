"""GroundingVerifier: whether the answer is in a right box, by ScreenSpot's rule, and what else is reported of it."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, ClassVar

from agentgym.errors import VerifierError
from agentgym.types import Score
from agentgym.verifier import Evidence, Verifier

if TYPE_CHECKING:
    from agentgym.runtime import Runtime


class GroundingVerifier(Verifier):
    """Scores "correct" in {0, 1}: the point, or the middle of the box, is in a right box, edges included.

    Also "text", "icon" or "negative", the same for that kind alone; "wrong_format" (nothing that can be read, which is wrong);
    "distance": from the middle of the first right box, in shares of the screen's diagonal; "area_ratio": of an answered box to
    the right one; "crops": how many were looked at.  For DeepEyes's reward: "format" is -1 after any slip, else 0; "tool" is 1 if a crop was
    looked at and the answer is right.  A box of over `largest` of the screen points at nothing: wrong.
    """

    name: ClassVar[str] = "grounding"

    async def verify(self, evidence: Evidence, runtime: Runtime) -> list[Score]:
        try:
            record: dict[str, Any] = json.loads(evidence.artefacts["answer"])
            boxes: list[list[float]] = evidence.task.secret["boxes"]
            kind: str = evidence.task.secret["kind"]
            correct, reason = verdict(record["place"], boxes, record["size"], record["largest"])
            crops, slips = int(record["crops"]), int(record["slips"])
        except (ValueError, KeyError, TypeError) as error:
            raise VerifierError(f"the artefacts of {evidence.task.id} are broken: {error!r}") from None
        place = record["place"]
        return [
            Score("correct", correct, reason=reason),
            Score(kind, correct),
            Score("wrong_format", float(place is None)),
            Score("crops", float(crops)),
            Score("format", -1.0 if slips or place is None else 0.0),
            Score("tool", float(crops > 0 and correct > 0.5)),
            *_measures(place, boxes, record["size"]),
        ]


def verdict(
    place: list[float] | None, boxes: list[list[float]], size: list[int], largest: float = 1.0
) -> tuple[float, str]:
    """1 or 0, and why. place: [x, y], [x1, y1, x2, y2], [] for "not there", None for nothing readable; all in pixels."""
    if place is None:
        return 0.0, "nothing readable was answered"
    if not place or not boxes:
        right = not place and not boxes
        return float(
            right
        ), "it is not there" if right else "it is there" if boxes else "it is not there, and a place was given"
    if len(place) == 4 and (place[2] - place[0]) * (place[3] - place[1]) > largest * size[0] * size[1]:
        return 0.0, "the box that was answered is nearly everything"
    x, y = point_of(place)
    hit = any(left <= x <= right and top <= y <= bottom for left, top, right, bottom in boxes)
    return float(hit), f"({x:.6g}, {y:.6g}) is {'in' if hit else 'not in'} {boxes[0]}"


def point_of(place: list[float]) -> tuple[float, float]:
    """The point itself, or the middle of the box."""
    return (place[0], place[1]) if len(place) == 2 else ((place[0] + place[2]) / 2, (place[1] + place[3]) / 2)


def _measures(place: list[float] | None, boxes: list[list[float]], size: list[int]) -> list[Score]:
    if not place or not boxes:
        return []
    gold = boxes[0]
    away = math.dist(point_of(place), point_of(gold)) / math.hypot(*size)
    scores = [Score("distance", min(away, 1e6))]
    if len(place) == 4:
        area = (gold[2] - gold[0]) * (gold[3] - gold[1])
        scores.append(Score("area_ratio", min((place[2] - place[0]) * (place[3] - place[1]) / area, 1e6)))
    return scores
