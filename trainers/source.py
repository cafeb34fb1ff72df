"""Source: the policy that rollouts come from, in this process or behind a server, with weights as new as they must be.

A server is given the trained weights before a batch if its own are more than `max_staleness` optimiser steps old, so
that 0 is on-policy.  What is sampled says which weights it came from; what turns out older than allowed, or was sampled
while the server lost its weights, is masked and counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from logging import getLogger
from pathlib import Path
from typing import Any, Protocol

from agentgym.errors import PolicyError, UsageError
from agentgym.policies.codec import Codec
from agentgym.policies.completions import CompletionsPolicy
from agentgym.policies.local import LocalPolicy
from agentgym.policies.watch import Watch
from agentgym.policy import Context
from agentgym.trainers.names import choose
from agentgym.trainers.ranks import Ranks
from agentgym.trainers.staleness import bounded, masked
from agentgym.trainers.weights import AdapterServer, InProcess, ReloadingServer, WeightSync
from agentgym.types import Action, Trajectory


class SampledPolicy(Protocol):
    """A Policy whose actions carry tokens with log-probabilities at temperature 1, and the `policy_version` that it is
    told; `sampling` says for how long it sampled."""

    name: str
    privileged: bool
    policy_version: int
    sampling: Watch

    async def act(self, context: Context, n: int = 1) -> list[Action]: ...


@dataclass(slots=True, frozen=True)
class Server:
    """A vLLM server. url: without /v1. model: as it is served; with `adapter`, the name that a trained adapter gets there.
    folder: where weights are put, seen by the server under the same path. wait_s: how long it may be away between
    batches. max_retries, timeout_s: of a request; while it is retried the server may start again."""

    url: str
    model: str
    folder: str
    adapter: bool = False
    wait_s: float = 300.0
    max_retries: int = 5
    timeout_s: float = 300.0
    api_key: str = "none"

    def policy(self, codec: Codec, max_new_tokens: int, max_context: int | None) -> CompletionsPolicy:
        return CompletionsPolicy(
            self.model,
            codec,
            base_url=f"{self.url.rstrip('/')}/v1",
            api_key=self.api_key,
            max_new_tokens=max_new_tokens,
            max_context=max_context,
            timeout_s=self.timeout_s,
            max_retries=self.max_retries,
        )

    def weights(self) -> WeightSync:
        folder = Path(self.folder)
        if self.adapter:
            return AdapterServer(self.url, folder, self.model, wait_s=self.wait_s)
        return ReloadingServer(self.url, folder, wait_s=self.wait_s)


def server(options: Mapping[str, Any]) -> Server:
    """Raises UsageError for an option that there is not, or that is missing."""
    return choose("server", {"vllm": Server}, "vllm", options)()


def source_of(
    args: Any, codec: Codec, model: Any, ranks: Ranks, policy: SampledPolicy | None, weights: WeightSync | None
) -> Source:
    """What `args`, an AgentGRPOConfig, say: `policy` and its weights as given, a server, or else `model` itself.

    Raises UsageError for one of the two alone, and for a temperature at which nothing elsewhere samples.
    """
    if (policy is None) != (weights is None):
        raise UsageError("a policy elsewhere needs `policy` and `weights`, which brings it what was trained: give both")
    if policy is None and args.server is not None:
        made = server(args.server)
        policy, weights = made.policy(codec, args.max_new_tokens, args.max_context), made.weights()
    if policy is None or weights is None:
        policy = LocalPolicy(
            model,
            codec,
            temperature=args.temperature,
            max_new_tokens=args.max_new_tokens,
            max_context=args.max_context,
            max_batch=max(args.concurrency, 1),
            cache_bytes=args.cache_bytes,
        )
        weights = InProcess(policy)
    elif args.temperature != 1.0:
        raise UsageError("a policy elsewhere samples at temperature 1, which its log-probabilities are at: unset it")
    return Source(policy, weights, ranks, args.max_staleness)


class Source:
    """`policy` and its weights. Raises PolicyError where a server is lost between batches."""

    def __init__(self, policy: SampledPolicy, weights: WeightSync, ranks: Ranks, max_staleness: int = 0) -> None:
        self.policy = policy
        self.elsewhere = not isinstance(weights, InProcess)
        if max_staleness and not self.elsewhere:
            raise UsageError("max_staleness is for a server's weights: those of this process are always the newest")
        self._weights, self._ranks, self._most = weights, ranks, max_staleness
        self._pushed: int | None = None

    def prepare(self, model: Any, step: int) -> None:
        """See to it that the policy's weights are new enough to sample what step `step` trains on."""
        if self._pushed is not None and 0 <= step - self._pushed <= self._most:
            return
        if self.elsewhere:
            self._ranks.first(lambda: self._weights.push(model, step))
        else:
            self._weights.push(model, step)
        self._pushed = self.policy.policy_version = step

    def checked(self, played: Sequence[Trajectory], step: int) -> tuple[list[Trajectory], dict[str, float]]:
        """What may be trained on; `bounded` says what is counted."""
        if not self.elsewhere:
            return bounded(played, step, self._most)
        lost = self._ranks.all(lambda: [self._held() != self._pushed])[0]
        if lost:
            getLogger(__name__).warning(
                "step %d: the server lost its weights during the batch, which is not used", step
            )
            self._pushed = None
            played = [masked(each, "the server lost its weights during the batch") for each in played]
        kept, numbers = bounded(played, step, self._most)
        return kept, {**numbers, "stale": 1.0} if lost else numbers

    def _held(self) -> int | None:
        """The version that the server says it has; a server that is away has none."""
        try:
            return self._weights.version()
        except PolicyError:
            return None
