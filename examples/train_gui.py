"""A small model learns to point on screens, with labels and without, and is measured on sites that it has never seen.

    pip install 'agentgym[train,web]'; scripts/system-packages.sh web; python examples/train_gui.py        # some CPU minutes

The model weighs places where it reads words of the instruction, and things that stand out. Rewards are computed by the functions that
the environment and its voting use, on what the environment shows; in the end the model plays the environment itself. docs/gui-learning.md.
"""

from __future__ import annotations

import argparse
import asyncio
import copy
import json
from pathlib import Path

import torch

import agentgym
from agentgym.envs.gui.grounding.pictures import whole
from agentgym.envs.gui.grounding.tasks import GroundingTasks
from agentgym.envs.gui.learning.pointer import BlindPointer, Pointer, PointerPolicy
from agentgym.envs.gui.learning.training import Lesson, imitate, labelled, measure, reinforce, unlabelled
from agentgym.envspec import EnvSpec
from agentgym.evals.metrics import wilson
from agentgym.rollout import collect
from agentgym.runtime import Runtime
from agentgym.tasks import Task


async def english(tasks: GroundingTasks, split: str, count: int) -> list[Task]:
    """The first tasks whose instructions are in English: there are too few of the others to learn their words from."""
    found: list[Task] = []
    async for id in tasks.ids(split):
        task = await tasks.get(id)
        if "en" in task.tags:
            found.append(task)
        if len(found) == count:
            break
    return found


async def lessons(spec: EnvSpec, runtime: Runtime, tasks: list[Task], model: Pointer) -> list[Lesson]:
    """What `model` sees of each task, on the picture as the environment shows it."""
    made = []
    for task in tasks:
        shown = whole((await runtime.tasks(spec).picture(task)).read_bytes(), spec.config.budget)
        share = shown.size[0] / task.payload["size"][0]
        boxes = [[each * share for each in box] for box in task.secret["boxes"]]
        seen = model.look(shown.png, task.payload["instruction"])
        made.append(Lesson(task.id, seen, shown.size, boxes))
    return made


def row(name: str, model: Pointer, held_out: dict[str, list[Lesson]]) -> dict[str, object]:
    """Measure a model on each set, print it, and give it back for the file."""
    result: dict[str, object] = {"name": name}
    for split, given in held_out.items():
        sampled, greedy = measure(model, given)
        low, high = spread(sampled)
        result[split] = {
            "sampled": mean(sampled),
            "interval": [low, high],
            "greedy": mean(greedy),
            "wilson": wilson(sum(greedy), len(greedy)),
        }
        print(
            f"{name:28} {split:10} sampled {mean(sampled):.3f} [{low:.3f}, {high:.3f}]  greedy {mean(greedy):.3f}",
            flush=True,
        )
    return result


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


def spread(values: list[float]) -> tuple[float, float]:
    """A 95 % interval of the mean, over tasks."""
    numbers = torch.tensor(values)
    half = 1.96 * float(numbers.std()) / len(values) ** 0.5
    return max(0.0, mean(values) - half), min(1.0, mean(values) + half)


async def main(options: argparse.Namespace) -> None:
    torch.set_num_threads(1)
    spec = agentgym.spec("gui/grounding-v0").configure(sources=options.sources.split(","))
    async with Runtime() as runtime:
        sizes = {"train": options.train, "validation": options.held_out, "test": options.held_out}
        tasks = {split: await english(runtime.tasks(spec), split, count) for split, count in sizes.items()}
        seen = {split: await lessons(spec, runtime, each, Pointer()) for split, each in tasks.items()}
        unseen = {split: await lessons(spec, runtime, each, BlindPointer()) for split, each in tasks.items()}
        print({split: len(each) for split, each in seen.items()}, flush=True)
        rows, models = learn(seen, unseen, options.seed, options.epochs)
        rows += [await play(spec, runtime, tasks["validation"], name, model) for name, model in models.items()]
    if options.out:
        options.out.write_text(json.dumps(rows, indent=1) + "\n")


def learn(
    seen: dict[str, list[Lesson]], unseen: dict[str, list[Lesson]], seed: int, epochs: int
) -> tuple[list[dict[str, object]], dict[str, Pointer]]:
    """Train one model each way; what each is worth on the held-out sites, and the models."""
    held_out, blindly = ({split: each[split] for split in ("validation", "test")} for each in (seen, unseen))
    area = {split: mean([chance(each) for each in given]) for split, given in held_out.items()}
    rows: list[dict[str, object]] = [{"name": "random point", **area}]
    print("random point", area)
    blind = BlindPointer(seed)
    imitate(blind, unseen["train"], 2 * epochs, seed)
    rows.append(row("text only, by example", blind, blindly))
    models = {"untrained": Pointer().eval()}
    rows.append(row("untrained", models["untrained"], held_out))
    for name, reward in (("labelled reward", labelled), ("GUI-RCPO, no label", unlabelled)):
        model = copy.deepcopy(models["untrained"])
        curve: list[dict[str, float]] = []

        def note(told: float, model: Pointer = model, curve: list[dict[str, float]] = curve) -> None:
            """Gold accuracy beside the reward, which without labels knows nothing of it."""
            curve.append({"reward": told, **{split: mean(measure(model, each)[0]) for split, each in seen.items()}})
            print({key: round(value, 3) for key, value in curve[-1].items()}, flush=True)

        reinforce(model, seen["train"], reward, epochs, seed, after=note)
        rows.append({**row(name, model, held_out), "curve": curve})
        models[name] = model
    example = copy.deepcopy(models["untrained"])
    imitate(example, seen["train"], epochs, seed)
    rows.append(row("by example", example, held_out))
    return rows, models


def chance(lesson: Lesson) -> float:
    """What a point anywhere is worth."""
    return sum((x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in lesson.boxes) / (lesson.size[0] * lesson.size[1])


async def play(spec: EnvSpec, runtime: Runtime, tasks: list[Task], name: str, model: Pointer) -> dict[str, object]:
    """The model as a policy of the environment, which samples its points; judged by the environment's verifier."""
    policy = PointerPolicy(model, temperature=1.0)
    episodes = collect(spec, policy, tasks, runtime=runtime, run="pointer", seed=0, concurrency=2)
    won = [trajectory.success or 0.0 async for trajectory in episodes]
    low, high = wilson(sum(won), len(won))
    print(f"played: {name:20} {sum(won):.0f} of {len(won)} [{low:.3f}, {high:.3f}]", flush=True)
    return {"name": f"played: {name}", "won": sum(won), "of": len(won), "wilson": [low, high]}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--train", type=int, default=150, help="tasks to learn from")
    parser.add_argument("--held-out", type=int, default=100, help="tasks of each of the two other splits")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sources", default="npm,shop", help="where pages come from; npm is fetched once (140 MB)")
    parser.add_argument("--out", type=Path, help="where the numbers go, as JSON")
    asyncio.run(main(parser.parse_args()))
