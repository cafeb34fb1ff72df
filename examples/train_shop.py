"""GRPO in a real shop: a small model learns to choose what was asked for, from WebShop's reward, in a real Chromium.

Episodes of `web/shop-v0` begin on the product's page, in one department. What is left is to choose colour, size and the like as the wish says,
and to buy. The model reads and clicks by name (`ByName`); tasks, pages, tools and verdict are the shop's own. It imitates a buyer most of
whose choices are random; the rest it learns from the reward.  Needs Chromium and the extras `train` and `web`; some
16 minutes of processor time, most of it the browser's.
"""

import argparse
import json
import re
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from random import Random

import torch
from tokenizers import Regex, Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast, PrinterCallback, TrainerCallback

from agentgym import Action, Context, Limits, Message, Scripted, Task, ToolCall
from agentgym.envs.web.reading import Row, page_of, rows_of
from agentgym.envs.web.shop.catalogue import catalogue
from agentgym.envs.web.shop.policies import Wish, say, shopping, wish_of
from agentgym.envs.web.shop.specs import SHOP
from agentgym.errors import UsageError
from agentgym.evals.metrics import summarise
from agentgym.policies.codec import CompactCodec
from agentgym.policies.local import LocalPolicy
from agentgym.trainers import sft
from agentgym.trainers.grpo import AgentGRPOConfig, AgentGRPOTrainer
from agentgym.trainers.models import small_model
from agentgym.trainers.rollouts import Engine, Play

DEPARTMENT = "electronics"
SPEC = replace(SHOP.configure(start="item"), limits=Limits(turns=4))
"""Three turns will do: what to choose, to the checkout, order."""
ANSWER = 4
"""Tokens that an action may have: two options, a button, and the end."""
BUTTONS = ("Add to cart", "Go to checkout", "Place order", "Search", "Update", "Remove")


# ---- how the model reads and writes -------------------------------------------------------------------------------------


class ByName(CompactCodec):
    """A page is the names of what can be clicked on it, in brackets; an action is such names, each of them clicked.

    Of all else that is said only the words are read that options have: "color [navy] [teal]" after "in color teal".
    """

    def prompt(self, context: Context) -> tuple[int, list[int]]:
        return super().prompt(replace(context, messages=[brief(message) for message in context.messages]))

    def parse(self, ids, context: Context):
        said = [self.tokenizer.convert_ids_to_tokens(id) for id in ids if id not in self.stop_ids]
        shown = {name_of(row): row.ref for row in reversed(shown_of(page_of(context)))}
        if not said or not set(said) <= set(shown):
            return " ".join(said), ()  # which the shop will not understand
        calls = (ToolCall(f"call_{n}", "click", json.dumps({"bid": shown[name]})) for n, name in enumerate(said))
        return "", tuple(calls)

    def write(self, action: Action, context: Context) -> list[int]:
        names = {row.ref: name_of(row) for row in page_of(context)}
        said = [names.get(json.loads(call.arguments).get("bid"), "") for call in action.calls]
        ids = self.tokenizer.convert_tokens_to_ids(said)
        if [call.arguments for call in self.parse(ids, context)[1]] != [call.arguments for call in action.calls]:
            raise UsageError(f"only clicks on what has a name can be said, and not {action.calls}")
        return [*ids, *self.stop_ids]


def brief(message: Message) -> Message:
    """Of what the shop says the first line, which is the wish at first, and the names on the page."""
    names = [name_of(row) for row in shown_of(rows_of(message.text))]
    return replace(message, content=" ".join([message.text.partition("\n")[0], *names]))


def shown_of(page: list[Row]) -> list[Row]:
    """What can be clicked, and what a group of it is called."""
    return [row for row in page if row.role in ("Legend", "radio", "button", "link")]


def name_of(row: Row) -> str:
    """Without what it costs; brackets tell a thing to click from a word about it."""
    return row.name.lower() if row.role == "Legend" else f"[{row.name.partition(' (+')[0]}]"


def tokenizer() -> PreTrainedTokenizerFast:
    """A token for each name, so that choosing is no spelling. What is none of them is not read."""
    options = [option for product in catalogue().products.values() for option in product.options]
    values = sorted({value for option in options for value in option.values}, key=len, reverse=True)
    words = [*values, *sorted({option.name for option in options})]
    names = [f"[{name}]" for name in (*values, *BUTTONS)]
    kept = [*CompactCodec.MARKERS, *names, *words]
    made = Tokenizer(models.WordLevel({word: n for n, word in enumerate(kept)}, unk_token=kept[0]))
    patterns = [*map(re.escape, names), *(rf"\b{re.escape(word)}\b" for word in words)]
    made.pre_tokenizer = pre_tokenizers.Split(Regex("|".join(patterns)), "removed", invert=True)
    pad, end, *others = CompactCodec.MARKERS
    return PreTrainedTokenizerFast(
        tokenizer_object=made,
        pad_token=pad,
        eos_token=end,
        unk_token=None,
        additional_special_tokens=others,
    )


