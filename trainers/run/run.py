"""`run`: tasks, start, training, the model, the measurement, in that order. What each is, is in the file of its name."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformers import PrinterCallback, ProgressCallback, set_seed
from transformers.utils import logging as transformers_logging

from agentgym.envspec import EnvSpec
from agentgym.errors import UsageError
from agentgym.manifest import manifest, write_manifest
from agentgym.policies.local import LocalPolicy
from agentgym.runtime import Runtime
from agentgym.seeds import derive_seed
from agentgym.tasks import Task
from agentgym.trainers import models
from agentgym.trainers.config import RunConfig, arguments, resolved
from agentgym.trainers.config.arguments import cycle
from agentgym.trainers.rollouts import Engine
from agentgym.trainers.run import checkpoints
from agentgym.trainers.run.environment import spec_of, take, tasks_of
from agentgym.trainers.run.expert import episodes_of
from agentgym.trainers.run.measure import measure
from agentgym.trainers.run.sinks import Console, JsonLines
from agentgym.trainers.run.start import adapter, codec_of, start

Say = Callable[[str], None]


@dataclass(slots=True, frozen=True)
class Ran:
    """What a run left: its folder, the trained model in it, all that was logged, and the report of its measurement."""

    folder: Path
    model: Path
    log: list[dict[str, Any]]
    report: dict[str, Any] | None


def run(config: RunConfig, *, resume: bool = False, say: Say = print, runtime: Runtime | None = None) -> Ran:
    """The whole run in `config.output_dir`; with `resume` it goes on from the last checkpoint there, if there is one.

    Blocks; call it from a thread without a running event loop (Ctrl-C closes every box).  Raises UsageError for what
    can not be run, saying which key, before anything is trained.
    """
    _quieten()
    spec, args = spec_of(config), arguments(config)
    folder = Path(config.output_dir)
    with Engine(runtime or Runtime(backend=config.sandbox)) as engine:
        tasks = tasks_of(config, spec, engine)
        held_out = [] if config.eval is None else take(spec, engine, config.eval.split, config.eval.limit, "eval")
        told = manifest(spec, engine.runtime, seed=config.seed, policy="train", tasks={t.id: t.hash for t in tasks})
        checkpoints.begin(folder, resolved(config), told, resume=resume)
        write_manifest(folder, told)
        checkpoint = checkpoints.last(folder, cycle(args))
        if resume:
            say(f"going on from step {checkpoints.step_of(checkpoint)}")
        checkpoints.rewind(folder, checkpoints.step_of(checkpoint))
        trainer, tokenizer = _trainer(config, spec, tasks, engine, args, say)
        _train(trainer, checkpoint)
        model = trainer.accelerator.unwrap_model(trainer.model)
        whole = model.merge_and_unload() if config.model.lora else model
        models.save(folder / "model", whole, tokenizer)
        step = trainer.state.global_step
        say(f"trained {step} steps on {len(tasks)} tasks; the model is in {folder / 'model'}")
        report = None
        if config.eval is not None:
            policy = LocalPolicy(
                *(whole, codec_of(tokenizer)),
                name=f"{config.algorithm}-{step}",
                temperature=config.eval.temperature,
                max_new_tokens=args.max_new_tokens,
                max_context=args.max_context,
            )
            place, seed = folder / "eval" / f"step-{step}", derive_seed("eval", config.seed)
            report = measure(
                *(spec, policy, held_out, engine, place), eval=config.eval, seed=seed, concurrency=args.concurrency
            )
    return Ran(folder, folder / "model", trainer.state.log_history, report)


def _trainer(config: RunConfig, spec: EnvSpec, tasks: list[Task], engine: Engine, args: Any, say: Say) -> Any:
    """The algorithm's trainer on the model that the run starts from."""
    if config.algorithm == "ppo":
        from agentgym.trainers.ppo import AgentPPOTrainer as Trainer
    else:
        from agentgym.trainers.grpo import AgentGRPOTrainer as Trainer
    expert = None if config.expert is None else episodes_of(config.expert, spec, engine)
    set_seed(config.seed)  # an adapter's first weights
    model, tokenizer = start(config, spec, tasks, engine, args, say)
    try:
        trainer = Trainer(
            *(model, spec, tasks, codec_of(tokenizer), args), engine=engine, expert=expert, peft_config=adapter(config)
        )
    except (ValueError, ImportError) as error:
        raise UsageError(f"trainer: {error}") from error
    trainer.remove_callback(PrinterCallback)
    trainer.remove_callback(ProgressCallback)
    trainer.add_callback(Console(say))
    trainer.add_callback(JsonLines(Path(config.output_dir)))
    return trainer, tokenizer


def _train(trainer: Any, checkpoint: Path | None) -> None:
    """Train to the end; a checkpoint that is there already has only to be read."""
    steps = checkpoints.step_of(checkpoint)
    if checkpoint is not None and 0 < trainer.args.max_steps <= steps:
        trainer._load_from_checkpoint(str(checkpoint))
        trainer.state.global_step = steps
    else:
        trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))


def _quieten() -> None:
    """No warnings and bars of libraries between a run's lines."""
    warnings.filterwarnings("ignore", category=FutureWarning)
    warnings.filterwarnings("ignore", message=".*pin_memory")
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
