"""How long until the first optimiser step, beside TRL's own environments: `python benchmarks/trainers.py`.

The same task, prompts, model and budget for AgentGRPOTrainer and for TRL's GRPOTrainer with `environment_factory`, one
after the other in one run: episodes of three tool calls that take a second each, and a closing message.  The model is a
small one made on the spot and taught to call the tool, so that nearly all of the wall time is the environment's and
the trainer's; how much is the model's is shown.  A third row has calls that take no time: what our trainer itself costs.
"""

from __future__ import annotations

import argparse
import asyncio
import copy
import json
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from types import SimpleNamespace
from typing import Any

import torch
import trl
from datasets import Dataset
from transformers import PrinterCallback, TrainerCallback
from transformers.utils import get_json_schema
from trl.chat_template_utils import qwen2_5_chat_template

from agentgym import (
    Action,
    Channel,
    Config,
    Context,
    Environment,
    EnvSpec,
    Evidence,
    Limits,
    Rubric,
    Runtime,
    Score,
    Scripted,
    Task,
    TaskList,
    ToolCall,
    Verifier,
    tool,
)
from agentgym.policies.codec import ChatCodec
from agentgym.policies.watch import Watch
from agentgym.trainers import sft
from agentgym.trainers.grpo import AgentGRPOConfig, AgentGRPOTrainer
from agentgym.trainers.models import small_model, train_tokenizer
from agentgym.trainers.rollouts import Engine, Play
from agentgym.trainers.timing import StepClock

GROUP = 8
CALLS = 3
BUTTONS = 10
MESSAGE = 40
"""Tokens that a message may have; TRL's budget is for the whole episode, what the tool says included."""
REPLY = 20
PARTS = ("time_step", "time_generate", "time_environment", "time_learn", "overhead_share")


@dataclass
class Count:
    """What one contestant did: environment steps, prompts that it began with, tokens that it sampled."""

    steps: int = 0
    prompts: list[list[int]] = field(default_factory=list)
    sampled: int = 0

    def note(self, batch: Mapping[str, Any]) -> None:
        """What is in a batch as it will be trained."""
        pairs = zip(batch["prompt_ids"], batch["prompt_mask"], strict=True)
        self.prompts += [ids[mask.bool()].tolist() for ids, mask in pairs]
        self.sampled += int((batch["completion_mask"] * batch["tool_mask"]).sum())


# ---- the task, as an environment of ours and as one of TRL's ------------------------------------------------------


class SlowConfig(Config):
    seconds: float = 1.0


class Slow(Environment[SlowConfig]):
    """Press buttons, one after the other; each takes its time."""

    count = Count()

    async def on_reset(self) -> str:
        self.pressed: list[int] = []
        return statement(self.task.payload["buttons"])

    @tool
    async def press(self, button: int) -> str:
        """Press a button and wait for what it does.

        Args:
            button: Which one, from 0 to 9.
        """
        self.count.steps += 1
        await asyncio.sleep(self.config.seconds)
        self.pressed.append(button)
        return "pressed"

    async def on_text(self, text: str) -> None:
        self.end("said")

    async def artefacts(self) -> dict[str, str]:
        return {"pressed": json.dumps(self.pressed)}


class Pressed(Verifier):
    name = "pressed"

    async def verify(self, evidence: Evidence, runtime: Any) -> list[Score]:
        return [Score("right", right(json.loads(evidence.artefacts["pressed"]), evidence.task.payload["buttons"]))]


def trl_environment(seconds: float, count: Count) -> type:
    """What `environment_factory` takes: every public method is a tool, and `get_reward` the reward."""

    class TrlSlow:
        def reset(self, buttons: Sequence[int], **_: Any) -> None:
            self._buttons, self._pressed = list(buttons), []

        def press(self, button: int) -> str:
            """Press a button and wait for what it does.

            Args:
                button: Which one, from 0 to 9.
            """
            count.steps += 1
            time.sleep(seconds)
            self._pressed.append(button)
            return "pressed"

        def get_reward(self) -> float:
            return right(self._pressed, self._buttons)

    return TrlSlow


def statement(buttons: Sequence[int]) -> str:
    return f"Press {', then '.join(map(str, buttons))}."


def right(pressed: Sequence[int], wanted: Sequence[int]) -> float:
    return sum(a == b for a, b in zip(pressed, wanted, strict=False)) / len(wanted)


def spec(seconds: float, tasks: list[Task]) -> EnvSpec:
    return EnvSpec(
        "bench/slow-v0",
        Slow,
        lambda config, runtime: TaskList(tasks),
        Pressed(),
        Rubric((Channel("right", "outcome"),)),
        config=SlowConfig(seconds=seconds),
        limits=Limits(turns=CALLS + 1),
    )