def fresh_model(words: PreTrainedTokenizerFast, seed: int):
    """Llama's weights begin too small for 64 dimensions: with larger ones it learns sooner to say what it reads."""
    model = small_model(words, hidden=64, layers=2, context=256, seed=seed)
    with torch.no_grad():
        for weights in model.parameters():
            if weights.dim() > 1:
                weights.mul_(5)
    return model


# ---- who plays ----------------------------------------------------------------------------------------------------------


def buying(name, pick) -> Scripted:
    """Buys the product with `pick(values, right, rng)` of each option."""

    def play(context: Context) -> Action:
        wish, rng = wish_of(context), Random(context.seed)
        options = catalogue().products[wish.product].options
        chosen = {each.name: pick(each.values, wish.chosen[each.name], rng) for each in options}
        return say(context, *shopping(context, [Wish(wish.product, chosen)]))

    return Scripted(name, play, privileged=True)


def fallible(noise: float) -> Scripted:
    """What is imitated: so many of its choices are random ones."""
    return buying(f"fallible {noise}", lambda values, right, rng: rng.choice(values) if rng.random() < noise else right)


async def some_tasks(runtime, split: str, number: int) -> list[Task]:
    """The first ones of the department."""
    shop = runtime.tasks(SPEC)
    found: list[Task] = []
    async for id in shop.ids(split):
        task = await shop.get(id)
        if DEPARTMENT in task.tags:
            found.append(task)
        if len(found) == number:
            break
    return found


# ---- the experiment -----------------------------------------------------------------------------------------------------


class Watch(TrainerCallback):
    """Success and reward on validation tasks every few steps; `report(name, policy, tasks)` is a line of it."""

    def __init__(self, engine, tasks, learner, every):
        self.engine, self.tasks, self.learner, self.every, self.said = engine, tasks, learner, every, []

    def report(self, name, policy, tasks):
        found = summarise(Play(SPEC, policy, self.engine, seed=7)(tasks, 1))
        rate, cpu = found.success, round(time.process_time())
        self.said.append({"name": name, "episodes": len(tasks), "success": rate.model_dump(), "failed": found.failed})
        self.said[-1] |= {"reward": found.reward, "cpu_s": cpu}
        told = f"{name}: success {rate.mean:.3f} [{rate.low:.3f}, {rate.high:.3f}], reward {found.reward:.3f}"
        print(f"{told}, {cpu} s", flush=True)

    def on_step_end(self, args, state, control, **_):
        if state.global_step % self.every == 0:
            self.report(f"step {state.global_step}, validation", self.learner(), self.tasks)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    counts = {"taught": 400, "imitation": 150, "tasks": 500, "steps": 50, "batch": 64, "every": 10}
    for name, default in {**counts, "looked": 40, "tested": 100, "seed": 0}.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--noise", type=float, default=0.7, help="how many choices of the imitated are random")
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--imitation-lr", type=float, default=3e-3)
    parser.add_argument("--out", type=Path, help="where the numbers go, as JSON")
    given = parser.parse_args()
    torch.set_num_threads(1)  # faster for a model this small
    with Engine() as engine, tempfile.TemporaryDirectory() as folder:

        def tasks(split, number):
            return engine.run(some_tasks(engine.runtime, split, number))

        train = tasks("train", given.taught + given.tasks)
        validation, test = tasks("validation", given.looked), tasks("test", given.tested)
        imitated = fallible(given.noise)
        taught = Play(SPEC, imitated, engine, seed=given.seed)(train[: given.taught], 1)
        codec = ByName(tokenizer())
        model = fresh_model(codec.tokenizer, given.seed)

        def learner():  # a new one whenever the weights are: it keeps what it has computed
            return LocalPolicy(model, codec, max_new_tokens=ANSWER)

        watch = Watch(engine, validation, learner, given.every)
        watch.report("random clicks, test", SPEC.policies["random"](), test)
        watch.report("the first of each option, test", buying("first", lambda values, right, rng: values[0]), test)
        watch.report("random choices, test", fallible(1.0), test)
        watch.report("the imitated, test", imitated, test)
        config = sft.SFTConfig(given.imitation, lr=given.imitation_lr, seed=given.seed)
        sft.train(model, sft.taught_rows(taught, codec, SPEC), codec.tokenizer.pad_token_id, config)
        watch.report("after imitation, test", learner(), test)
        args = AgentGRPOConfig(
            output_dir=folder,
            max_steps=given.steps,
            learning_rate=given.lr,
            warmup_steps=5,
            lr_scheduler_type="constant_with_warmup",
            logging_strategy="no",
            per_device_train_batch_size=given.batch,
            num_generations=8,
            max_new_tokens=ANSWER,
            concurrency=16,  # browser sessions
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
