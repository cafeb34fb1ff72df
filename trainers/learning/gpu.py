"""`python -m agentgym.trainers.learning.gpu`: a real model on an accelerator, with LoRA and in full, beside plain TRL.

The lookup task with chat tools: tokens sampled a second, the share of a step neither sampling nor learning (ours alone
knows it), peak memory.  It measures speed, not learning: the model is first taught to call the tools, in a few steps.
Without an accelerator it refuses, unless `--cpu` asks to try it out in small.
"""

from __future__ import annotations

import argparse
import copy
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
import trl
from datasets import Dataset
from peft import LoraConfig, get_peft_model
from transformers import PrinterCallback, TrainerCallback

from agentgym.errors import AgentGymError, UsageError
from agentgym.policies.codec import ChatCodec
from agentgym.tasks import Task
from agentgym.trainers import models, sft
from agentgym.trainers.demo.run import quieten
from agentgym.trainers.grpo import AgentGRPOConfig, AgentGRPOTrainer
from agentgym.trainers.learning.lookup import KEYS, LOOKUP, TURNS
from agentgym.trainers.rollouts import Engine, Play

MESSAGE, GROUP = 40, 8


class TrlLookup:
    """The same task as TRL's `environment_factory` takes it."""

    def reset(self, key: int, value: int, **_: Any) -> None:
        self._key, self._value, self._right = key, value, 0

    def get(self, key: int) -> str:
        """Show the value of a key.

        Args:
            key: Which.
        """
        self._right += self._right == 0 and key == self._key
        return f"value {self._value}" if key == self._key else "nothing"

    def put(self, value: int) -> str:
        """Hand in the value.

        Args:
            value: Which.
        """
        self._right += self._right == 1 and value == self._value
        return "ok"

    def done(self) -> str:
        """End."""
        self._right += self._right == 2
        return "bye"

    def get_reward(self) -> float:
        return float(self._right == TURNS)


@dataclass(slots=True)
class Speed:
    """One contestant, after its first step: seconds a step, tokens sampled, overhead (None: not known), bytes at most."""

    name: str
    step_s: float
    sampled: float
    overhead: float | None
    memory: int
    reward: float

    def row(self) -> str:
        overhead = "-" if self.overhead is None else f"{self.overhead:.0%}"
        numbers = f"{self.step_s:.2f} | {self.sampled:.0f} | {self.sampled / self.step_s:.0f} | {overhead}"
        return f"| {self.name} | {numbers} | {self.memory / 2**30:.2f} | {self.reward:.2f} |"


class Count(TrainerCallback):
    """When each step ended, and how many tokens its batch has that were sampled."""

    def __init__(self, trainer: Any) -> None:
        self.ends, self.sampled = [time.perf_counter()], [0]
        score: Callable[[Any], Any] = trainer._generate_and_score_completions

        def counted(inputs: Any) -> Any:
            batch = score(inputs)
            self.sampled.append(int((batch["completion_mask"] * batch["tool_mask"]).sum()))
            return batch

        trainer._generate_and_score_completions = counted
        trainer.add_callback(self)
        trainer.remove_callback(PrinterCallback)

    def on_step_end(self, *_: Any, **__: Any) -> None:
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.ends.append(time.perf_counter())


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m agentgym.trainers.learning.gpu", description=__doc__)
    parser.add_argument("--model", default=models.SMOLLM2)
    parser.add_argument("--steps", type=int, default=10, help="measured steps; one more comes before them")
    parser.add_argument("--episodes", type=int, default=64, help=f"of a step; a multiple of {GROUP}")
    parser.add_argument("--taught", type=int, default=30, help="steps of imitation")
    parser.add_argument("--out", type=Path, default=Path("docs/learning"))
    parser.add_argument("--cpu", action="store_true", help="try it out without an accelerator")
    asked = parser.parse_args(argv)
    if not asked.cpu and not torch.accelerator.is_available():
        parser.error("torch sees no accelerator: `make learn` needs none, and --cpu tries this out in small")
    quieten(torch.get_num_threads())
    try:
        speeds = compare(asked.model, asked.steps, asked.episodes, asked.taught, asked.cpu)
    except UsageError as error:
        parser.error(str(error))
    asked.out.mkdir(parents=True, exist_ok=True)
    (asked.out / "gpu.md").write_text(page(speeds, asked.model, asked.episodes, device(asked.cpu)))
    print((asked.out / "gpu.md").read_text())
    return 0


