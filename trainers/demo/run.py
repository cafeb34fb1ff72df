"""`run_demo`: audit, warm start, GRPO, control, and one look at the held-out tasks. Prints through `say`, writes files.

Held-out tasks are opened once, after the last training step; validation alone decides when to stop.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from agentgym.errors import AgentGymError
from agentgym.manifest import manifest, write_manifest
from agentgym.runtime import Runtime
from agentgym.trainers.demo.config import DemoConfig
from agentgym.trainers.demo.measure import Arm, Blind, blind, judge_candidates, measure
from agentgym.trainers.demo.stage import Stage, set_stage
from agentgym.trainers.rollouts import Engine
from agentgym.types import Trajectory

Say = Callable[[str], None]


class DemoReport(BaseModel):
    """What came out. `before` is the warm start, `after` GRPO, `control` more imitation at equal processor time."""

    env: str
    config: DemoConfig
    before: Arm
    after: Arm
    control: Arm
    blind: Blind
    grpo_step: int
    looks: list[dict[str, float]]
    log: list[dict[str, float]]
    seconds: dict[str, float]
    rose: bool
    folder: Path


class Clock:
    """Wall seconds by phase."""

    def __init__(self, say: Say) -> None:
        self.seconds: dict[str, float] = {}
        self._say = say

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        self._say(f"== {name}")
        started = time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = round(time.monotonic() - started, 1)
            self._say(f"   {name}: {self.seconds[name]} s")


def run_demo(config: DemoConfig, say: Say = print, runtime: Runtime | None = None) -> DemoReport:
    """The whole demo. Blocks; call it from a thread without a running event loop (Ctrl-C closes every box).

    Raises AgentGymError if the audit finds a wrong verdict, UsageError if something needed is missing.
    """
    from agentgym.trainers.demo import learn

    quieten(config.threads)
    config = config.model_copy(update={"folder": unused(config.folder)})
    clock = Clock(say)
    with Engine(runtime) as engine:
        with clock.phase("tasks"):
            stage = set_stage(config, engine)
            say(f"{len(stage.train)} train, {len(stage.validation)} validation, {len(stage.held_out)} held-out tasks")
            write_manifest(config.folder, _manifest(stage))
        with clock.phase("audit"):
            audit(stage, say)
        with clock.phase("warm start"):
            warm, rows = learn.warm_start(stage, say)
        with clock.phase("GRPO"):
            learned = learn.reinforce(stage, warm, say)
        with clock.phase("control"):
            control = learn.more_sft(stage, warm, rows, learned.cpu_s, say)
        models = {"before": warm, "after": learned.model, "control": control}
        _keep(stage, models)
        with clock.phase("held-out episodes"):
            played = {name: _held_out(stage, name, model) for name, model in models.items()}
        with clock.phase("held-out candidates"):
            verdicts = judge_candidates(stage)
    arms = {name: measure(name, episodes, verdicts) for name, episodes in played.items()}
    return DemoReport(
        env=config.env,
        config=config,
        **arms,
        blind=blind(verdicts),
        grpo_step=learned.step,
        looks=learned.looks,
        log=learned.log,
        seconds=clock.seconds,
        rose=all(
            getattr(arms["after"], n).low > getattr(arms["before"], n).high for n in ("completion", "modification")
        ),
        folder=config.folder.absolute(),
    )


def audit(stage: Stage, say: Say) -> None:
    """Oracle 1 and noop 0 on a few tasks, or there is no use in training. Raises AgentGymError."""
    tasks = stage.train[: stage.config.audited]
    for name, wanted in (("oracle", 1.0), ("noop", 0.0)):
        for trajectory in stage.play(stage.spec.policies[name](), tasks) if tasks else ():
            if trajectory.success != wanted:
                raise AgentGymError(
                    f"audit: {name} should have success {wanted:g} on {trajectory.key.task} and has "
                    f"{trajectory.success} ({trajectory.cause or trajectory.end})"
                )
    say(f"audited {len(tasks)} tasks: oracle 1, noop 0")


def unused(folder: Path) -> Path:
    """`folder`, or the first of folder-2, folder-3, … that does not exist: runs are never mixed."""
    names = [folder, *(folder.with_name(f"{folder.name}-{number}") for number in range(2, 1000))]
    return next(name for name in names if not name.exists())


def quieten(threads: int) -> None:
    """Few threads for a small model, and no progress bars or warnings of libraries between our lines."""
    import logging
    import warnings

    import torch

    torch.set_num_threads(threads)
    warnings.filterwarnings("ignore", category=FutureWarning)
    logging.getLogger("transformers").setLevel(logging.ERROR)


def _held_out(stage: Stage, name: str, model: Any) -> list[Trajectory]:
    return stage.play(stage.policy(model, name), stage.held_out, name=f"held-out-{name}")


def _keep(stage: Stage, trained: dict[str, Any]) -> None:
    from agentgym.trainers import models

    for name, model in trained.items():
        models.save(stage.folder / "models" / name, model, stage.tokenizer)


def _manifest(stage: Stage) -> dict[str, Any]:
    hashes = {task.id: task.hash for part in (stage.train, stage.validation, stage.held_out) for task in part}
    return manifest(
        stage.spec,
        stage.engine.runtime,
        seed=stage.config.seed,
        policy="demo",
        tasks=hashes,
        recipe=stage.config.model_dump(mode="json"),
    )
