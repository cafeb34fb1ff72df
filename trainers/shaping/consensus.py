"""Rewards without labels: how far an answer agrees with the others of its group. Records are not looked at.

An answer of None (none was given, or it can not be read) earns 0 and has no vote.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise
from math import fsum, log

from agentgym.trainers.episodes import groups_of
from agentgym.trainers.shaping.terms import nothing, only
from agentgym.types import Trajectory

Box = tuple[float, float, float, float]


def ttrl(trajectories: Sequence[Trajectory]) -> list[list[float]]:
    """1 for the answer that most of the group gave, else 0 (TTRL, arXiv 2504.16084).

    A tie goes to the answer that comes first in the order of strings (ours).
    """

    def of_group(answers: list[str | None]) -> list[float]:
        votes = Counter(answer for answer in answers if answer is not None)
        winner = min(votes, key=lambda answer: (-votes[answer], answer), default=None)
        return [float(answer is not None and answer == winner) for answer in answers]

    return _by_group(trajectories, of_group)


def ttrv(trajectories: Sequence[Trajectory], *, weight: float) -> list[list[float]]:
    """The answer's share in the group - weight * the entropy (nats) of the group's answers (TTRV, arXiv 2510.06783).

    The entropy is the same for the whole group: a baseline of the group takes it out.  Its weight is not known to us.
    """

    def of_group(answers: list[str | None]) -> list[float]:
        given = [answer for answer in answers if answer is not None]
        shares = {answer: count / len(given) for answer, count in Counter(given).items()}
        spread = -fsum(share * log(share) for share in shares.values())
        return [0.0 if answer is None else shares[answer] - weight * spread for answer in answers]

    return _by_group(trajectories, of_group)


def read_box(answer: str, expand: float = 50.0) -> Box | None:
    """The box (x0, y0, x1, y1) that an answer's first four numbers say; of two, a point with `expand` on each side."""
    found = [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", answer)[:4]]
    if len(found) == 4:
        return (found[0], found[1], found[2], found[3])
    if len(found) == 2:
        x, y = found
        return (x - expand, y - expand, x + expand, y + expand)
    return None


def gui_rcpo(trajectories: Sequence[Trajectory], *, expand: float = 50.0, least: float = 0.0) -> list[list[float]]:
    """How much of the group's votes lies inside the answer's box (GUI-RCPO, arXiv 2508.05615; the authors' code read).

    expand: what a point is widened by on each side.  least: boxes with shorter sides count as widened to it about their middle
    (ours; 0 as published, where a box is never worth less for being smaller, so that boxes shrink).  Votes know no truth:
    if all agree on a wrong place the reward is full, so watch `success` of the records beside it.
    """

    def of_group(answers: list[str | None]) -> list[float]:
        boxes = [None if answer is None else read_box(answer, expand) for answer in answers]
        return region_consistency([None if box is None else _widened(box, least) for box in boxes])

    return _by_group(trajectories, of_group)


def region_consistency(boxes: Sequence[Box | None]) -> list[float]:
    """For each box: the votes inside it / (its area * the most votes that any point has); 0 for None or an empty one.

    A point has a vote from each box that covers it.  Exact: votes are constant between neighbouring edges.
    """
    real = [box for box in boxes if box is not None and box[0] < box[2] and box[1] < box[3]]
    columns = list(pairwise(sorted({x for box in real for x in (box[0], box[2])})))
    lines = list(pairwise(sorted({y for box in real for y in (box[1], box[3])})))
    votes = {
        (left, right, top, bottom): sum(_covers(box, left, right, top, bottom) for box in real)
        for left, right in columns
        for top, bottom in lines
    }
    most = max(votes.values(), default=0)
    rewards = []
    for box in boxes:
        if box is None or not (box[0] < box[2] and box[1] < box[3]):
            rewards.append(0.0)
            continue
        inside = fsum((c[1] - c[0]) * (c[3] - c[2]) * count for c, count in votes.items() if _covers(box, *c))
        rewards.append(inside / (most * (box[2] - box[0]) * (box[3] - box[1])))
    return rewards


def _widened(box: Box, least: float) -> Box:
    """`box` with sides of at least `least`; one without an area stays as it is."""
    x0, y0, x1, y1 = box
    if x0 >= x1 or y0 >= y1:
        return box
    across, down = max(least - (x1 - x0), 0.0) / 2, max(least - (y1 - y0), 0.0) / 2
    return (x0 - across, y0 - down, x1 + across, y1 + down)


def _covers(box: Box, left: float, right: float, top: float, bottom: float) -> bool:
    return box[0] <= left and right <= box[2] and box[1] <= top and bottom <= box[3]


def _by_group(
    trajectories: Sequence[Trajectory], of_group: Callable[[list[str | None]], list[float]]
) -> list[list[float]]:
    rewards: dict[int, float] = {}
    for group in groups_of(trajectories):
        for trajectory, reward in zip(group, of_group([t.answer for t in group]), strict=True):
            rewards[id(trajectory)] = reward
    return [only(t, rewards[id(t)]) if id(t) in rewards else nothing(t) for t in trajectories]
