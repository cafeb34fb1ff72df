"""GuiTasks: which tasks there are: an application on a device, and what is to be done in it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from itertools import islice
from random import Random
from typing import TYPE_CHECKING, Any

from agentgym.envs.gui.tasks.config import AppName, GuiTasksConfig
from agentgym.envs.gui.tasks.devices import DeviceName
from agentgym.envs.gui.tasks.miniwob import PAGES
from agentgym.envs.gui.tasks.settings.schema import draw
from agentgym.envs.web.shop.config import ShopConfig
from agentgym.envs.web.shop.tasks import ShopTasks
from agentgym.errors import TaskError
from agentgym.seeds import derive_seed
from agentgym.tasks import SPLITS, Task, TaskSet

if TYPE_CHECKING:
    from agentgym.runtime import Runtime

ENV = "gui/tasks-v0"
PLACES: tuple[tuple[AppName, DeviceName], ...] = (
    ("settings", "phone"),
    ("shop", "phone"),
    ("miniwob", "window"),
    ("settings", "desktop"),
    ("shop", "desktop"),
)
STEPS: dict[AppName, int] = {"settings": 3, "shop": 7, "miniwob": 1}
"""How long the oracle's way in an application is at least: so many tasks of the stage "step" come of each task."""
_FIRST = {"train": 0, "validation": 1_000_000, "test": 2_000_000}


class GuiTasks(TaskSet):
    """Ids are "app-device/number", the number being of the split; of the stage "step", "app-device/number@step".

    In a split's own order, applications and devices take turns.
    """

    version = "0"

    def __init__(self, config: GuiTasksConfig, runtime: Runtime | None) -> None:
        self._config = config
        self._places = [
            (app, device)
            for app, device in PLACES
            if (not config.apps or app in config.apps) and (not config.devices or device in config.devices)
        ]
        self._shop = ShopTasks(ShopConfig(), runtime)
        self._goals: dict[str, list[str]] = {}

    def size(self, split: str) -> int:
        steps = (STEPS[app] if self._config.stage == "step" else 1 for app, _ in self._places)
        return self._seeds(split) * sum(steps) if split in SPLITS else 0

    async def ids(self, split: str, seed: int | None = None) -> AsyncIterator[str]:
        for id in self._ids(split, seed) if split in SPLITS else ():
            yield id

    async def get(self, id: str) -> Task:
        place, _, rest = id.partition("/")
        number, found, step = rest.partition("@")
        app, _, device = place.partition("-")
        known = (app, device) in self._places and _plain(number) and bool(found) == (self._config.stage == "step")
        if not known or (found and not (_plain(step) and int(step) < STEPS[app])):  # type: ignore[index]
            raise self._unknown(id)
        split = next((name for name in SPLITS if 0 <= int(number) - _FIRST[name] < self._seeds(name)), None)
        if split is None:
            raise self._unknown(id)
        payload: dict[str, Any] = {"app": app, "device": device} | ({"step": int(step)} if found else {})
        at = int(number) - _FIRST[split]
        more, secret = await self._content(app, split, at)  # type: ignore[arg-type]
        return Task(id, ENV, {**payload, **more}, secret, split, (app, device))

    def _ids(self, split: str, seed: int | None) -> Iterator[str]:
        count, first = self._seeds(split), _FIRST[split]
        order = range(count) if seed is None else Random(seed).sample(range(count), count)
        for number in order:
            for step in range(max(STEPS.values())) if self._config.stage == "step" else (None,):
                for app, device in self._places:
                    if step is None:
                        yield f"{app}-{device}/{first + number}"
                    elif step < STEPS[app]:
                        yield f"{app}-{device}/{first + number}@{step}"

    async def _content(self, app: AppName, split: str, at: int) -> tuple[dict[str, Any], dict[str, Any]]:
        """What is public of a task and what is not."""
        match app:
            case "settings":
                case = draw(Random(derive_seed("gui settings", split, at)), split == "test")
                return {"goal": case.goal, "order": list(case.order), "before": case.before}, {"after": case.after}
            case "shop":
                task = await self._shop.get(await self._goal(split, at))
                said = " Order one piece of what is wanted; the first order that is placed counts."
                return {"goal": task.payload["goal"] + said}, task.secret
            case "miniwob":
                mode = "default" if split == "train" else "test"
                return {"page": PAGES[at % len(PAGES)], "seed": _FIRST[split] + at // len(PAGES), "mode": mode}, {}

    async def _goal(self, split: str, at: int) -> str:
        """The shop's task that is number `at` here: every product's first goal, then the second."""
        if split not in self._goals:
            self._goals[split] = [id async for id in self._shop.ids(split)]
        found = self._goals[split]
        return next(islice(found, at % len(found), None))

    def _seeds(self, split: str) -> int:
        return self._config.train_seeds if split == "train" else self._config.test_seeds

    def _unknown(self, id: str) -> TaskError:
        where = " or ".join(f"{app}-{device}" for app, device in self._places)
        step = "@0, the number of a step" if self._config.stage == "step" else ""
        return TaskError(
            f"no task {id!r} here: ids are {where}, a number of a split, such as /0{step and ', and ' + step}"
        )


def _plain(number: str) -> bool:
    return number.isdecimal() and number.isascii() and str(int(number)) == number and len(number) < 9
