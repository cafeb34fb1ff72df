"""GUI-RC: many answers to one instruction vote, pixel by pixel, for where it is; and what such votes are worth as a reward (GUI-RCPO).

Both of arXiv 2508.05615, as its authors' code has them. The shaper that trains with the reward is `gui_rcpo` in the trainers; here are
the pure functions on pixels, and what to look at beside them: votes know nothing of the truth. If all agree on a wrong place the reward is
full, and inside the region that all agree on a smaller box is never worth less than a larger one, so that boxes shrink.
`measured` says how often votes are unanimous and wrong; `least` takes away what shrinking pays.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agentgym.envs.gui.grounding.verifier import verdict
from agentgym.tasks import Task
from agentgym.types import Trajectory

Size = tuple[int, int]
Pixels = tuple[int, int, int, int]
INFERENCE, TRAINING = 25.0, 50.0
"""What a point is widened by on each side: the authors' evaluator and their training reward differ."""


def widened(place: Sequence[float] | None, size: Size, expand: float = INFERENCE, least: float = 0.0) -> Pixels | None:
    """Whole pixels [x0, x1) x [y0, y1) that an answer votes for: four numbers are a box, two a point with `expand` on each side.

    Cut to the picture (width, height), then truncated. least: sides shorter than that are widened to it about their middle.
    None where nothing is left, or nothing was answered.
    """
    if place is None or len(place) not in (2, 4) or not all(math.isfinite(each) for each in place):
        return None
    x0, y0, x1, y1 = (
        place if len(place) == 4 else (place[0] - expand, place[1] - expand, place[0] + expand, place[1] + expand)
    )
    if not (x0 < x1 and y0 < y1):
        return None
    (x0, x1), (y0, y1) = _at_least(x0, x1, least), _at_least(y0, y1, least)
    box = tuple(int(min(max(each, 0.0), float(end))) for each, end in zip((x0, y0, x1, y1), size * 2, strict=True))
    return (box[0], box[1], box[2], box[3]) if box[0] < box[2] and box[1] < box[3] else None


@dataclass(slots=True, frozen=True)
class Consensus:
    """point: the middle of `region`, the box around the largest part that got the most votes. votes: how many those are."""

    point: tuple[float, float]
    region: Pixels
    votes: int


def votes(boxes: Sequence[Pixels | None], size: Size) -> NDArray[np.int64]:
    """How many boxes cover each pixel; shape (height, width)."""
    steps = np.zeros((size[1] + 1, size[0] + 1), np.int64)
    for x0, y0, x1, y1 in (box for box in boxes if box is not None):
        steps[y0, x0] += 1
        steps[y1, x1] += 1
        steps[y0, x1] -= 1
        steps[y1, x0] -= 1
    return steps.cumsum(0).cumsum(1)[:-1, :-1]


def consensus(boxes: Sequence[Pixels | None]) -> Consensus | None:
    """Where most boxes agree: of the pixels with the most votes the largest 4-connected part, on ties the first from the top left."""
    real = [box for box in boxes if box is not None]
    if not real:
        return None
    columns, lines, counts = _cells(real)
    best: tuple[int, Pixels] | None = None
    top = int(counts.max())
    left_over = set(zip(*(each.tolist() for each in np.nonzero(counts == top)), strict=True))
    for start in sorted(left_over):
        if start not in left_over:
            continue
        part = _part(start, left_over)
        left_over -= part
        area = sum((lines[j + 1] - lines[j]) * (columns[i + 1] - columns[i]) for j, i in part)
        if best is None or area > best[0]:
            rows, across = [j for j, _ in part], [i for _, i in part]
            best = area, (columns[min(across)], lines[min(rows)], columns[max(across) + 1], lines[max(rows) + 1])
    assert best is not None
    x0, y0, x1, y1 = best[1]
    return Consensus(((x0 + x1) / 2, (y0 + y1) / 2), best[1], top)


