"""A small model of tactics: which template a goal wants, and which names in its slots. Nothing of Coq, nothing of search.

A bag of the goal's features goes through one hidden layer to a distribution over templates; a second small network scores
every name in reach for every slot.  The probability of a tactic is the product.  Trains on one core in about a minute.
Needs torch (the extra `train`).
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from agentgym.envs.prover.learning.features import NUMBERS, View
from agentgym.envs.prover.learning.templates import MOST_SLOTS, fill, slots

_HIDDEN, _SMALL = 96, 24


@dataclass(slots=True, frozen=True)
class Example:
    """One tactic in one state: its template, and which of the view's names are in its slots."""

    view: View
    template: str
    names: tuple[str, ...]


@dataclass(slots=True, frozen=True)
class FitConfig:
    epochs: int = 12
    batch_size: int = 64
    lr: float = 2e-3
    weight_decay: float = 0.02
    dropout: float = 0.3


class _Encoded(NamedTuple):
    """An example as numbers. `rows` (names, NUMBERS) and `heads` (names) are those of its view."""

    features: list[int]
    template: int
    places: list[int]
    rows: Tensor
    heads: Tensor


class Vocabulary:
    """What a model knows by name: templates of several theorems, features and head symbols seen a few times."""

    def __init__(self, examples: Iterable[tuple[str, Example]], extra: Sequence[str] = (), least: int = 2) -> None:
        """`examples`: with the theorem of each; `extra`: templates that are known besides."""
        theorems: dict[str, set[str]] = defaultdict(set)
        features: Counter[str] = Counter()
        heads: Counter[str] = Counter()
        for theorem, example in examples:
            theorems[example.template].add(theorem)
            features.update(example.view.features)
            heads.update(set(example.view.heads))
        usual = [template for template, seen in theorems.items() if len(seen) >= least]
        self.templates = list(dict.fromkeys((*usual, *extra)))
        self.template_ids = {template: number for number, template in enumerate(self.templates)}
        self.slots = [slots(template) for template in self.templates]
        self.features = {name: number + 1 for number, name in enumerate(k for k, n in features.items() if n > least)}
        self.heads = {name: number + 1 for number, name in enumerate(k for k, n in heads.items() if n > least)}


