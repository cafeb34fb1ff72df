"""`agentgym train`: run a training recipe of `agentgym.trainers`. What a recipe does is its own business."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markdown import Markdown

from agentgym.cli.failures import FAILED, err
from agentgym.cli.options import Limit, Sandbox, Seed, Set, environment, runtime_for, setting
from agentgym.errors import UsageError

Env = Annotated[str | None, typer.Argument(metavar="[ENV]", help="An id or a file.py (demo: swe/bugs-v0).")]
Recipe = Annotated[str, typer.Option(help="demo: a small model from scratch, measured. grpo: any model, GRPO.")]
Model = Annotated[str, typer.Option(help="grpo: a Hugging Face name, a folder, or smollm2.")]
Steps = Annotated[int, typer.Option(min=1, help="grpo: optimiser steps.")]
Controls = Annotated[bool, typer.Option("--controls", help="demo: also with shuffled rewards and over several seeds.")]
Out = Annotated[Path | None, typer.Option(help="Where models and reports go (default: runs/<recipe>).")]
Options = Annotated[
    list[str] | None,
    typer.Option("--option", "-o", metavar="KEY=VALUE", help="A field of DemoConfig or AgentGRPOConfig."),
]


def train(
    env: Env = None,
    recipe: Recipe = "demo",
    model: Model = "smollm2",
    steps: Steps = 100,
    limit: Limit = None,
    out: Out = None,
    seed: Seed = 0,
    options: Options = None,
    settings: Set = None,
    controls: Controls = False,
    sandbox: Sandbox = "auto",
) -> None:
    """Train a model on an environment's train tasks."""
    _need_extra()
    chosen = dict(setting(text) for text in options or [])
    folder = out or Path("runs") / ("controls" if controls else recipe)
    match recipe:
        case "demo":
            if env:
                chosen["env"] = env
            if settings:
                chosen["options"] = dict(setting(text) for text in settings)
            _demo({**chosen, "folder": folder, "seed": seed}, sandbox, controls)
        case "grpo":
            if env is None:
                raise UsageError("recipe grpo needs an ENV")
            chosen = {"max_steps": steps, "seed": seed, **chosen}
            _grpo(env, settings, model, limit, folder, chosen, sandbox)
        case _:
            raise UsageError(f"no recipe {recipe!r}: there are demo and grpo")


def _need_extra() -> None:
    try:
        import torch  # noqa: F401
        import trl  # noqa: F401
    except ImportError as error:
        raise UsageError(f"training needs {error.name}: pip install 'agentgym[train]'") from error


def _demo(fields: dict[str, Any], sandbox: str, controls: bool) -> None:
    from pydantic import ValidationError

    from agentgym.registry import spec as spec_of
    from agentgym.trainers.demo.config import DemoConfig

    try:
        config = DemoConfig.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        known = ", ".join(DemoConfig.model_fields)
        raise UsageError(f"option {'.'.join(map(str, first['loc']))}: {first['msg']} (options: {known})") from error
    runtime = runtime_for(spec_of(config.env), sandbox)
    if controls:
        from agentgym.trainers.demo.controls import run_controls

        run_controls(config, _say, runtime)
        Console().print(Markdown((config.folder / "controls.md").read_text()))
        return
    from agentgym.trainers.demo.report import write
    from agentgym.trainers.demo.run import run_demo

    report = run_demo(config, _say, runtime)
    Console().print(Markdown(write(report).read_text()))
    if not report.rose:
        raise typer.Exit(FAILED)


def _grpo(
    env: str,
    settings: list[str] | None,
    model: str,
    limit: int | None,
    folder: Path,
    options: dict[str, Any],
    sandbox: str,
) -> None:
    from agentgym.evals.held_out import refuse_held_out
    from agentgym.policies.codec import ChatCodec, CompactCodec
    from agentgym.trainers import models
    from agentgym.trainers.grpo import AgentGRPOConfig, AgentGRPOTrainer
    from agentgym.trainers.rollouts import Engine

    spec = environment(env, None, settings)
    try:
        args = AgentGRPOConfig(output_dir=str(folder), **options)
    except (TypeError, ValueError) as error:
        raise UsageError(f"AgentGRPOConfig: {error}") from error
    network, tokenizer = models.load(model)
    codec = ChatCodec(tokenizer) if tokenizer.chat_template else CompactCodec(tokenizer)
    with Engine(runtime_for(spec, sandbox)) as engine:
        task_set = engine.runtime.tasks(spec)
        size = task_set.size("train")
        tasks = engine.run(task_set.take("train", limit or (256 if size is None else size)))
        refuse_held_out(tasks)
        AgentGRPOTrainer(network, spec, tasks, codec, args, engine=engine).train()
    models.save(folder / "model", network, tokenizer)
    _say(
        f"trained on {len(tasks)} tasks; the model is in {folder / 'model'}: try `eval --policy local:{folder / 'model'}`"
    )


def _say(text: str) -> None:
    err.print(text, markup=False)
