"""Samplers: from the book to the tasks of the next batch."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from agentgym.errors import UsageError
from agentgym.trainers.samplers.book import Book, Entry
from agentgym.trainers.samplers.draw import Sampler, draw, rest, uniform


def variance_aware(
    book: Book, count: int, seed: int, *, share: float = 0.5, a: float = 0.8, b: float = 0.2, floor: float = 0.01
) -> list[str]:
    """MMR1's variance-aware sampling (arXiv 2509.21268): floor(share * count) tasks by their promise, the rest alike.

    Promise: a * pass rate * (1 - pass rate) + b * diversity, at least `floor` (ours), so that no task starves.  A task
    not yet seen counts as one of pass rate .5 (ours).  The paper draws with repetition; a batch here holds a task once.
    """
    weights = {task: max(promise(entry, a, b), floor) for task, entry in book.entries.items()}
    return rest(book, draw(weights, int(share * count), seed, "variance_aware"), count, seed)


def promise(entry: Entry, a: float = 0.8, b: float = 0.2) -> float:
    p = 0.5 if entry.pass_rate is None else entry.pass_rate
    return a * p * (1 - p) + b * (entry.diversity or 0.0)


def failure_replay(book: Book, count: int, seed: int, *, share: float = 0.25) -> list[str]:
    """Up to floor(share * count) tasks whose last group had no success, longest ago first; the rest alike.

    After DeepTravel's buffer of verified failures (arXiv 2509.21842); the share is ours.
    """
    failed = [task for task, entry in book.entries.items() if entry.failures]
    failed.sort(key=lambda task: book.entries[task].last)
    return rest(book, failed[: int(share * count)], count, seed)


def curriculum(
    book: Book,
    count: int,
    seed: int,
    *,
    levels: Sequence[Sequence[str]],
    mastered: float = 0.8,
    review: float = 0.2,
) -> list[str]:
    """The easiest level that is not mastered, and floor(review * count) tasks of earlier ones. Constants are ours.

    levels: task ids, easiest first.  A level is mastered once each of its tasks was seen and their mean pass rate is at
    least `mastered`; the last one stays.  Where a level has too few tasks, earlier ones and then later ones fill up.
    """
    if unknown := [task for level in levels for task in level if task not in book.entries]:
        raise UsageError(f"the curriculum's task {unknown[0]!r} is not in the book")
    now = next((i for i, level in enumerate(levels[:-1]) if not _mastered(book, level, mastered)), len(levels) - 1)
    earlier = [task for level in levels[:now] for task in level]
    taken = draw(dict.fromkeys(earlier, 1.0), min(int(review * count), len(earlier)), seed, "review")
    for pool in (levels[now], earlier, [task for level in levels[now + 1 :] for task in level]):
        left = {task: 1.0 for task in pool if task not in taken}
        taken += draw(left, min(count - len(taken), len(left)), seed, "level")
    if len(taken) < count:
        raise UsageError(f"{count} different tasks were asked for, the curriculum has {len(taken)}")
    return taken


def stages(
    book: Book, count: int, seed: int, *, plan: Sequence[tuple[int, Sampler]], then: Sampler = uniform
) -> list[str]:
    """One sampler after another: each of `plan` for its number of batches, after that `then`.

    A warm-up is a first stage, say a `curriculum` of one easy level.
    """
    end = 0
    for batches, stage in plan:
        end += batches
        if book.step < end:
            return stage(book, count, seed)
    return then(book, count, seed)


def _mastered(book: Book, level: Sequence[str], mastered: float) -> bool:
    rates = [book.entries[task].pass_rate for task in level]
    known = [rate for rate in rates if rate is not None]
    return len(known) == len(rates) and fmean(known or [1.0]) >= mastered
