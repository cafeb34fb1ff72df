"""The gate of `make learn`: on the lookup task a small model, warm-started on a fallible expert, gets clearly better."""

from dataclasses import replace
from statistics import fmean

import pytest

pytest.importorskip("torch")

from agentgym.trainers.learning.experiments import LOOKUPS
from agentgym.trainers.learning.trial import run


@pytest.mark.nightly
def test_sampled_success_rises():
    grpo = next(arm for arm in LOOKUPS.arms if arm.name == "GRPO")
    warm, learnt = run(replace(LOOKUPS, arms=(grpo,), batches=30), seed=0)
    before, after = fmean(warm.held_out.success), fmean(learnt.held_out.success)
    assert 0.1 <= before <= 0.35, "the warm start is not what it was: nothing can be said about GRPO"
    assert after >= before + 0.4
