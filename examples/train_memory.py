"""A small model learns when to add, update, delete or leave out: GRPO on Memory-R1's manager. Needs the extra `train`.

It is first taught the four words by imitating random choices, then trained on short dialogues by reward alone, and tested
on dialogues ten times as long, beside keeping everything, nothing and the most recent.  `docs/memory-learning.md` has results.
"""

import argparse
import json
import re
import tempfile
from pathlib import Path
from random import Random

import torch
from transformers import PreTrainedTokenizerFast, PrinterCallback, TrainerCallback

from agentgym.envs.memory.dialogue.specs import DIALOGUE
from agentgym.envs.memory.policies import lines_shown, say
from agentgym.envs.memory.store import tokens
from agentgym.evals.metrics import rate
from agentgym.policies.codec import CompactCodec
from agentgym.policies.local import LocalPolicy
from agentgym.policy import Scripted
from agentgym.trainers import sft
from agentgym.trainers.grpo import AgentGRPOConfig, AgentGRPOTrainer
from agentgym.trainers.models import small_model
from agentgym.trainers.rollouts import Engine, Play

SHORT, FACTOR = 1_000, 10
RELATED = re.compile(r"^\[(\w+)\] \S+ (.*)$", re.M)
HEAD = re.compile(r"^Part .*:\n\S+ (.*)", re.M)


def spec(size):
    return DIALOGUE.configure(system="memory-r1", tokens=size, budget=0.1, item=64, shown=1)


def view(text):
    """What the small model sees of an observation: the related memory, if any, and the line, both without dates."""
    related, line = RELATED.search(text), HEAD.search(text)
    return f"{related[2] if related else 'none'} ## {line[1] if line else ''}"


class ManagerCodec(CompactCodec):
    """One word an action; "update" and "delete" mean the related memory that is shown."""

    def __init__(self, tokenizer):
        super().__init__(tokenizer, given)

    def prompt(self, context):
        ids = self._encode(view(context.messages[0].text))
        return 0, [self._ids["<|user|>"], *ids, self._ids["<|act|>"]]


def given(context):
    found = RELATED.search(context.messages[0].text)
    return {"memory_id": found[1]} if found else {}


def word_tokenizer(texts, size=640):
    """Byte-level BPE that never joins words, so that words in new sentences stay what they are."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    markers = list(CompactCodec.MARKERS)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=markers, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token=markers[0], eos_token=markers[1])


# ---- what it is compared with ---------------------------------------------------------------------------------------


def chance(context):
    names = ["add", "noop", *(["update", "delete"] if given(context) else [])]
    name = Random(context.seed).choice(names)
    return say(context, (name, given(context) if name in ("update", "delete") else {}))


def most_recent(context):
    """Adds every line, and deletes the oldest ones where that takes room. Works out again what it has kept."""
    payload, first = context.task.payload, lines_shown(context.messages[0].text)[0]
    budget = int(re.search(r"of (\d+) tokens are in use", context.messages[0].text)[1])
    kept, count = [], 0
    for place in payload["facts"]:
        line, dropped = payload["lines"][place], []
        if tokens(line) > budget or any(line == payload["lines"][other] for _, other in kept):
            continue
        while sum(tokens(payload["lines"][other]) for _, other in kept) + tokens(line) > budget:
            dropped.append(kept.pop(0)[0])
        count += 1
        kept.append((f"{count:04x}", place))
        if place == first:
            return say(context, *(("delete", {"memory_id": id}) for id in dropped), ("add", {}))
    return say(context, ("noop", {}))


BASELINES = {
    "keep everything": Scripted("keep", lambda context: say(context, ("add", {}))),
    "keep nothing": Scripted("nothing", lambda context: say(context, ("noop", {}))),
    "keep the most recent": Scripted("recent", most_recent),
    "choose at random": Scripted("chance", chance),
}


# ---- the experiment ---------------------------------------------------------------------------------------------------


class Stage:
    def __init__(self, engine, options):
        self.engine, self.options = engine, options
        self.train = self.tasks("train", SHORT, options.tasks)

    def tasks(self, split, size, number):
        return self.engine.run(self.engine.runtime.tasks(spec(size)).take(split, number))

    def measure(self, policy, split, size, number):
        """Quality, accuracy, leaks and reward on `number` tasks; the interval is Wilson's over tasks."""
        played = Play(spec(size), policy, self.engine, seed=7, concurrency=32)(self.tasks(split, size, number))
        records = [trajectory.record for trajectory in played if trajectory.record]
        quality = rate([record.success for record in records])
        by_name = [{channel.name: channel.value for channel in record.channels} for record in records]
        means = {
            name: sum(each[name] or 0 for each in by_name) / len(by_name) for name in ("accuracy", "leaked", "stale")
        }
        return {"quality": quality.model_dump(), "reward": sum(r.total for r in records) / len(records), **means}

    def policy(self, model, codec):
        return LocalPolicy(model, codec, temperature=0.0, max_new_tokens=6, max_batch=256)


