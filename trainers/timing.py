"""StepClock: what a training step spends its time on, logged with every step. It measures, it changes nothing.

A step is from its beginning to its end as the Trainer counts them; logging, checkpoints and evaluation lie between
steps.  What a GPU still has to do is waited for at a step's end, so that it counts where it was asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any

import torch
from transformers import TrainerCallback

from agentgym.policies.watch import Watch


class StepClock(TrainerCallback):
    """Seconds of the step, noted at its end:

    time_step       all of it
    time_generate   a model samples, or a server is asked to; environments that step meanwhile cost nothing here
    time_environment    episodes are under way and nothing is sampled: all of them wait for environments and verdicts
    time_learn      forward passes over the batch, backward passes, the optimiser
    overhead_share  the share of the step in which nothing is sampled and nothing learnt

    `sampled` tells the seconds of sampling so far; `note` takes a name and a number.
    """

    def __init__(self, sampled: Callable[[], float], note: Callable[[str, float], None]) -> None:
        self.playing, self.learning = Watch(), Watch()
        self._sampled, self._note = sampled, note
        self._began: tuple[float, ...] = ()

    def learns(self) -> None:
        """The loss begins: from here to the end of the (sub)step all is learning."""
        self.learning.__enter__()

    def on_train_begin(self, *_: Any, **__: Any) -> None:
        self.playing, self.learning = Watch(), Watch()  # one that was interrupted is still open

    def on_step_begin(self, *_: Any, **__: Any) -> None:
        self._began = self._now()

    def on_substep_end(self, *_: Any, **__: Any) -> None:
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.learning.__exit__()

    def on_step_end(self, *_: Any, **__: Any) -> None:
        self.on_substep_end()
        step, generate, play, learn = (now - then for now, then in zip(self._now(), self._began, strict=True))
        self._note("time_step", step)
        self._note("time_generate", generate)
        self._note("time_environment", play - generate)
        self._note("time_learn", learn)
        self._note("overhead_share", 1 - (generate + learn) / step)

    def _now(self) -> tuple[float, ...]:
        return perf_counter(), self._sampled(), self.playing.seconds, self.learning.seconds
