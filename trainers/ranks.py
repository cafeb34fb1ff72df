"""Ranks: the processes that train one model together, and what they tell each other. Launching them is torchrun's job.

Each rank plays its part of a batch's tasks and is then told all episodes of the others.  So statistics over groups, and
whatever else looks at a batch, are computed on every rank from the whole batch and agree; only the lines to learn from
are cut into parts, and a group may lie on both sides of a cut.  A single process is one rank, which tells nobody.
Torch is imported when there are several.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from agentgym.errors import AgentGymError, UsageError

if TYPE_CHECKING:
    from torch import Tensor, nn

T = TypeVar("T")
_WHOLE_MODELS = ("NO", "MULTI_CPU", "MULTI_GPU")


class Ranks:
    """`index` of `count`. Raises UsageError where a rank does not hold the whole model (FSDP, DeepSpeed ...)."""

    def __init__(self, index: int = 0, count: int = 1, kind: str = "NO") -> None:
        if kind not in _WHOLE_MODELS:
            raise UsageError(f"every rank samples from a whole model, which {kind} does not leave it: use plain DDP")
        self.index, self.count = index, count

    def mine(self, items: Sequence[T]) -> Sequence[T]:
        """This rank's part of what is to be done, every `count`-th."""
        return items[self.index :: self.count]

    def all(self, work: Callable[[], list[T]]) -> list[T]:
        """Do `work` on every rank; all that came out, rank by rank. If it raises on one, it raises on all."""
        if self.count == 1:
            return work()
        from accelerate.utils import gather_object

        done: list[T] = []
        error: Exception | None = None
        try:
            done = work()
        except Exception as raised:  # told below: the others wait for an answer
            error = raised
        told = gather_object([(done, None if error is None else f"{type(error).__name__}: {error}")])
        if error is not None:
            raise error
        for index, (_, said) in enumerate(told):
            if said is not None:
                raise AgentGymError(f"rank {index} failed with {said}")
        return [each for done, _ in told for each in done]

    def first(self, work: Callable[[], None]) -> None:
        """Do `work` on rank 0 while the others wait for its end. If it raises there, it raises on all."""

        def begun() -> list[None]:
            if self.index == 0:
                work()
            return []

        self.all(begun)

    def sum(self, number: float) -> float:
        return sum(self.all(lambda: [number]))

    def mean(self, own: float, weight: float) -> float:
        """Of what each rank has of its own, weighed."""
        return own if self.count == 1 else self.sum(own * weight) / max(self.sum(weight), 1e-12)

    def share(self, mask: Tensor) -> float:
        """Tokens here over those of a mean rank: with it as weight, the ranks' means of their own tokens average to
        the mean over all."""
        tokens = float(mask.sum())
        return 1.0 if self.count == 1 else tokens * self.count / max(self.sum(tokens), 1.0)

    def average_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """For what DDP does not wrap."""
        if self.count > 1:
            from accelerate.utils import reduce

            for parameter in parameters:
                if parameter.grad is not None:
                    parameter.grad = reduce(parameter.grad, "mean")

    def align(self, module: nn.Module) -> None:
        """Give every rank the parameters of rank 0."""
        if self.count > 1:
            from accelerate.utils import broadcast

            for parameter in module.parameters():
                parameter.data.copy_(broadcast(parameter.data.clone()))


def ranks_of(accelerator: Any) -> Ranks:
    """As accelerate has found them."""
    kind = accelerator.distributed_type
    return Ranks(accelerator.process_index, accelerator.num_processes, getattr(kind, "value", str(kind)))
