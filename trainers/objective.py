"""Objective: a policy loss of ours on TRL's batches. Its sequences are trajectories, whatever their number of rows.

TRL shuffles lines and cuts them into the parts that a step learns from.  Here parts hold whole groups, so that losses
that compare sequences find them; a part's loss is weighed by its share of what the loss averages over, so that parts
add up to the loss of the whole batch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import torch
from torch import Tensor

from agentgym.errors import UsageError
from agentgym.trainers.episodes import record_of
from agentgym.trainers.layout import Layout
from agentgym.trainers.losses.batch import LossBatch
from agentgym.types import Trajectory

Unit = Literal["tokens", "sequences", "groups"]


def unit_of(name: str, options: Mapping[str, Any]) -> Unit:
    """What the loss called `name` averages over."""
    if name in ("disco", "drpo"):
        return "groups"
    if name == "gspo":
        return "sequences"
    return "tokens" if options.get("aggregation", "token_mean") == "token_mean" else "sequences"


def count(unit: Unit, inputs: Mapping[str, Any]) -> Tensor:
    """How many of them have anything to learn from, in a batch or a part of it."""
    tokens: Tensor = (inputs["completion_mask"] * inputs["tool_mask"]).sum(-1)
    if unit == "tokens":
        return tokens.sum()
    names = inputs["owners" if unit == "sequences" else "groups"]
    return torch.tensor(len(names[tokens > 0].unique()), device=tokens.device)


def refuse_few_groups(groups: Sequence[str], parts: int) -> None:
    """Raises UsageError where not every part of a batch gets a group of its own."""
    if (found := len(set(groups))) < parts:
        raise UsageError(
            f"a policy loss of ours needs whole groups in every part of a batch, and {found} groups do not make "
            f"{parts} parts: make per_device_train_batch_size a multiple of num_generations"
        )


def whole_groups(parts: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same lines in as many parts, each of whole groups, by what "groups" says of each line.

    Groups are dealt in the order that TRL's shuffling gave them.
    """
    found: dict[int, list[int]] = {}
    for place, group in enumerate(torch.cat([part["groups"] for part in parts]).tolist()):
        found.setdefault(group, []).append(place)
    names = list(found)
    places = [[place for name in names[index :: len(parts)] for place in found[name]] for index in range(len(parts))]
    made: list[dict[str, Any]] = [{} for _ in parts]
    for key, value in parts[0].items():
        per_line = isinstance(value, Tensor) and value.dim() > 0
        together = torch.cat([part[key] for part in parts]) if per_line else value
        for part, mine in zip(made, places, strict=True):
            part[key] = together[mine] if per_line else value
    return made


class Joined:
    """owners: the trajectory of each line. Lines of one trajectory become one sequence, in the order of `sequences`."""

    def __init__(self, owners: Sequence[int]) -> None:
        self.sequences = list(dict.fromkeys(owners))
        place = {owner: index for index, owner in enumerate(self.sequences)}
        taken = [0] * len(self.sequences)
        self._place, self._slot = [], []
        for owner in owners:
            self._place.append(place[owner])
            self._slot.append(taken[place[owner]])
            taken[place[owner]] += 1
        self._most = max(taken, default=1)

    def __call__(self, values: Tensor) -> Tensor:
        """(lines, tokens) to (sequences, most lines * tokens), 0 where a sequence has fewer."""
        made = values.new_zeros(len(self.sequences), self._most, values.size(-1))
        return made.index_put((torch.tensor(self._place), torch.tensor(self._slot)), values).flatten(1)


def loss_batch(lp: Tensor, inputs: Mapping[str, Any]) -> LossBatch:
    """From what each line of `inputs` says of its trajectory, group and outcome (`about_lines`)."""
    owners = inputs["owners"].tolist()
    joined = Joined(owners)
    firsts = [owners.index(sequence) for sequence in joined.sequences]
    old, reference = inputs.get("old_per_token_logps"), inputs.get("ref_per_token_logps")
    return LossBatch(
        lp=joined(lp),
        lp_old=joined(lp.detach() if old is None else old),
        advantages=joined(inputs["advantages"]),
        mask=joined(inputs["completion_mask"] * inputs["tool_mask"]),
        lp_ref=None if reference is None else joined(reference),
        groups=[str(group) for group in inputs["groups"][firsts].tolist()],
        rewards=inputs["outcomes"][firsts],
        across=inputs["across"][firsts] if "across" in inputs else None,
        weight=inputs["weight"][firsts] if "weight" in inputs else None,
    )


def about_lines(layout: Layout, batch: Sequence[Trajectory], device: Any) -> dict[str, Tensor]:
    """For each line: its trajectory and group, by number, and the verified outcome, 0 where there is none."""
    names = {name: index for index, name in enumerate(dict.fromkeys(each.group for each in batch))}
    owners = [line.trajectory for line in layout.own]
    outcomes = [(record.success if (record := record_of(batch[owner])) is not None else 0.0) for owner in owners]
    return {
        "owners": torch.tensor(owners, device=device),
        "groups": torch.tensor([names[batch[owner].group] for owner in owners], device=device),
        "outcomes": torch.tensor(outcomes, dtype=torch.float32, device=device),
    }


def whole(inputs: Mapping[str, Any]) -> tuple[Tensor, Tensor]:
    """Prompt and completion in one, and which of it is there."""
    return (
        torch.cat([inputs["prompt_ids"], inputs["completion_ids"]], dim=1),
        torch.cat([inputs["prompt_mask"], inputs["completion_mask"]], dim=1),
    )