def compare(name: str, steps: int, episodes: int, taught: int, cpu: bool) -> list[Speed]:
    """Ours and TRL's with LoRA, then both in full, each from the same taught weights."""
    if episodes % GROUP:
        raise UsageError(f"--episodes must be a multiple of {GROUP}, the group's size")
    model, tokenizer = models.load(name)
    model.to("cpu" if cpu else torch.accelerator.current_accelerator())
    codec = ChatCodec(tokenizer)
    speeds = []
    with Engine() as engine:
        tasks = engine.run(engine.runtime.tasks(LOOKUP).take("train", 64))
        shown = Play(LOOKUP, LOOKUP.policies["oracle"](), engine)(tasks)
        rows = sft.taught_rows(shown, codec, LOOKUP)
        sft.train(
            model, rows, int(tokenizer.pad_token_id), sft.SFTConfig(steps=taught, batch_size=8, lr=1e-4, warmup=5)
        )
        for kind, prepared in (("LoRA", _lora), ("full", copy.deepcopy)):
            with tempfile.TemporaryDirectory() as folder:
                shared = _options(folder, steps, episodes, cpu)
                speeds.append(_ours(f"agentgym, {kind}", prepared(model), tasks, codec, engine, shared))
                speeds.append(_theirs(f"TRL {trl.__version__}, {kind}", prepared(model), codec, shared))
    return speeds


def device(cpu: bool) -> str:
    if cpu or not torch.cuda.is_available():
        return "the CPU, to try it out" if cpu else str(torch.accelerator.current_accelerator())
    return torch.cuda.get_device_name()


def page(speeds: Sequence[Speed], model: str, episodes: int, where: str) -> str:
    head = f"# `make learn-gpu`: {model} on {where}\n\nWritten by the command. {episodes} episodes a step, fp32.\n\n"
    columns = (
        "| | s a step | tokens sampled a step | tokens/s | overhead share | peak GiB | reward |\n" + "|---" * 7 + "|\n"
    )
    return head + columns + "\n".join(speed.row() for speed in speeds) + "\n"


def _lora(model: Any) -> Any:
    return get_peft_model(copy.deepcopy(model), LoraConfig(r=8, target_modules="all-linear", task_type="CAUSAL_LM"))


def _options(folder: str, steps: int, episodes: int, cpu: bool) -> dict[str, Any]:
    return {
        "output_dir": folder,
        "max_steps": steps + 1,
        "per_device_train_batch_size": episodes,
        "num_generations": GROUP,
        "learning_rate": 1e-6,
        "temperature": 1.0,
        "max_completion_length": 2 * MESSAGE * TURNS,
        "use_cpu": cpu,
        "bf16": False,
        "gradient_checkpointing": False,
        "logging_steps": 1,
        "save_strategy": "no",
        "report_to": "none",
        "disable_tqdm": True,
        "seed": 0,
    }


def _ours(name: str, model: Any, tasks: list[Task], codec: ChatCodec, engine: Engine, options: dict[str, Any]) -> Speed:
    args = AgentGRPOConfig(**options, max_new_tokens=MESSAGE)
    return _speed(name, AgentGRPOTrainer(model, LOOKUP, tasks, codec, args, engine=engine))


def _theirs(name: str, model: Any, codec: ChatCodec, options: dict[str, Any]) -> Speed:
    rows = [
        {"prompt": [{"role": "user", "content": f"key {key}"}], "key": key, "value": (5 * key + 3) % KEYS}
        for key in range(KEYS)
    ]
    args = trl.GRPOConfig(**options, max_tool_calling_iterations=TURNS)
    return _speed(
        name,
        trl.GRPOTrainer(
            model,
            args=args,
            train_dataset=Dataset.from_list(rows * 8),
            processing_class=codec.tokenizer,
            environment_factory=TrlLookup,
        ),
    )


def _speed(name: str, trainer: Any) -> Speed:
    """Train; the first step, in which much is set up, is not counted."""
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    count = Count(trainer)
    trainer.train()
    steps = len(count.ends) - 2
    if steps < 1 or len(count.sampled) != steps + 2:
        raise AgentGymError(f"{name}: {steps} steps after the first and {len(count.sampled) - 1} batches")
    log = [entry for entry in trainer.state.log_history if "reward" in entry][1:]
    overheads = [entry["agent/overhead_share"] for entry in log if "agent/overhead_share" in entry]
    on_gpu = torch.cuda.is_available() and not trainer.args.use_cpu
    return Speed(
        name,
        step_s=(count.ends[-1] - count.ends[1]) / steps,
        sampled=fmean(count.sampled[2:]),
        overhead=fmean(overheads) if overheads else None,
        memory=torch.cuda.max_memory_allocated()
        if on_gpu
        else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        reward=fmean(entry["reward"] for entry in log),
    )


if __name__ == "__main__":
    sys.exit(main())