def tasks_of(count: int, seed: int) -> list[Task]:
    rng = Random(seed)
    return [
        Task(f"{seed}-{i}", "bench/slow-v0", {"buttons": [rng.randrange(BUTTONS) for _ in range(CALLS)]}, split="train")
        for i in range(count)
    ]


# ---- a model that calls the tool ----------------------------------------------------------------------------------


class SameWords(ChatCodec):
    """Describes the tool as TRL does, so that the prompts of both are the same to the token."""

    SCHEMA: Mapping[str, Any] = get_json_schema(trl_environment(0.0, Count()).press)

    def prompt(self, context: Context) -> tuple[int, list[int]]:
        return super().prompt(replace(context, tools=[SimpleNamespace(openai=lambda: dict(self.SCHEMA))]))


def play_it(context: Context) -> Action:
    """Presses the right buttons, and says so."""
    if context.turn == CALLS:
        return Action("Done.")
    said = [int(word.strip(",.")) for word in context.messages[0].text.split() if word[0].isdigit()]
    return Action("", (ToolCall(f"c{context.turn}", "press", json.dumps({"button": said[context.turn]})),))


def tokenizer_of(texts: list[str]) -> Any:
    made = train_tokenizer(texts, 900)
    made.add_special_tokens({"additional_special_tokens": ["<|im_start|>", "<|im_end|>"]})
    made.eos_token = "<|im_end|>"
    made.chat_template = qwen2_5_chat_template
    return made


def taught(seed: int) -> tuple[Any, SameWords]:
    """A small model that has seen the task done."""
    tasks = tasks_of(64, seed)
    conversation = [
        {"role": "user", "content": "Press 0 1, then 2 3. Press 4 5, then 6 7. Press 8 9."},
        {"role": "assistant", "tool_calls": [{"function": {"name": "press", "arguments": {"button": 1}}}]},
        {"role": "tool", "content": "pressed"},
        {"role": "assistant", "content": "Done."},
    ]
    text = tokenizer_of(["-"]).apply_chat_template(conversation, tools=[SameWords.SCHEMA], tokenize=False)
    codec = SameWords(tokenizer_of([text] * 3))
    torch.manual_seed(seed)
    model = small_model(codec.tokenizer, hidden=64, layers=2, seed=seed)
    at_once = spec(0.0, tasks)
    with Engine(Runtime()) as engine:
        episodes = Play(at_once, Scripted("right", play_it), engine)(tasks)
    rows = sft.taught_rows(episodes, codec, at_once)
    loss = sft.train(model, rows, codec.tokenizer.pad_token_id, sft.SFTConfig(steps=400, batch_size=16, lr=3e-3))
    print(f"model: {model.num_parameters() / 1e6:.2f} M parameters, taught to a loss of {loss:.2f}", flush=True)
    return model, codec


# ---- the two contestants ------------------------------------------------------------------------------------------


@dataclass
class Outcome:
    """One contestant's first step. `wall`: from `train()` to the end of the first optimiser step, seconds."""

    name: str
    wall: float
    count: Count
    parts: dict[str, float]
    reward: float


class FirstStep(TrainerCallback):  # type: ignore[misc]
    """Notes when the optimiser has stepped for the first time."""

    at: float | None = None

    def on_optimizer_step(self, *_: Any, **__: Any) -> None:
        self.at = self.at or time.perf_counter()


def options(rollouts: int, folder: str) -> dict[str, Any]:
    return {
        "output_dir": folder,
        "max_steps": 1,
        "per_device_train_batch_size": rollouts,
        "num_generations": GROUP,
        "learning_rate": 1e-4,
        "temperature": 1.0,
        "max_completion_length": (MESSAGE + REPLY) * (CALLS + 1),
        "use_cpu": not torch.cuda.is_available(),
        "bf16": False,
        "gradient_checkpointing": False,
        "logging_steps": 1,
        "save_strategy": "no",
        "report_to": "none",
        "disable_tqdm": True,
        "seed": 0,
    }


def measured(name: str, trainer: Any, prefix: str, count: Count) -> Outcome:
    first = FirstStep()
    trainer.add_callback(first)
    trainer.remove_callback(PrinterCallback)
    began = time.perf_counter()
    trainer.train()
    assert first.at is not None
    entry = next(entry for entry in trainer.state.log_history if f"{prefix}time_step" in entry)
    return Outcome(
        name, first.at - began, count, {part: entry[f"{prefix}{part}"] for part in PARTS}, float(entry["reward"])
    )


