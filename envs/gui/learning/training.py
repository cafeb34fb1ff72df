"""Teaching a Pointer: by example (the warm start), and by reward, with labels or without. What a reward is, is given.

`imitate` is plain maximum likelihood of the right places. `reinforce` is a group-relative policy gradient as in GRPO, on one sampling
per update: rewards of a group of sampled points, less their mean, over their deviation, with a KL term to where it began.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

import torch
from torch import Tensor

from agentgym.envs.gui.grounding.verifier import verdict
from agentgym.envs.gui.learning.pointer import Pointer, drawn
from agentgym.envs.gui.learning.proposals import Proposals
from agentgym.envs.gui.voting import TRAINING, rewards, widened
from agentgym.seeds import derive_seed

BATCH = 8


@dataclass(slots=True, frozen=True)
class Lesson:
    """One task as a Pointer sees it. boxes: what is right, in pixels of the picture of `size`; only rewards with labels look there."""

    id: str
    proposals: Proposals
    size: tuple[int, int]
    boxes: list[list[float]]


Reward = Callable[[Lesson, list[list[float]]], list[float]]
"""What each point of a group is worth."""


def labelled(lesson: Lesson, points: list[list[float]]) -> list[float]:
    """The environment's own verdict: 1 in the box, 0 outside."""
    return [float(verdict(point, lesson.boxes, list(lesson.size))[0]) for point in points]


def unlabelled(lesson: Lesson, points: list[list[float]]) -> list[float]:
    """GUI-RCPO's: how far a point agrees with its group; no label is looked at. Points become squares of one size, so nothing can shrink."""
    return rewards([widened(point, lesson.size, TRAINING) for point in points])


def imitate(model: Pointer, lessons: Sequence[Lesson], epochs: int, seed: int, rate: float = 1e-2) -> None:
    """Make the places that are right likelier, for those lessons that have one among their proposals."""
    known = [(lesson, right) for lesson in lessons if (right := right_of(lesson)).any()]

    def loss(n: int) -> Tensor:
        lesson, right = known[n]
        chances = torch.log_softmax(model(lesson.proposals), 0)
        return -torch.logsumexp(chances[right], 0)

    model.train()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        _descend(model, len(known), epochs, seed, rate, loss)
    model.eval()


def reinforce(
    model: Pointer,
    lessons: Sequence[Lesson],
    reward: Reward,
    epochs: int,
    seed: int,
    *,
    group: int = 16,
    rate: float = 1e-2,
    beta: float = 0.04,
    after: Callable[[float], None] = lambda told: None,
) -> None:
    """Make what was worth more than the rest of its group likelier. beta: of the KL term. after: hears each epoch's mean reward."""
    before = copy.deepcopy(model).requires_grad_(False).eval()
    model.eval()
    told: list[float] = []

    def loss(n: int) -> Tensor:
        lesson = lessons[n]
        chances = torch.log_softmax(model(lesson.proposals), 0)
        picked = drawn(chances.detach(), group, derive_seed("gui pointer", seed, lesson.id, len(told)), 1.0)
        worth = torch.tensor(reward(lesson, lesson.proposals.points[list(picked)].tolist()))
        told.append(float(worth.mean()))
        advantage = (worth - worth.mean()) / (worth.std() + 1e-4)
        far = (chances.exp() * (chances - torch.log_softmax(before(lesson.proposals), 0))).sum()
        return -(advantage * chances[list(picked)]).mean() + beta * far

    def told_of(epoch: int) -> None:
        after(sum(told[-len(lessons) :]) / len(lessons))

    _descend(model, len(lessons), epochs, seed, rate, loss, told_of)


def measure(model: Pointer, lessons: Sequence[Lesson]) -> tuple[list[float], list[float]]:
    """For each lesson: the chance that a sampled point is right, which is what reward teaches; and 1 if the likeliest one is, else 0."""
    sampled, greedy = [], []
    with torch.no_grad():
        for lesson in lessons:
            chances, right = torch.softmax(model(lesson.proposals), 0), right_of(lesson)
            sampled.append(float(chances[right].sum()))
            greedy.append(float(right[chances.argmax()]))
    return sampled, greedy


def right_of(lesson: Lesson) -> Tensor:
    """Which of the proposals are right, (n,) of bool."""
    return torch.tensor(labelled(lesson, lesson.proposals.points.tolist())) > 0


def _descend(
    model: Pointer,
    count: int,
    epochs: int,
    seed: int,
    rate: float,
    loss: Callable[[int], Tensor],
    after: Callable[[int], None] = lambda epoch: None,
) -> None:
    optimiser = torch.optim.AdamW(model.parameters(), rate, weight_decay=0.01)
    for epoch in range(epochs):
        order = Random(derive_seed("gui lessons", seed, epoch)).sample(range(count), count)
        for start in range(0, count, BATCH):
            optimiser.zero_grad()
            torch.stack([loss(n) for n in order[start : start + BATCH]]).mean().backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
        after(epoch)
