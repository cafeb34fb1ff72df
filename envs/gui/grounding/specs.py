"""`gui/grounding-v0` as the registry knows it, and the ways in which it can be paid."""

from __future__ import annotations

from agentgym.envs.gui.grounding.cheats import CHEATS
from agentgym.envs.gui.grounding.config import GroundingConfig
from agentgym.envs.gui.grounding.environment import GroundingEnvironment
from agentgym.envs.gui.grounding.policies import noop, oracle, random_player
from agentgym.envs.gui.grounding.tasks import ENV, GroundingTasks
from agentgym.envs.gui.grounding.verifier import GroundingVerifier
from agentgym.envspec import EnvSpec
from agentgym.rewards import Channel, Rubric
from agentgym.types import Limits

_METRICS = ("text", "icon", "negative", "wrong_format", "distance", "area_ratio", "crops")
_MEASURED = tuple(Channel(name, "metric") for name in _METRICS)
RUBRIC = Rubric((Channel("correct", "outcome"), Channel("format", "metric"), Channel("tool", "metric"), *_MEASURED))
"""Right or wrong. MGPO's reward, too."""
DEEPEYES = Rubric(
    (
        Channel("correct", "outcome", 0.8),
        Channel("format", "outcome", 0.2),
        Channel("tool", "outcome", 1.2),
        *_MEASURED,
    ),
    success="correct",
)
"""DeepEyes's code: 0.8 acc + 0.2 fmt + 1.2 [a crop was used and acc > 0.5], fmt -1 after any format error, else 0 (arXiv 2505.14362)."""
DEEPEYES_PAPER = Rubric(
    (Channel("correct", "outcome"), Channel("format", "outcome"), Channel("tool", "outcome"), *_MEASURED),
    success="correct",
)
"""DeepEyes's paper: R_acc + R_fmt + [R_acc > 0] R_tool, with weights of 1, which are ours, and the code's fmt."""

GROUNDING = EnvSpec(
    id=ENV,
    entry=GroundingEnvironment,
    tasks=GroundingTasks,
    verifier=GroundingVerifier(),
    rubric=RUBRIC,
    config=GroundingConfig(),
    limits=Limits(turns=40, call_s=60.0, output_chars=10_000),
    forking="replay",
    determinism="bytes",
    verifies="data",
    chance=0.05,
    policies={"oracle": oracle, "noop": noop, "random": random_player, **CHEATS},
    description="Point at what an instruction means on a screenshot of a real page, at once or after looking closer.",
)