class TacticModel(nn.Module):
    """Weights over a vocabulary; made from a seed. Distributions are over templates, then over names for each slot."""

    def __init__(self, vocabulary: Vocabulary, seed: int, dropout: float = 0.3) -> None:
        super().__init__()
        self.vocabulary = vocabulary
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.bag = nn.EmbeddingBag(len(vocabulary.features) + 1, _HIDDEN, mode="mean", padding_idx=0)
            self.hidden = nn.Sequential(
                nn.Dropout(dropout), nn.Linear(_HIDDEN, _HIDDEN), nn.ReLU(), nn.Dropout(dropout)
            )
            self.template = nn.Linear(_HIDDEN, len(vocabulary.templates))
            self.of_slot = nn.Embedding(len(vocabulary.templates) * MOST_SLOTS, _SMALL)
            self.of_head = nn.Embedding(len(vocabulary.heads) + 1, _SMALL)
            self.of_goal = nn.Linear(_HIDDEN, _SMALL)
            self.name = nn.Sequential(nn.Linear(NUMBERS + 3 * _SMALL, 48), nn.ReLU(), nn.Linear(48, 1))

    def encode(self, example: Example) -> _Encoded:
        """Raises KeyError or ValueError for what is not `usable`."""
        view, words = example.view, self.vocabulary
        places = [view.names.index(name) for name in example.names]
        return _Encoded(self._features(view), words.template_ids[example.template], places, *self._names(view))

    def log_likelihoods(self, batch: Sequence[_Encoded]) -> Tensor:
        """The natural log of each example's probability."""
        goals = self._bags([each.features for each in batch])
        ids = torch.tensor([each.template for each in batch])
        logs: Tensor = self.template(goals).log_softmax(-1)[torch.arange(len(batch)), ids]
        asked = [(at, slot) for at, each in enumerate(batch) for slot in range(len(each.places))]
        if not asked:
            return logs
        of = torch.tensor([at for at, _ in asked])
        rows = pad_sequence([batch[at].rows for at, _ in asked], batch_first=True)
        heads = pad_sequence([batch[at].heads for at, _ in asked], batch_first=True, padding_value=-1)
        slot = ids[of] * MOST_SLOTS + torch.tensor([slot for _, slot in asked])
        scores = self._scores(rows, heads, slot, goals[of])
        places = torch.tensor([batch[at].places[slot] for at, slot in asked])
        total: Tensor = logs.index_add(0, of, scores[torch.arange(len(asked)), places])
        return total

    def logprobs(self, examples: Sequence[Example]) -> list[float]:
        """The natural log of each example's probability."""
        self.eval()
        with torch.no_grad():
            encoded = [self.encode(example) for example in examples]
            batches = [encoded[start : start + 256] for start in range(0, len(encoded), 256)]
            return [value for batch in batches for value in self.log_likelihoods(batch).tolist()]

    def propose(self, view: View, width: int, templates: int = 32, choices: int = 4) -> list[tuple[str, float, int]]:
        """The `width` likeliest tactics: text, log-probability, and how many choices that is the sum over.

        Looked for among the likeliest `templates` and, for each slot, the likeliest `choices` names.
        """
        self.eval()
        with torch.no_grad():
            goal = self._bags([self._features(view)])[0]
            scores, best = self.template(goal).log_softmax(-1).topk(min(templates, len(self.vocabulary.templates)))
            chosen = [(int(id), float(score)) for id, score in zip(best, scores, strict=True)]
            wanted = [(id, slot) for id, _ in chosen for slot in range(self.vocabulary.slots[id])]
            by_slot = self._best_names(view, goal, wanted, choices)
        found = []
        for id, score in chosen:
            fillings: list[tuple[tuple[str, ...], float]] = [((), score)]
            for slot in range(self.vocabulary.slots[id]):
                more = by_slot.get((id, slot), [])
                fillings = [((*names, name), sum_ + each) for names, sum_ in fillings for name, each in more]
            text = self.vocabulary.templates[id]
            found += [(fill(text, names), total, 1 + len(names)) for names, total in fillings]
        return sorted(found, key=lambda each: -each[1])[:width]

    def _best_names(
        self, view: View, goal: Tensor, wanted: list[tuple[int, int]], choices: int
    ) -> dict[tuple[int, int], list[tuple[str, float]]]:
        if not wanted or not view.names:
            return {}
        rows, heads = self._names(view)
        slot = torch.tensor([template * MOST_SLOTS + number for template, number in wanted])
        many = len(wanted)
        scores = self._scores(rows.expand(many, -1, -1), heads.expand(many, -1), slot, goal.expand(many, -1))
        scores, best = scores.topk(min(choices, len(view.names)))
        ranked = zip(wanted, best.tolist(), scores.tolist(), strict=True)
        return {slot: [(view.names[i], s) for i, s in zip(ids, ss, strict=True)] for slot, ids, ss in ranked}

    def _features(self, view: View) -> list[int]:
        return [id for name in view.features if (id := self.vocabulary.features.get(name))] or [0]

    def _names(self, view: View) -> tuple[Tensor, Tensor]:
        """(names, NUMBERS) and the ids of their heads (names)."""
        heads = [self.vocabulary.heads.get(each, 0) for each in view.heads]
        return torch.tensor(view.rows).reshape(-1, NUMBERS), torch.tensor(heads, dtype=torch.long)

    def _bags(self, features: Sequence[list[int]]) -> Tensor:
        """(goals, hidden)."""
        offsets = torch.tensor([0, *(len(each) for each in features)][:-1]).cumsum(0)
        hidden: Tensor = self.hidden(self.bag(torch.tensor([id for each in features for id in each]), offsets))
        return hidden

    def _scores(self, rows: Tensor, heads: Tensor, slots: Tensor, goals: Tensor) -> Tensor:
        """Log-probabilities (asked, names) from rows (asked, names, NUMBERS), heads, slots and goals; head -1 is padding."""
        shape = (len(slots), rows.shape[1], -1)
        of_slot, of_goal = self.of_slot(slots)[:, None].expand(shape), self.of_goal(goals)[:, None].expand(shape)
        logits: Tensor = self.name(torch.cat((rows, self.of_head(heads.clamp(min=0)), of_slot, of_goal), -1)).squeeze(
            -1
        )
        scores: Tensor = logits.masked_fill(heads < 0, -torch.inf).log_softmax(-1)
        return scores


def usable(example: Example, vocabulary: Vocabulary) -> bool:
    """Whether a model over `vocabulary` can say this tactic at all."""
    return example.template in vocabulary.template_ids and set(example.names) <= set(example.view.names)


def fit(model: TacticModel, examples: Sequence[Example], config: FitConfig, seed: int) -> float:
    """Train in place with AdamW; the mean loss of the last epoch. Deterministic for a seed on one thread."""
    encoded = [model.encode(example) for example in examples]
    order = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.AdamW(model.parameters(), lr=config.lr, weight_decay=config.weight_decay)
    steps = config.epochs * math.ceil(len(examples) / config.batch_size)
    schedule: Any = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: max(0.05, 1 - step / max(1, steps)))
    last = 0.0
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for _ in range(config.epochs):
            model.train()
            last = 0.0
            places = torch.randperm(len(examples), generator=order).tolist()
            for start in range(0, len(places), config.batch_size):
                batch = [encoded[place] for place in places[start : start + config.batch_size]]
                loss: Any = -model.log_likelihoods(batch).mean()
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                schedule.step()
                last += float(loss.detach()) * len(batch) / len(examples)
    return last
