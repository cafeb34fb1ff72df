"""`gui/tasks-v0` as the registry knows it, and how it is paid."""

from __future__ import annotations

from agentgym.envs.gui.tasks.cheats import CHEATS
from agentgym.envs.gui.tasks.config import GuiTasksConfig
from agentgym.envs.gui.tasks.environment import GuiTasksEnvironment
from agentgym.envs.gui.tasks.policies import noop, oracle, random_player
from agentgym.envs.gui.tasks.tasks import ENV, GuiTasks
from agentgym.envs.gui.tasks.verifier import GuiTasksVerifier
from agentgym.envspec import EnvSpec
from agentgym.rewards import Channel, Rubric
from agentgym.types import Limits

RUBRIC = Rubric((Channel("solved", "outcome"), Channel("format", "process", reduce="mean")))
"""Mobile-R1's second stage as it is published, R = R_act + R_fmt; of its third, the exact form is not known to us: the same sum is ours."""
FORMAT = Rubric((Channel("format", "outcome", reduce="mean"), Channel("solved", "metric")))
"""Of its first stage, which is imitation in the paper: the form alone, to be measured or rewarded."""

TASKS = EnvSpec(
    id=ENV,
    entry=GuiTasksEnvironment,
    tasks=GuiTasks,
    verifier=GuiTasksVerifier(),
    rubric=RUBRIC,
    config=GuiTasksConfig(),
    limits=Limits(turns=40, call_s=60.0, output_chars=20_000),
    forking="replay",
    determinism="bytes",
    verifies="data",
    chance=0.05,
    policies={"oracle": oracle, "noop": noop, "random": random_player, **CHEATS},
    description="Settings, a shop and small pages on the screens of a phone and a computer, by screenshots and coordinates.",
)
