"""The order in which tasks come: TRL's, but a function of seed and epoch, so that a resumed run goes on in it."""

from __future__ import annotations

from trl.trainer.utils import RepeatSampler

from agentgym.seeds import derive_seed


class EpochOrder(RepeatSampler):
    """TRL's order of an epoch depends on how many epochs were drawn in this process; here on `set_epoch` alone."""

    def set_epoch(self, epoch: int) -> None:
        if self.shuffle:
            self.generator.manual_seed(derive_seed("order", self.seed, epoch))
