"""The options of `gui/tasks-v0`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from agentgym.envs.gui.coordinates import Coordinates
from agentgym.envs.gui.tasks.devices import DeviceName
from agentgym.envs.web.config import PageConfig

Stage = Literal["step", "task"]
AppName = Literal["settings", "shop", "miniwob"]


class GuiTasksConfig(PageConfig):
    """apps, devices: only tasks in these applications, on these screens; none: all.

    stage: "task": the whole task, paid by what was achieved.  "step": one action of the oracle's way, paid by whether it was
        the oracle's (Mobile-R1's action-level reward).
    coordinates: how points are said.
    train_seeds, test_seeds: how many tasks of each application and screen, in the training split and in the other two.
    """

    apps: tuple[AppName, ...] = ()
    devices: tuple[DeviceName, ...] = ()
    stage: Stage = "task"
    coordinates: Coordinates = "pixel"
    train_seeds: int = Field(default=1_000, ge=1, le=100_000)
    test_seeds: int = Field(default=100, ge=1, le=100_000)
