"""`agentgym train`: run what a file describes, or the demo. What a run and the demo do is `agentgym.trainers`' business."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markdown import Markdown

from agentgym.cli.failures import FAILED, err
from agentgym.cli.options import Sandbox, Seed, Set, runtime_for, setting
from agentgym.errors import UsageError

What = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[FILE.yaml] [KEY=VALUE]...",
        help="A run's file, and keys to change, such as trainer.learning_rate=1e-5. With --recipe demo: an environment.",
    ),
]
Recipe = Annotated[str | None, typer.Option(help="demo: a small model from scratch, measured; in place of a file.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint in the run's output_dir.")]
Controls = Annotated[bool, typer.Option("--controls", help="demo: also with shuffled rewards and over several seeds.")]
Out = Annotated[Path | None, typer.Option(help="demo: where models and reports go (default: runs/demo).")]
Options = Annotated[
    list[str] | None, typer.Option("--option", "-o", metavar="KEY=VALUE", help="demo: a field of DemoConfig.")
]


def train(
    context: typer.Context,
    what: What = None,
    recipe: Recipe = None,
    resume: Resume = False,
    out: Out = None,
    seed: Seed = 0,
    options: Options = None,
    settings: Set = None,
    controls: Controls = False,
    sandbox: Sandbox = "auto",
) -> None:
    """Train a model on an environment's train tasks, as a YAML file says (docs/training.md), or run the demo."""
    _need_extra()
    what = what or []
    match recipe:
        case None:
            _refuse_given(context, "out", "seed", "options", "settings", "controls")
            _file(what, resume, sandbox)
        case "demo":
            chosen: dict[str, Any] = dict(setting(text) for text in options or [])
            if len(what) > 1 or any("=" in text for text in what):
                raise UsageError(
                    f"the demo takes one environment, not {' '.join(what)}: its options are --option KEY=VALUE"
                )
            if what:
                chosen["env"] = what[0]
            if settings:
                chosen["options"] = dict(setting(text) for text in settings)
            folder = out or Path("runs") / ("controls" if controls else "demo")
            _demo({**chosen, "folder": folder, "seed": seed}, sandbox, controls)
        case _:
            raise UsageError(f"no recipe {recipe!r}: there is demo, and else a run is described by a file")


def _need_extra() -> None:
    """Look, but do not import yet: a mistake in a file is told at once."""
    for name in ("torch", "trl"):
        if importlib.util.find_spec(name) is None:
            raise UsageError(f"training needs {name}: pip install 'agentgym[train]'")


def _refuse_given(context: typer.Context, *names: str) -> None:
    """Refuse the demo's options beside a file: it says all of that itself."""
    for parameter in context.command.params:
        source = context.get_parameter_source(str(parameter.name))
        if parameter.name in names and source is not None and source.name == "COMMANDLINE":
            raise UsageError(f"{parameter.opts[0]} is for --recipe demo; a run's file and KEY=VALUE say it otherwise")


def _file(what: list[str], resume: bool, sandbox: str) -> None:
    from agentgym.trainers.config import read

    files = [text for text in what if "=" not in text]
    if len(files) > 1 or (files and what[0] != files[0]):
        raise UsageError(f"one file, then KEY=VALUE: not {' '.join(what)}")
    if not what:
        raise UsageError("say what to run: a FILE.yaml (docs/training.md), or --recipe demo")
    if files and not files[0].endswith((".yaml", ".yml")):
        raise UsageError(f"{files[0]!r} is no .yaml file: an environment is its key `env`, env={files[0]}")
    config = read(Path(files[0]) if files else None, [text for text in what if "=" in text])
    from agentgym.trainers.run import run
    from agentgym.trainers.run.environment import spec_of

    backend = config.sandbox if sandbox == "auto" and config.sandbox else sandbox
    runtime = runtime_for(spec_of(config), backend)
    done = run(config, resume=resume, say=_say, runtime=runtime)
    if done.report is not None:
        from agentgym.evals.report import markdown

        Console().print(Markdown(markdown(done.report)))


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


def _say(text: str) -> None:
    err.print(text, markup=False)
