"""Teaching an Operator by reward, in two of Mobile-R1's stages: single steps, then whole tasks. Its first, imitation, is not needed here.

Both are a group-relative policy gradient as in GRPO, on one sampling per update: rewards of a group, less their mean, over their deviation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

import torch
from torch import Tensor

from agentgym.envs.gui.learning.moments import PHONE
from agentgym.envs.gui.learning.operator import Operator, Scene, said
from agentgym.envs.gui.learning.pointer import drawn
from agentgym.envs.gui.tasks.form import well_formed
from agentgym.envs.gui.tasks.next_step import act_of
from agentgym.envs.gui.tasks.policies import follow
from agentgym.envs.gui.tasks.steps import Step, agrees
from agentgym.policy import Context
from agentgym.seeds import derive_seed
from agentgym.types import Action, Message, Trajectory

BATCH, RATE = 8, 0.1


@dataclass(slots=True, frozen=True)
class Exercise:
    """One task of the stage "step" as an Operator sees it. right: what the environment reveals to be the oracle's step."""

    id: str
    scene: Scene
    right: Step


class Witness:
    """A privileged policy that does what the oracle does, and keeps what an agent was shown and what was right, by task."""

    name, privileged = "witness", True

    def __init__(self) -> None:
        self.kept: dict[str, tuple[list[Message], Step]] = {}

    async def act(self, context: Context, n: int = 1) -> list[Action]:
        self.kept[context.task.id] = list(context.messages), context.revealed
        return [follow(context)] * n


def worth(exercise: Exercise, step: Step) -> float:
    """What the environment pays for the step, R_act + R_fmt, by the functions that it uses itself."""
    return float(agrees(act_of(step, PHONE), exercise.right)) + float(well_formed(said(step, 0)))


def reinforce_steps(
    model: Operator,
    exercises: Sequence[Exercise],
    epochs: int,
    seed: int,
    *,
    group: int = 16,
    after: Callable[[float], None] = lambda told: None,
) -> None:
    """Make the acts likelier that were worth more than the rest of their group. after: hears each epoch's mean reward."""
    optimiser = torch.optim.Adam(model.parameters(), RATE)
    for epoch in range(epochs):
        told: list[float] = []

        def loss(exercise: Exercise, epoch: int = epoch, told: list[float] = told) -> Tensor:
            chances = torch.log_softmax(model(exercise.scene), 0)
            picked = drawn(chances.detach(), group, derive_seed("gui steps", seed, exercise.id, epoch), 1.0)
            paid = torch.tensor([worth(exercise, exercise.scene.steps[each]) for each in picked])
            told.append(float(paid.mean()))
            return -(_advantages(paid) * chances[list(picked)]).mean()

        order = Random(derive_seed("gui order", seed, epoch)).sample(exercises, len(exercises))
        for start in range(0, len(order), BATCH):
            _descend(optimiser, [loss(each) for each in order[start : start + BATCH]])
        after(sum(told) / len(told))


def reinforce_episodes(
    model: Operator, optimiser: torch.optim.Optimizer, groups: Sequence[Sequence[Trajectory]]
) -> None:
    """One update by whole episodes: every act of an episode that was paid more than the rest of its group becomes likelier.

    Each group: episodes of one task that the model has played as it is. Those without a record do not count.
    """
    losses = []
    for group in groups:
        scored = [(each, each.record.total) for each in group if each.record is not None]
        if len({total for _, total in scored}) < 2:
            continue
        advantages = _advantages(torch.tensor([total for _, total in scored]))
        for (trajectory, _), advantage in zip(scored, advantages, strict=True):
            losses += [-advantage * chance / len(scored) for chance in chosen(model, trajectory)]
    if losses:
        _descend(optimiser, [torch.stack(losses).sum() / len(groups)])


def chosen(model: Operator, trajectory: Trajectory) -> list[Tensor]:
    """For each turn the log-probability of what was done."""
    messages: list[Message] = []
    chances = []
    for n, turn in enumerate(trajectory.turns):
        messages += turn.observation.messages
        scene = model.scene(messages)
        done = [k for k, step in enumerate(scene.steps) if said(step, n) == turn.action]
        chances.append(torch.logsumexp(torch.log_softmax(model(scene), 0)[done], 0))
        messages.append(turn.action.message())
    return chances


def measure_steps(model: Operator, exercises: Sequence[Exercise]) -> list[float]:
    """For each exercise the chance that a sampled act is the oracle's."""
    with torch.no_grad():
        return [
            float(
                torch.softmax(model(each.scene), 0)[
                    [agrees(act_of(step, PHONE), each.right) for step in each.scene.steps]
                ].sum()
            )
            for each in exercises
        ]


def _advantages(paid: Tensor) -> Tensor:
    return (paid - paid.mean()) / (paid.std() + 1e-4)


def _descend(optimiser: torch.optim.Optimizer, losses: Sequence[Tensor]) -> None:
    optimiser.zero_grad()
    torch.stack(list(losses)).mean().backward()  # type: ignore[no-untyped-call]
    optimiser.step()
