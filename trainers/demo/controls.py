"""`run_controls`: is it the gate, and is it the reward? Several seeds; the table comes out as it comes out.

From one warm start a seed: gated against direct accumulation at equal steps and equal process weights (as they are, and
five times that), and gated rewards shuffled within groups, where nothing can be learned but noise.  No early stopping:
every arm takes the same number of steps.  Hours rather than minutes on two cores.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import BaseModel

from agentgym.runtime import Runtime
from agentgym.trainers.demo.config import DemoConfig
from agentgym.trainers.demo.measure import Arm, measure
from agentgym.trainers.demo.report import table
from agentgym.trainers.demo.run import Say, quieten, unused
from agentgym.trainers.demo.stage import set_stage
from agentgym.trainers.rollouts import Engine
from agentgym.types import Trajectory

ARMS: dict[str, dict[str, object]] = {
    "gated": {"gated": True},
    "direct": {"gated": False},
    "gated, process x5": {"gated": True, "process_weight": 5.0},
    "direct, process x5": {"gated": False, "process_weight": 5.0},
    "gated, shuffled": {"gated": True},
}


class Control(BaseModel):
    """One arm of one seed: held-out numbers, and reward and outcome over the first and last quarter of training."""

    seed: int
    arm: Arm
    reward: tuple[float, float]
    outcome: tuple[float, float]


def run_controls(config: DemoConfig, say: Say = print, runtime: Runtime | None = None) -> list[Control]:
    """Every arm of every seed, each written to the folder as soon as it is done. Blocks, as `run_demo` does."""
    from agentgym.trainers.demo import learn

    quieten(config.threads)
    config = config.model_copy(update={"folder": unused(config.folder)})
    found: list[Control] = []
    with Engine(runtime) as engine:
        for seed in config.controls_seeds:
            base = config.model_copy(update={"seed": seed, "folder": config.folder / f"seed-{seed}"})
            stage = set_stage(base, engine)
            warm, _ = learn.warm_start(stage, say)
            start = stage.play(stage.policy(warm, "start"), stage.held_out, name="held-out-start")
            found.append(Control(seed=seed, arm=measure("warm start", start, {}), reward=(0, 0), outcome=(0, 0)))
            for name, changes in ARMS.items():
                say(f"== seed {seed}: {name}")
                stage.config = base.model_copy(update={**changes, "folder": base.folder / name.replace(", ", "-")})
                shape = shuffled(seed) if name.endswith("shuffled") else None
                learned = learn.reinforce(stage, warm, say, shape=shape, look=False)
                episodes = stage.play(stage.policy(learned.model, name), stage.held_out, name="held-out")
                quarters = [
                    _quarters([entry[f"agent/{key}"] for entry in learned.log]) for key in ("reward", "outcome")
                ]
                found.append(
                    Control(seed=seed, arm=measure(name, episodes, {}), reward=quarters[0], outcome=quarters[1])
                )
                write(config.folder, found)
    return found


def shuffled(seed: int) -> Callable[[Sequence[Trajectory]], list[list[float]]]:
    """A shaping that hands each trajectory the reward of a random member of its group, paid at its last turn."""
    rng = random.Random(seed)

    def shape(trajectories: Sequence[Trajectory]) -> list[list[float]]:
        totals = [0.0 if t.record is None else t.record.total for t in trajectories]
        groups: dict[str, list[int]] = {}
        for index, trajectory in enumerate(trajectories):
            if trajectory.status == "scored":
                groups.setdefault(trajectory.group, []).append(index)
        for members in groups.values():
            drawn = [totals[index] for index in members]
            rng.shuffle(drawn)
            for index, total in zip(members, drawn, strict=True):
                totals[index] = total
        return [
            [0.0] * (max(len(trajectory.turns), 1) - 1) + [total]
            for trajectory, total in zip(trajectories, totals, strict=True)
        ]

    return shape


def write(folder: Path, found: Sequence[Control]) -> None:
    """`controls.json` and `controls.md`: one table a seed."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = []
    for seed in sorted({control.seed for control in found}):
        here = [control for control in found if control.seed == seed]
        parts += [f"## Seed {seed}", "", table([control.arm for control in here]), ""]
        parts += ["Reward and outcome while training, first and last quarter:", ""]
        parts += [
            f"- {c.arm.name}: reward {c.reward[0]:.2f} to {c.reward[1]:.2f}, outcome {c.outcome[0]:.2f} to {c.outcome[1]:.2f}"
            for c in here[1:]
        ] + [""]
    (folder / "controls.md").write_text("\n".join(parts))
    (folder / "controls.json").write_text("[" + ",\n".join(control.model_dump_json() for control in found) + "]")


def _quarters(values: Sequence[float]) -> tuple[float, float]:
    size = max(1, len(values) // 4)
    return sum(values[:size]) / size, sum(values[-size:]) / size
