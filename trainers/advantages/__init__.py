"""Advantage estimators: pure functions from rewards, groups and turns to one number a token. No model, no torch.

One file a family; `estimator(name, **options)` is how configurations choose one.  `gae.targets(name)` is what the
critic learns, for those that have one.
"""

from __future__ import annotations

from typing import Any

from agentgym.trainers.advantages.batch import Batch, Estimator
from agentgym.trainers.advantages.beta import bnpo
from agentgym.trainers.advantages.confidence import lens
from agentgym.trainers.advantages.consistency import copo
from agentgym.trainers.advantages.gae import gae, turn_gae, vapo, vc_ppo
from agentgym.trainers.advantages.group import asymre, dr_grpo, grpo, lite_ppo, mapo, opmd, reinforce_pp_baseline, rloo
from agentgym.trainers.advantages.turns import gigpo, mt_grpo, turn_returns
from agentgym.trainers.names import choose

ESTIMATORS: dict[str, Estimator] = {
    "grpo": grpo,
    "dr_grpo": dr_grpo,
    "rloo": rloo,
    "turn_returns": turn_returns,
    "lite_ppo": lite_ppo,
    "reinforce_pp_baseline": reinforce_pp_baseline,
    "bnpo": bnpo,
    "mapo": mapo,
    "copo": copo,
    "lens": lens,
    "opmd": opmd,
    "asymre": asymre,
    "mt_grpo": mt_grpo,
    "gigpo": gigpo,
    "gae": gae,
    "vc_ppo": vc_ppo,
    "vapo": vapo,
    "turn_gae": turn_gae,
}

BY_STATE = frozenset({"gigpo"})  # those that need `Batch.states`

__all__ = ["ESTIMATORS", "Batch", "Estimator", "dr_grpo", "estimator", "grpo", "rloo", "turn_returns"]


def estimator(name: str, **options: Any) -> Estimator:
    """The estimator called `name`, with its options bound. Raises UsageError naming those that there are."""
    return choose("advantage estimator", ESTIMATORS, name, options)