class Ours(AgentGRPOTrainer):
    count: Count

    def _generate_and_score_completions(self, inputs: Any) -> Any:
        output = super()._generate_and_score_completions(inputs)
        self.count.note(output)
        return output


class Theirs(trl.GRPOTrainer):  # type: ignore[misc]
    """TRL's trainer with the same clock in it; what it does is left as it is."""

    count: Count

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.sampling = Watch()
        self.clock = StepClock(lambda: self.sampling.seconds, lambda name, x: self._metrics["train"][name].append(x))
        self.add_callback(self.clock)

    def _generate(self, *args: Any) -> Any:
        with self.clock.playing:
            return super()._generate(*args)

    def _generate_single_turn(self, *args: Any, **options: Any) -> Any:
        with self.sampling:
            return super()._generate_single_turn(*args, **options)

    def _get_per_token_logps_and_entropies(self, *args: Any, **options: Any) -> Any:
        with self.clock.learning:
            return super()._get_per_token_logps_and_entropies(*args, **options)

    def _generate_and_score_completions(self, inputs: Any) -> Any:
        output = super()._generate_and_score_completions(inputs)
        self.count.note(output)
        return output

    def compute_loss(self, *args: Any, **options: Any) -> Any:
        self.clock.learns()
        return super().compute_loss(*args, **options)


def ours(model: Any, codec: SameWords, rollouts: int, seconds: float) -> Outcome:
    tasks, Slow.count = tasks_of(rollouts // GROUP, 1), Count()
    with tempfile.TemporaryDirectory() as folder:
        args = AgentGRPOConfig(**options(rollouts, folder), max_new_tokens=MESSAGE, concurrency=rollouts)
        trainer = Ours(model, spec(seconds, tasks), tasks, codec, args)
        trainer.count = Slow.count
        return measured(f"agentgym, {seconds:g} s a call", trainer, "agent/", Slow.count)


def theirs(model: Any, codec: SameWords, rollouts: int, seconds: float) -> Outcome:
    count = Count()
    tasks = [task.payload["buttons"] for task in tasks_of(rollouts // GROUP, 1)]
    rows = [{"prompt": [{"role": "user", "content": statement(each)}], "buttons": each} for each in tasks]
    with tempfile.TemporaryDirectory() as folder:
        args = trl.GRPOConfig(**options(rollouts, folder), max_tool_calling_iterations=CALLS)
        trainer = Theirs(
            model,
            args=args,
            train_dataset=Dataset.from_list(rows),
            processing_class=codec.tokenizer,
            environment_factory=trl_environment(seconds, count),
        )
        trainer.count = count
        return measured(f"TRL {trl.__version__} environment_factory, {seconds:g} s a call", trainer, "", count)


def show(outcome: Outcome, rollouts: int) -> None:
    step, generate, environment, learn, overhead = outcome.parts.values()
    model = (generate + learn) / step
    print(
        f"| {outcome.name} | {outcome.wall:.2f} | {outcome.count.steps} | {outcome.count.sampled / rollouts:.0f} | "
        f"{outcome.reward:.2f} | {generate:.2f} | {environment:.2f} | {learn:.2f} | {model:.0%} | {overhead:.0%} |",
        flush=True,
    )


def main(rollouts: int, seconds: float) -> None:
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)  # a model so small is not faster with more, and slower beside other work
    print(f"{os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}, torch {torch.__version__}", flush=True)
    model, codec = taught(0)
    print(f"{rollouts} episodes of {CALLS} tool calls\n")
    print(
        "| trainer | s to the first optimiser step | environment steps | tokens sampled an episode | reward |", end=""
    )
    print(" generate s | wait for environments s | learn s | model's share | neither |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    show(ours(copy.deepcopy(model), codec, rollouts, 0.0), rollouts)
    mine = ours(copy.deepcopy(model), codec, rollouts, seconds)
    show(mine, rollouts)
    other = theirs(copy.deepcopy(model), codec, rollouts, seconds)
    show(other, rollouts)
    if sorted(mine.count.prompts) != sorted(other.count.prompts):
        sys.exit("the two were not given the same prompts: this is no comparison")
    ratio = mine.wall / other.wall
    print(f"\nratio of the two walls: {ratio:.4f} (1/{1 / ratio:.1f})")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rollouts", type=int, default=64, help=f"a multiple of {GROUP}")
    parser.add_argument("--seconds", type=float, default=1.0, help="what a tool call takes")
    chosen = parser.parse_args()
    main(chosen.rollouts, chosen.seconds)
