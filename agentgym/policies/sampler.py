"""Sampler: batches of token contexts in, sampled ids with exact log-probabilities out. Knows no messages or tools.

An own loop over Hugging Face's key-value cache, because agents call a model many times with a context that only
grows: the cache of a context is kept between calls (up to `cache_bytes`) and equal prompts of one batch are computed
once.  Torch is imported when a Sampler is made.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any


@dataclass(slots=True, frozen=True)
class Request:
    """`ids` is the whole context, of which an earlier call knew the first `seen`.

    `seed` alone decides the sampling, whatever else is in the batch (up to the last bits of floating point).
    """

    ids: tuple[int, ...]
    seed: int
    seen: int = 0


@dataclass(slots=True)
class Generation:
    """What was sampled, the stop id included; `logprobs` are natural logs at temperature 1. `stopped`: by a stop id."""

    ids: list[int]
    logprobs: list[float]
    stopped: bool


class Sampler:
    """`generate` blocks; call it from one thread at a time, and `forget` after the model's weights have changed.

    temperature: 0 is greedy; the log-probabilities are at temperature 1 in any case.
    """

    def __init__(
        self,
        model: Any,
        stop_ids: frozenset[int],
        *,
        max_new_tokens: int = 256,
        temperature: float = 1.0,
        cache_bytes: int = 1 << 28,
    ) -> None:
        import torch

        self._torch = torch
        self.model = model
        self._stop_ids = stop_ids
        self._max_new = max_new_tokens
        self._temperature = temperature
        self._cache_bytes = cache_bytes
        self._kept: OrderedDict[tuple[int, ...], list[tuple[Any, Any]]] = OrderedDict()
        self._kept_bytes = 0

    def forget(self) -> None:
        """Drop every kept cache."""
        self._kept.clear()
        self._kept_bytes = 0

    def generate(self, requests: Sequence[Request]) -> list[Generation]:
        """One generation a request, in order."""
        pasts = [self._kept.get(_fed(request.ids[: request.seen])) for request in requests]
        results: dict[int, Generation] = {}
        training = self.model.training
        self.model.eval()
        try:
            with self._torch.inference_mode():
                for continued in (False, True):
                    members = [i for i, past in enumerate(pasts) if (past is not None) == continued]
                    if members:
                        batch = _Batch(self, [requests[i] for i in members], [pasts[i] for i in members])
                        results.update(zip(members, batch.run(), strict=True))
        finally:
            self.model.train(training)
        return [results[i] for i in range(len(requests))]

    def _keep(self, ids: tuple[int, ...], layers: list[tuple[Any, Any]]) -> None:
        if ids in self._kept:
            return
        self._kept[ids] = layers
        self._kept_bytes += _size(layers)
        while self._kept_bytes > self._cache_bytes:
            self._kept_bytes -= _size(self._kept.popitem(last=False)[1])

    def choose(self, logits: Any, randoms: list[Random]) -> tuple[Any, Any]:
        """Ids and their log-probabilities, from one uniform number a row."""
        torch = self._torch
        logprobs = torch.log_softmax(logits.float(), -1)
        if self._temperature == 0:
            ids = logprobs.argmax(-1)
        else:
            cdf = torch.softmax(logits.double() / self._temperature, -1).cumsum(-1)
            uniform = torch.tensor([[random.random()] for random in randoms], dtype=cdf.dtype, device=cdf.device)
            ids = torch.searchsorted(cdf, uniform * cdf[:, -1:], right=True).clamp(max=cdf.shape[-1] - 1)[:, 0]
        return ids, logprobs.gather(-1, ids[:, None])[:, 0]


class _Batch:
    """One run: rows are padded on the left, kept caches and new ids each; positions and masks skip the padding."""

    def __init__(self, sampler: Sampler, requests: list[Request], pasts: list[Any]) -> None:
        from transformers import DynamicCache

        self.sampler = sampler
        self.torch = sampler._torch
        self.device = sampler.model.device
        self.requests = requests
        self.pasts = pasts
        self.known = [0 if past is None else past[0][0].shape[1] for past in pasts]
        self.cache: Any = DynamicCache()
        self.out: list[Generation] = [Generation([], [], False) for _ in requests]
        self.randoms = [Random(request.seed) for request in requests]

    def run(self) -> list[Generation]:
        logits, mask, lengths = self._prefill()
        torch, stops = self.torch, self.sampler._stop_ids
        for step in range(self.sampler._max_new):
            ids, logprobs = self.sampler.choose(logits, self.randoms)
            for out, id, logprob in zip(self.out, ids.tolist(), logprobs.tolist(), strict=True):
                if not out.stopped:
                    out.ids.append(id)
                    out.logprobs.append(logprob)
                    out.stopped = id in stops
            if all(out.stopped for out in self.out) or step + 1 == self.sampler._max_new:
                break
            mask = torch.cat([mask, mask.new_ones((len(self.out), 1))], 1)
            logits = self._forward(ids[:, None], mask, (lengths + step)[:, None])
        self._store(mask)
        return self.out

    def _forward(self, ids: Any, mask: Any, positions: Any) -> Any:
        answer = self.sampler.model(
            input_ids=ids,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=self.cache,
            use_cache=True,
            logits_to_keep=1,
        )
        return answer.logits[:, -1]

    def _prefill(self) -> tuple[Any, Any, Any]:
        """Fill the cache with every row's context; equal contexts of a batch are computed once."""
        torch = self.torch
        first: dict[tuple[int, ...], int] = {}
        for request in self.requests:
            first.setdefault(request.ids, len(first))
        spread = [first[request.ids] for request in self.requests]
        chosen = [spread.index(i) for i in range(len(first))]
        news = [self.requests[i].ids[self.known[i] :] for i in chosen]
        old, new = max(self.known), max(map(len, news))
        past_mask = torch.zeros(len(chosen), old, dtype=torch.long)
        ids = torch.zeros(len(chosen), new, dtype=torch.long)
        mask, positions = torch.zeros_like(ids), torch.zeros_like(ids)
        for row, (i, fresh) in enumerate(zip(chosen, news, strict=True)):
            past_mask[row, old - self.known[i] :] = 1
            ids[row, new - len(fresh) :] = torch.tensor(fresh)
            mask[row, new - len(fresh) :] = 1
            positions[row, new - len(fresh) :] = torch.arange(len(fresh)) + self.known[i]
        if old:
            self._load([self.pasts[i] for i in chosen], old)
        whole = torch.cat([past_mask, mask], 1).to(self.device)
        logits = self._forward(ids.to(self.device), whole, positions.to(self.device))
        if len(chosen) < len(spread):
            index = torch.tensor(spread, device=self.device)
            self.cache.batch_select_indices(index)
            logits, whole = logits[index], whole[index]
        return logits, whole, torch.tensor([len(r.ids) for r in self.requests], device=self.device)

    def _load(self, rows: list[Any], width: int) -> None:
        pad = self.torch.nn.functional.pad
        for layer in range(len(rows[0])):
            keys, values = (
                self.torch.stack([pad(row[layer][part], (0, 0, width - row[layer][part].shape[1], 0)) for row in rows])
                for part in (0, 1)
            )
            self.cache.update(keys, values, layer)

    def _store(self, mask: Any) -> None:
        """Keep each row's cache: its context and all it sampled but the last id, which was never fed."""
        if not self.sampler._cache_bytes:
            return
        size = self.cache.get_seq_length()
        for row, request in enumerate(self.requests):
            context = _fed((*request.ids, *self.out[row].ids))
            used = mask[row, :size].nonzero()[: len(context), 0]
            layers = [(layer.keys[row][:, used], layer.values[row][:, used]) for layer in self.cache.layers]
            self.sampler._keep(context, layers)


def _fed(context: tuple[int, ...]) -> tuple[int, ...]:
    """The part of a context that is in the cache after a call: the last id was sampled and never fed."""
    return context[:-1]


def _size(layers: list[tuple[Any, Any]]) -> int:
    return sum(2 * keys.numel() * keys.element_size() for keys, _ in layers)
