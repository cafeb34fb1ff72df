"""Operator: a small model that weighs the acts of a Moment, and the policy of `gui/tasks-v0` that samples from what it says."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from zlib import crc32

import torch
from torch import Tensor, nn

from agentgym.envs.gui.learning.moments import PHONE, Moment, seen, unseen
from agentgym.envs.gui.learning.pointer import drawn
from agentgym.envs.gui.tasks.form import write
from agentgym.envs.gui.tasks.steps import Step, arguments
from agentgym.policy import Context
from agentgym.types import Action, Message, ToolCall

PAIRS = 2**18
"""Buckets that pairs of symbols are hashed into."""


@dataclass(slots=True, frozen=True)
class Scene:
    """steps: what can be done. pairs, starts: the buckets of all of them, (m,), and where each one's begin, (n,)."""

    steps: tuple[Step, ...]
    pairs: Tensor
    starts: Tensor


class Operator(nn.Module):
    """A conditional logit over acts: each pair of a symbol of the act and one of the moment has a weight, which begins at 0.

    Reading and segmenting the picture is not learned; what to do about what was read and seen, and what looks mean, is.
    """

    look: Callable[[Sequence[Message]], Moment] = staticmethod(seen)

    def __init__(self) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.zeros(PAIRS))

    def scene(self, messages: Sequence[Message]) -> Scene:
        """What it weighs when it is its turn in a conversation."""
        moment = self.look(messages)
        pairs = [
            [crc32(f"{act} | {at}".encode()) % PAIRS for act, at in moment.pairs(choice)] for choice in moment.choices
        ]
        starts = [0]
        for each in pairs[:-1]:
            starts.append(starts[-1] + len(each))
        flat = torch.tensor([pair for each in pairs for pair in each])
        return Scene(tuple(choice.step for choice in moment.choices), flat, torch.tensor(starts))

    def forward(self, scene: Scene) -> Tensor:
        """The logits of all acts, (n,)."""
        bags = nn.functional.embedding_bag(scene.pairs, self.weights[:, None], scene.starts, mode="sum")
        return bags[:, 0]


class BlindOperator(Operator):
    """The baseline that does not look at the picture."""

    look = staticmethod(unseen)


class OperatorPolicy:
    """Plays `gui/tasks-v0` on the phone, in pixels. temperature 0: the likeliest act."""

    privileged = False

    def __init__(self, model: Operator, name: str = "operator", temperature: float = 1.0) -> None:
        self.name, self._model, self._temperature = name, model, temperature

    async def act(self, context: Context, n: int = 1) -> list[Action]:
        scene = self._model.scene(context.messages)
        with torch.no_grad():
            logits = self._model(scene)
        chosen = drawn(logits, n, context.seed, self._temperature)
        return [said(scene.steps[each], context.turn) for each in chosen]


def said(step: Step, turn: int) -> Action:
    """The step as a message of the agent's."""
    call = ToolCall(f"call_{turn}", PHONE.tool, json.dumps(arguments(step, PHONE, "pixel")))
    return Action(write("What is next?", step.why), (call,))


__all__ = ["BlindOperator", "Operator", "OperatorPolicy", "Scene", "said"]