def rewards(boxes: Sequence[Pixels | None]) -> list[float]:
    """GUI-RCPO: for each box the mean of the votes inside it, as a share of the most that any pixel got; 0 for None."""
    real = [box for box in boxes if box is not None]
    if not real:
        return [0.0] * len(boxes)
    columns, lines, counts = _cells(real)
    areas = np.diff(lines)[:, None] * np.diff(columns)[None, :]
    weighed, top = counts * areas, float(counts.max())
    found = []
    for box in boxes:
        if box is None:
            found.append(0.0)
            continue
        x0, x1 = (columns.index(each) for each in (box[0], box[2]))
        y0, y1 = (lines.index(each) for each in (box[1], box[3]))
        found.append(float(weighed[y0:y1, x0:x1].sum()) / (top * (box[2] - box[0]) * (box[3] - box[1])))
    return found


def decide(group: Sequence[Trajectory], expand: float = INFERENCE) -> list[float] | None:
    """The point that the episodes of one task of `gui/grounding-v0` agree on, in pixels of its screenshot; None without an answer."""
    records = [json.loads(each.artefacts["answer"]) for each in group if "answer" in each.artefacts]
    agreed = consensus([widened(record["place"], tuple(record["size"]), expand) for record in records])
    return None if agreed is None else list(agreed.point)


def measured(
    trajectories: Iterable[Trajectory], tasks: Mapping[str, Task], expand: float = INFERENCE
) -> dict[str, float]:
    """Votes beside the truth, over the tasks that the scored episodes are of.

    accuracy: of single answers.  voted: of GUI-RC's.  agreement: GUI-RCPO's mean reward (points widened by `expand`).
    unanimous_wrong: the share of tasks whose answers all but coincide (agreement over 0.9) and whose vote is wrong: there, the
    reward without labels teaches the mistake.
    """
    groups: dict[str, list[Trajectory]] = defaultdict(list)
    for each in trajectories:
        if each.record is not None and "answer" in each.artefacts:
            groups[each.key.task].append(each)
    rows = [_measure(group, tasks[id], expand) for id, group in groups.items()]
    names = ("accuracy", "voted", "agreement", "unanimous_wrong")
    return {name: math.fsum(row[n] for row in rows) / len(rows) for n, name in enumerate(names)} if rows else {}


def _measure(group: list[Trajectory], task: Task, expand: float) -> tuple[float, float, float, float]:
    records = [json.loads(each.artefacts["answer"]) for each in group]
    size = records[0]["size"]
    worth = rewards([widened(record["place"], tuple(size), expand) for record in records])
    agreement = math.fsum(worth) / len(worth)
    voted, _ = verdict(decide(group, expand), task.secret["boxes"], size)
    accuracy = math.fsum(each.record.success for each in group if each.record) / len(group)
    return accuracy, voted, agreement, float(agreement > 0.9 and not voted)


def _cells(real: Sequence[Pixels]) -> tuple[list[int], list[int], NDArray[np.int64]]:
    """Edges across and down, and the votes between neighbouring ones, which are the same for all pixels there."""
    columns = sorted({x for box in real for x in (box[0], box[2])})
    lines = sorted({y for box in real for y in (box[1], box[3])})
    counts = np.zeros((len(lines) - 1, len(columns) - 1), np.int64)
    for x0, y0, x1, y1 in real:
        counts[lines.index(y0) : lines.index(y1), columns.index(x0) : columns.index(x1)] += 1
    return columns, lines, counts


def _part(start: tuple[int, int], cells: set[tuple[int, int]]) -> set[tuple[int, int]]:
    """All of `cells` that `start` is connected with by sides."""
    part, edge = {start}, [start]
    while edge:
        j, i = edge.pop()
        near = {(j - 1, i), (j + 1, i), (j, i - 1), (j, i + 1)} & cells - part
        part |= near
        edge += near
    return part


def _at_least(low: float, high: float, least: float) -> tuple[float, float]:
    if high - low >= least:
        return low, high
    return (low + high - least) / 2, (low + high + least) / 2
