"""Critic: a value model of its own, V of the state before each token. How it is used is `ppo`'s business.

A copy of the policy's decoder as it is at the start, with one linear map to a number.  The policy's own gradient never
meets the critic's: so the critic can be taught ahead of the policy (VC-PPO), be kept frozen (DVPO), or be as large as a
policy that learns an adapter only.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from agentgym.errors import UsageError

FILE = "critic.safetensors"


class Critic(nn.Module):
    """`forward(ids, mask, last)`: V before each of the last `last` ids, (sequences, last); untrained it says 0."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        base = model.get_base_model() if hasattr(model, "get_base_model") else model
        self.decoder = copy.deepcopy(base.get_decoder())
        self.decoder.requires_grad_(True)
        width = base.get_input_embeddings().weight.shape[1]
        device, dtype = base.device, self.decoder.get_input_embeddings().weight.dtype
        self.head = nn.Linear(width, 1, device=device, dtype=dtype)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, ids: Tensor, mask: Tensor, last: int) -> Tensor:
        hidden = self.decoder(input_ids=ids, attention_mask=mask).last_hidden_state
        values: Tensor = self.head(hidden[:, -last - 1 : -1]).squeeze(-1).float()
        return values

    def save(self, folder: Path) -> None:
        """Write it beside the policy's weights."""
        save_file({name: value.detach().contiguous() for name, value in self.state_dict().items()}, folder / FILE)

    def load(self, folder: Path) -> None:
        """Take the weights that `save` wrote. Raises UsageError if there are none, or those of another model."""
        file = folder / FILE
        if not file.is_file():
            raise UsageError(f"{folder} holds no critic ({FILE}): it is not a checkpoint of PPO")
        found, own = load_file(file), self.state_dict()
        if {n: v.shape for n, v in found.items()} != {n: v.shape for n, v in own.items()}:
            raise UsageError(f"{file} is the critic of another model")
        self.load_state_dict(found)
