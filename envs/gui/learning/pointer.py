"""Pointer: a small model that weighs proposals, and the policy of `gui/grounding-v0` that samples from what it says."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from agentgym.envs.gui.learning.glyphs import Sight
from agentgym.envs.gui.learning.proposals import FEATURES, FIT, WORDS, Proposals, propose, unseen
from agentgym.policy import Context
from agentgym.types import Action, Blob, ToolCall

TRUST = 8.0
"""What a perfect fit of the words is worth at first, in logits: an untrained Pointer goes where it reads what was said."""
_PROMPT = re.compile(r"Places on it are [^\n]*\n\n(.*?)\n\n", re.S)


class Pointer(nn.Module):
    """Weighs what was seen of a place by weights that the instruction's words add up to: a conditional logit model, 20,500 weights.

    Reading and segmenting the picture is not learned; which of what was read and seen is meant, and how sure that is, is.
    `drop`: of the words, while it is taught by example.
    """

    drop = 0.3

    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            self.words = nn.EmbeddingBag(WORDS, FEATURES, mode="sum")
        self.always = nn.Parameter(torch.zeros(FEATURES))
        nn.init.zeros_(self.words.weight)
        with torch.no_grad():
            self.always[FIT] = TRUST

    def forward(self, proposals: Proposals) -> Tensor:
        """The logits of all proposals of one instruction, (n,)."""
        words = proposals.words
        if self.training:
            words = words[torch.rand(len(words)) > self.drop]
        weights = self.always + self.words(words[None])[0] if len(words) else self.always
        return proposals.features @ weights

    def look(self, png: bytes, instruction: str) -> Proposals:
        """The proposals that it weighs."""
        return propose(Sight(png), instruction)


class BlindPointer(Pointer):
    """The baseline that does not look at the picture: what words and places alone are worth."""

    def __init__(self, seed: int = 0, width: int = 64) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.embedded = nn.EmbeddingBag(WORDS, 16, mode="mean")
            self.layers = nn.Sequential(nn.Linear(16 + FEATURES, width), nn.ReLU(), nn.Linear(width, 1))

    def forward(self, proposals: Proposals) -> Tensor:
        words = self.embedded(proposals.words[None]).expand(len(proposals.features), -1)
        logits: Tensor = self.layers(torch.cat([words, proposals.features], dim=1))[:, 0]
        return logits

    def look(self, png: bytes, instruction: str) -> Proposals:
        sight = Sight(png)
        return unseen((round(sight.size[0] / sight.scale), round(sight.size[1] / sight.scale)), instruction)


class PointerPolicy:
    """Plays `gui/grounding-v0` with coordinates in pixels. temperature 0: the likeliest place."""

    privileged = False

    def __init__(self, model: Pointer, name: str = "pointer", temperature: float = 0.0) -> None:
        self.name, self._model, self._temperature = name, model, temperature

    async def act(self, context: Context, n: int = 1) -> list[Action]:
        message = context.messages[0]
        png = next(part.data for part in message.content if isinstance(part, Blob))
        found = _PROMPT.search(message.text)
        proposals = self._model.look(png, found[1] if found else message.text)
        with torch.no_grad():
            logits = self._model(proposals)
        chosen = drawn(logits, n, context.seed, self._temperature)
        return [_click(proposals.points[each].tolist(), context.turn) for each in chosen]


def drawn(logits: Tensor, n: int, seed: int, temperature: float) -> Sequence[int]:
    """`n` places by their logits; the likeliest `n` times at temperature 0."""
    if temperature == 0:
        return [int(logits.argmax())] * n
    chance = torch.softmax(logits / temperature, 0)
    picked = torch.multinomial(chance, n, True, generator=torch.Generator().manual_seed(seed % 2**63))
    return [int(each) for each in picked]


def _click(point: list[float], turn: int) -> Action:
    return Action("", (ToolCall(f"call_{turn}", "click", json.dumps({"x": point[0], "y": point[1]})),))


__all__ = ["BlindPointer", "Pointer", "PointerPolicy", "drawn"]