class Watch(TrainerCallback):
    """The learning curve: every few steps, on validation tasks that are short and ten times as long."""

    def __init__(self, stage, model, codec):
        self.stage, self.model, self.codec, self.curve = stage, model, codec, []

    def look(self, step):
        options, self.codec_policy = self.stage.options, self.stage.policy(self.model, self.codec)
        found = {"step": step}
        for name, size, number in (("short", SHORT, options.looked), ("long", SHORT * FACTOR, options.looked // 4)):
            found[name] = self.stage.measure(self.codec_policy, "validation", size, max(number, 2))
        self.curve.append(found)
        told = ", ".join(f"{name} {found[name]['quality']['mean']:.3f}" for name in ("short", "long"))
        print(f"step {step}: quality {told}", flush=True)

    def on_step_end(self, args, state, control, **_):
        if state.global_step % self.stage.options.every == 0:
            self.look(state.global_step)


def learn(stage, folder):
    options = stage.options
    taught = Play(spec(SHORT), BASELINES["choose at random"], stage.engine)(stage.train[:64], 2)
    texts = [view(m.text) for t in taught for turn in t.turns for m in turn.observation.messages]
    codec = ManagerCodec(word_tokenizer([*texts, "add noop update delete"] * 3))
    model = small_model(codec.tokenizer, hidden=64, layers=2, context=256, seed=options.seed)
    rows = sft.taught_rows(taught, codec, spec(SHORT))
    sft.train(model, rows, codec.tokenizer.pad_token_id, sft.SFTConfig(steps=80, lr=2e-3, seed=options.seed))
    args = AgentGRPOConfig(
        output_dir=folder,
        max_steps=options.steps,
        learning_rate=options.lr,
        lr_scheduler_type="constant",
        logging_strategy="no",
        per_device_train_batch_size=options.groups * options.group_size,
        num_generations=options.group_size,
        max_new_tokens=6,
        concurrency=256,
        use_cpu=True,
        save_strategy="no",
        disable_tqdm=True,
        seed=options.seed,
    )
    trainer = AgentGRPOTrainer(model, spec(SHORT), stage.train, codec, args, engine=stage.engine)
    watch = Watch(stage, model, codec)
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(watch)
    watch.look(0)
    trainer.train()
    return stage.policy(model, codec), watch.curve


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (
        ("steps", 60),
        ("groups", 12),
        ("group-size", 12),
        ("tasks", 400),
        ("every", 10),
        ("seed", 0),
    ):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--looked", type=int, default=60, help="validation tasks of a look")
    parser.add_argument("--tested", type=int, default=80, help="test tasks")
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--out", type=Path, help="where the numbers go, as JSON")
    options = parser.parse_args()
    torch.set_num_threads(1)  # faster for a model this small
    with Engine() as engine, tempfile.TemporaryDirectory() as folder:
        stage = Stage(engine, options)
        learned, curve = learn(stage, folder)
        found = {"options": {**vars(options), "out": None}, "curve": curve, "test": {}}
        for name, policy in {"learned": learned, **BASELINES}.items():
            found["test"][name] = {
                size: stage.measure(policy, "test", size, options.tested) for size in (SHORT, SHORT * FACTOR)
            }
            told = {size: f"{each['quality']['mean']:.3f}" for size, each in found["test"][name].items()}
            print(f"test: {name}: quality by tokens {told}", flush=True)
    if options.out:
        options.out.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
