"""Expert: whose episodes CHORD imitates beside its own policy's, and how. The losses are in `losses/auxiliary.py`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import torch
from torch import Tensor

from agentgym.envspec import EnvSpec
from agentgym.errors import UsageError
from agentgym.policies.codec import Codec
from agentgym.row import Row
from agentgym.seeds import derive_seed
from agentgym.trainers.layout import trained_rows
from agentgym.trainers.losses.auxiliary import FORMS, Form
from agentgym.trainers.names import choose
from agentgym.trainers.sft import taught_rows
from agentgym.types import Trajectory


@dataclass(slots=True, frozen=True)
class Imitation:
    """form: the weight of a token. batch: rows of the expert a part of a step. mu: the loss's weight; None: that of the
    controller `chord_mu`."""

    form: Form = "phi"
    mu: float | None = None
    batch: int = 8

    def __post_init__(self) -> None:
        if self.form not in FORMS:
            raise UsageError(f"no form {self.form!r}: there are {', '.join(FORMS)}")
        if self.mu is not None and not 0 <= self.mu <= 1:
            raise UsageError(f"chord's mu is a share, from 0 to 1, not {self.mu}")
        if self.batch < 1:
            raise UsageError("chord needs at least one row of the expert in a step")


def imitation(**options: Any) -> Imitation:
    """Raises UsageError for an option that there is not."""
    return choose("auxiliary loss", {"chord": Imitation}, "chord", options)()


class Expert:
    """The rows of an expert's episodes: those of a policy with tokens as they are, scripted ones as the model would say
    them. Raises UsageError if there are none."""

    def __init__(self, episodes: Sequence[Trajectory], codec: Codec, spec: EnvSpec, seed: int = 0) -> None:
        self.rows: list[Row] = []
        for episode in episodes:
            sampled = all(turn.action.sample is not None for turn in episode.turns)
            self.rows += trained_rows(episode) if sampled else taught_rows([episode], codec, spec)
        if not self.rows:
            raise UsageError("chord needs `expert`, scored episodes to imitate: none were given")
        self._pad, self._seed = int(codec.tokenizer.pad_token_id or 0), seed

    def draw(self, count: int, *when: int) -> tuple[Tensor, Tensor, Tensor]:
        """Ids, which of them are there, and which the expert said, each (rows, ids); the same `when`, the same rows."""
        rows = Random(derive_seed("expert", self._seed, *when)).sample(self.rows, min(count, len(self.rows)))
        width = max(len(row.ids) for row in rows)
        pads = [width - len(row.ids) for row in rows]
        both = list(zip(rows, pads, strict=True))
        ids = torch.tensor([row.ids + [self._pad] * pad for row, pad in both])
        there = torch.tensor([[1] * len(row.ids) + [0] * pad for row, pad in both])
        return ids, there, torch.tensor([row.mask + [0] * pad for row, pad in both])
