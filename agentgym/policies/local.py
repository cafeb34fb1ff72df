"""LocalPolicy: a Hugging Face model in this process. Calls that arrive together are sampled as one batch.

Sampling runs in a worker thread, so the event loop goes on; its seed is the context's, so an action does not depend
on what else is in the batch.  Not here: text and calls (`codec`), the token loop (`sampler`), training (`trainers`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from agentgym.errors import LimitExceeded, PolicyError
from agentgym.policies.codec import Codec
from agentgym.policies.sampler import Generation, Request, Sampler
from agentgym.policies.watch import Watch
from agentgym.policy import Context
from agentgym.seeds import derive_seed
from agentgym.types import Action, Sample


@dataclass(slots=True)
class _Waiting:
    request: Request
    future: asyncio.Future[Generation]


class LocalPolicy:
    """Every action carries its Sample: exact ids, log-probabilities at temperature 1, and `policy_version`.

    temperature: 0 is greedy. max_new_tokens: a message cut there is played as it is, with finish "length".
    max_context: ids that prompt and answer may take (default: what the model's config allows).
    gather_s: how long calls wait for company once no new one has come; max_batch bounds a batch.
    sampling: a watch of the time in which the model samples.
    """

    privileged = False

    def __init__(
        self,
        model: Any,
        codec: Codec,
        *,
        name: str = "local",
        temperature: float = 1.0,
        max_new_tokens: int = 256,
        max_context: int | None = None,
        max_batch: int = 64,
        gather_s: float = 0.003,
        cache_bytes: int = 1 << 28,
    ) -> None:
        self.name = name
        self.codec = codec
        self.policy_version = 0
        self.sampling = Watch()
        self.temperature = temperature
        self._max_new = max_new_tokens
        self._max_context = max_context or getattr(model.config, "max_position_embeddings", None) or 1 << 20
        self._max_batch = max_batch
        self._gather_s = gather_s
        self._sampler = Sampler(
            model, codec.stop_ids, max_new_tokens=max_new_tokens, temperature=temperature, cache_bytes=cache_bytes
        )
        self._waiting: list[_Waiting] = []
        self._worker: asyncio.Task[None] | None = None

    def updated(self) -> None:
        """Say that the model's weights have changed: the next actions carry the next `policy_version`."""
        self.policy_version += 1
        self._sampler.forget()

    async def act(self, context: Context, n: int = 1) -> list[Action]:
        """Raises LimitExceeded("context") if prompt and answer may not fit, PolicyError if sampling failed."""
        keep, prompt_ids = self.codec.prompt(context)
        ids = (*context.tokens[:keep], *prompt_ids)
        limit = min(context.token_limit or self._max_context, self._max_context)
        if len(ids) + self._max_new > limit:
            raise LimitExceeded("context", f"{len(ids)} ids and {self._max_new} new ones do not fit {limit}")
        seeds = [derive_seed("sampler", context.seed, index) for index in range(n)]
        made = await asyncio.gather(*(self._sample(Request(ids, seed, keep)) for seed in seeds))
        return [self._action(context, keep, prompt_ids, generation) for generation in made]

    def _action(self, context: Context, keep: int, prompt_ids: Sequence[int], made: Generation) -> Action:
        text, calls = self.codec.parse(made.ids, context)
        for call in calls:
            call.id = f"turn{context.turn}_{call.id}"
        finish: Literal["stop", "length"] = "stop" if made.stopped else "length"
        sample = Sample(keep, list(prompt_ids), made.ids, made.logprobs, finish, self.policy_version, self.name)
        return Action(text, calls, "", sample)

    async def _sample(self, request: Request) -> Generation:
        future: asyncio.Future[Generation] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(request, future))
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._serve(), name="local-policy")
        return await future

    async def _serve(self) -> None:
        """Sample until nobody waits. Only one of these runs at a time."""
        while self._waiting:
            arrived = 0
            while arrived < len(self._waiting) < self._max_batch:
                arrived = len(self._waiting)
                await asyncio.sleep(self._gather_s)
            batch = [each for each in self._waiting[: self._max_batch] if not each.future.done()]
            del self._waiting[: self._max_batch]
            if batch:
                await self._answer(batch)

    async def _answer(self, batch: list[_Waiting]) -> None:
        try:
            with self.sampling:
                made = await asyncio.to_thread(self._sampler.generate, [each.request for each in batch])
        except asyncio.CancelledError:
            for each in batch:
                each.future.cancel()
            raise
        except Exception as error:
            for each in batch:
                if not each.future.done():
                    each.future.set_exception(PolicyError(f"{self.name} could not sample: {error!r}"))
            return
        for each, generation in zip(batch, made, strict=True):
            if not each.future.done():
                each.future.set_result(generation)
