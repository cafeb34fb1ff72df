"""GRPO in a real browser: a small model learns to click what a page asks for, on six pages of MiniWoB++.

It imitates an oracle that clicks on anything now and then, which is enough to act but not to act well; the rest it learns from
the pages' own verdicts.  Held-out pages have seeds of their own.  Needs Chromium and the extras `train` and `web`; 540 CPU seconds.
"""

import argparse
import json
import re
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random

import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast, PrinterCallback, TrainerCallback

from agentgym import Action, Context, Scripted
from agentgym.envs.web.miniwob.oracle import next_calls
from agentgym.envs.web.miniwob.policies import say
from agentgym.envs.web.miniwob.specs import MINIWOB
from agentgym.envs.web.reading import page_of
from agentgym.evals.metrics import summarise
from agentgym.policies.codec import CompactCodec
from agentgym.policies.local import LocalPolicy
from agentgym.trainers import sft
from agentgym.trainers.grpo import AgentGRPOConfig, AgentGRPOTrainer
from agentgym.trainers.models import small_model
from agentgym.trainers.rollouts import Engine, Play

PAGES = ("click-test-2", "focus-text-2", "click-tab", "click-button-sequence", "click-color", "identify-shape")
SPEC = replace(MINIWOB.configure(names=PAGES, test_seeds=100), limits=replace(MINIWOB.limits, turns=3))
"""Three turns: clicking all there is until it was right is no skill."""
ANSWER = 8
"""Tokens that an action may have: "click 12" has three."""


def tokenizer(trajectories) -> PreTrainedTokenizerFast:
    """A token for each word of the pages seen, so that looking for a word is no spelling."""
    texts = [m.text for t in trajectories for turn in t.turns for m in turn.observation.messages]
    words = Counter(word for text in texts for word in re.findall(r"\w+|[^\w\s]+", text))
    fixed = [*CompactCodec.MARKERS, "<|unknown|>", *SPEC.entry.toolbox, *map(str, range(100))]
    names = dict.fromkeys([*fixed, *(word for word, _ in words.most_common())])
    made = Tokenizer(models.WordLevel({word: n for n, word in enumerate(names)}, unk_token="<|unknown|>"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    pad, end, *others = CompactCodec.MARKERS
    return PreTrainedTokenizerFast(
        tokenizer_object=made,
        pad_token=pad,
        eos_token=end,
        unk_token="<|unknown|>",
        additional_special_tokens=others,
    )


def fallible(noise: float) -> Scripted:
    """What is imitated: the oracle, which clicks on anything now and then."""

    def play(context: Context) -> Action:
        rng = Random(context.seed)
        if rng.random() < noise:
            return say(context, ("click", {"bid": rng.choice(page_of(context)).ref}))
        return say(context, *next_calls(context))

    return Scripted(f"fallible {noise}", play)


class Watch(TrainerCallback):
    """Success on validation tasks every few steps; `report(name, policy, tasks)` is a line of it."""

    def __init__(self, engine, tasks, learner, every):
        self.engine, self.tasks, self.learner, self.every, self.said = engine, tasks, learner, every, []

    def report(self, name, policy, tasks):
        found = summarise(Play(SPEC, policy, self.engine, seed=7)(tasks, 1))
        rate = found.success
        self.said.append({"name": name, "episodes": len(tasks), "success": rate.model_dump(), "failed": found.failed})
        print(f"{name}: success {rate.mean:.3f} [{rate.low:.3f}, {rate.high:.3f}]", flush=True)

    def on_step_end(self, args, state, control, **_):
        if state.global_step % self.every == 0:
            self.report(f"step {state.global_step}, validation", self.learner(), self.tasks)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    counts = {"taught": 600, "imitation": 400, "tasks": 600, "steps": 100, "every": 20, "looked": 60, "tested": 180}
    for name, default in {**counts, "seed": 0}.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--noise", type=float, default=0.4, help="how often the imitated expert clicks on anything")
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--out", type=Path, help="where the numbers go, as JSON")
    given = parser.parse_args()
    torch.set_num_threads(1)  # faster for a model this small
    with Engine() as engine, tempfile.TemporaryDirectory() as folder:

        def tasks(split, number):
            return engine.run(engine.runtime.tasks(SPEC).take(split, number))

        train = tasks("train", given.taught + given.tasks)
        validation, test = tasks("validation", given.looked), tasks("test", given.tested)
        taught = Play(SPEC, fallible(given.noise), engine, seed=given.seed)(train[: given.taught], 1)
        codec = CompactCodec(tokenizer(taught))
        model = small_model(codec.tokenizer, hidden=64, layers=2, context=512, seed=given.seed)

        def learner():  # a new one whenever the weights are: it keeps what it has computed
            return LocalPolicy(model, codec, max_new_tokens=ANSWER)

        watch = Watch(engine, validation, learner, given.every)
        watch.report("random, test", SPEC.policies["random"](), test)
        rows = sft.taught_rows(taught, codec, SPEC)
        config = sft.SFTConfig(given.imitation, lr=5e-3, seed=given.seed)
        sft.train(model, rows, codec.tokenizer.pad_token_id, config)
        watch.report("the imitated, test", fallible(given.noise), test)
        watch.report("after imitation, test", learner(), test)
        args = AgentGRPOConfig(
            output_dir=folder,
            max_steps=given.steps,
            learning_rate=given.lr,
            lr_scheduler_type="constant",
            logging_strategy="no",
            per_device_train_batch_size=64,
            num_generations=8,
            max_new_tokens=ANSWER,
            concurrency=8,  # browser sessions
            use_cpu=True,
            save_strategy="no",
            disable_tqdm=True,
            seed=given.seed,
        )
        trainer = AgentGRPOTrainer(model, SPEC, train[given.taught :], codec, args, engine=engine)
        trainer.remove_callback(PrinterCallback)
        trainer.add_callback(watch)
        trainer.train()
        watch.report("after GRPO, test", learner(), test)
        watch.report("oracle, test", SPEC.policies["oracle"](), test)
    if given.out:
        given.out.write_text(json.dumps(watch.said, indent=1))


if __name__ == "__main__":
    main()
