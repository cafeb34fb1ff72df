"""GRPO on travel planning, with failures replayed: a small model learns from verdicts to choose what fits the budget.

A model from scratch can not write a plan, so this environment builds on `travel/planner-v0`: it shows offers for the way
out, the way back and the hotel, and writes the plan that the choices make.  World, tasks and verdict are the real ones;
the test tasks' worlds are their own.  The warm start imitates a random choice, so it teaches the form and nothing of prices.
`docs/travel-learning.md` has results.  Needs the extra `train`; some minutes on a CPU.
"""

import argparse
import copy
import json
import math
import tempfile
import time
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from random import Random

import torch
from transformers import PreTrainedTokenizerFast, PrinterCallback, TrainerCallback

from agentgym import Action, Context, Limits, Message, Observation, Scripted, ToolCall, tool
from agentgym.envs.travel.environment import PlannerEnvironment
from agentgym.envs.travel.render import render
from agentgym.envs.travel.solver import Solution, Solver
from agentgym.envs.travel.specs import PLANNER
from agentgym.envs.travel.tasks import world_of
from agentgym.envs.travel.trip import Trip
from agentgym.errors import ToolError
from agentgym.evals.metrics import summarise
from agentgym.policies.codec import CompactCodec
from agentgym.policies.local import LocalPolicy
from agentgym.trainers import sft
from agentgym.trainers.grpo import AgentGRPOConfig, AgentGRPOTrainer
from agentgym.trainers.models import small_model
from agentgym.trainers.rollouts import Engine, Play

OFFERS, LEVELS = 4, 16
KINDS = ("out", "back", "hotel")


def level(price: int) -> int:
    """Prices are shown as levels, a third dearer each, so that a model sees each of them often."""
    return min(max(round(math.log(price / 20) / math.log(1.33)), 0), LEVELS - 1)


@lru_cache
def best(world: int, trip: Trip) -> Solution:
    """The cheapest plan; a group asks for the same."""
    return Solver(world_of(world), trip).best()


# ---- the environment --------------------------------------------------------------------------------------------------


class Counter(PlannerEnvironment):
    """Up to three choices, each in a fresh context: the way out, the way back, the hotel. All else is the best plan's.

    Each seed has offers of its own. Where there is but one, nobody is asked.
    """

    async def on_reset(self) -> Observation:
        await super().on_reset()
        self.trip = Trip.of(self.task.secret["stages"][0]["trip"])
        self.best = best(self.task.payload["world"], self.trip)
        rows = [*map(self._ways, self.best.legs), self._hotels(self.best.stays[0])]
        self.offers = [self._some(each, number) for number, each in enumerate(rows)]
        self.chosen = []
        return self._next()

    @tool
    def choose(self, price: int) -> None:
        """Take the offer at this price.

        Args:
            price: A level that is shown.
        """
        offers = self.offers[len(self.chosen)]
        if price not in offers:
            raise ToolError(f"there is no offer at {price}")
        self._take(offers[price])

    async def on_text(self, text: str) -> None:
        return None

    async def on_turn(self) -> Observation | None:
        return self._next()

    def _next(self) -> Observation | None:
        """The next choice; after the last, the plan is handed in."""
        while len(self.chosen) < len(KINDS):
            offers = self.offers[len(self.chosen)]
            if len(offers) > 1:
                said = " ".join(map(str, [KINDS[len(self.chosen)], *offers]))
                return Observation((Message("user", said),), ("choose",), fresh=True)
            self._take(*offers.values())
        self._note(place.key for _, place in self.best.stays[0].meals.eaten)
        for city in (self.trip.home, self.trip.destination):
            self._note(row.key for row in self.world.attractions(city))
        self._submit("plan", json.dumps(self._plan()), "")
        return None

    def _take(self, offer) -> None:
        _, key, row = offer
        self._note([key])
        self.chosen.append(row)

    def _ways(self, leg):
        """The timetable's, with what they cost the party. The best plan's is among them, also where that is a drive."""
        rows = [
            row
            for kind in ("flight", "train")
            for row in self.world.journeys(leg.origin, leg.destination, leg.date, kind)
            if row.seats >= self.trip.people
        ]
        made = [
            (
                row.price * self.trip.people,
                row.key,
                replace(leg, mode=row.kind, number=row.number, departs=row.departs, arrives=row.arrives),
            )
            for row in rows
        ]
        best = (leg.cost, leg.number or f"road {leg.origin} > {leg.destination}", leg)
        return made if any(key == best[1] for _, key, _ in made) else [best, *made]

    def _hotels(self, stay):
        return [
            (hotel.price, hotel.key, hotel)
            for hotel in self.world.hotels(stay.city)
            if hotel.minimum_nights <= len(stay.nights) and self.world.free_rooms(hotel, stay.nights) > 0
        ]

    def _some(self, offers, number):
        """By level: the cheapest and others, in any order; of one level the cheapest."""
        rng = Random(f"{self.task.id} {self.seed} {number}")
        cheap, *others = sorted(offers, key=lambda offer: offer[0])
        shown = {}
        for offer in [cheap, *rng.sample(others, min(OFFERS - 1, len(others)))]:
            shown[level(offer[0])] = min(offer, shown.get(level(offer[0]), offer), key=lambda offer: offer[0])
        return dict(rng.sample(list(shown.items()), len(shown)))

    def _plan(self):
        out, back, hotel = self.chosen
        stay = replace(self.best.stays[0], hotels=(hotel,) * len(self.best.stays[0].nights))
        return render(Solution(0, [out, back], [stay]), self.world, self.trip)


SPEC = replace(
    PLANNER.configure(kinds=("single",), levels=("easy",), days=3, slack=0.1),
    id="example/travel-counter-v0",
    entry=Counter,
    limits=Limits(turns=4),
    forking="replay",
    policies={},
)


# ---- who plays --------------------------------------------------------------------------------------------------------


def choosing(name, pick) -> Scripted:
    def play(context: Context) -> Action:
        prices = [int(word) for word in context.messages[-1].text.split()[1:]]
        price = pick(prices, Random(context.seed))
        return Action("", (ToolCall("c", "choose", json.dumps({"price": price})),))

    return Scripted(name, play)


AT_RANDOM = choosing("random", lambda prices, rng: rng.choice(prices))
CHEAPEST = choosing("cheapest", lambda prices, rng: min(prices))
BASELINES = {
    "say nothing": Scripted("noop", lambda context: Action("")),
    "choose at random": AT_RANDOM,
    "the first offer": choosing("first", lambda prices, rng: prices[0]),
    "the cheapest": CHEAPEST,
}


def tokenizer():
    """Each level is one token, so that comparing prices is no arithmetic."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    words = [*CompactCodec.MARKERS, "choose", *KINDS, *map(str, range(LEVELS))]
    made = Tokenizer(models.WordLevel({word: n for n, word in enumerate(words)}, unk_token=words[0]))
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(tokenizer_object=made, pad_token=words[0], eos_token=words[1], unk_token=None)


# ---- the experiment ---------------------------------------------------------------------------------------------------


class Experiment:
    """One seed: a model that can choose but knows nothing of prices, and two ways to go on from there."""

    def __init__(self, engine, seed, options):
        self.engine, self.seed, self.options = engine, seed, options
        self.codec, self.said = CompactCodec(tokenizer()), []
        self.tasks = {
            split: engine.run(engine.runtime.tasks(SPEC).take(split, number))
            for split, number in (("train", options.tasks), ("validation", options.looked), ("test", options.tested))
        }

    def run(self):
        warm = small_model(self.codec.tokenizer, hidden=64, layers=2, context=64, seed=self.seed)
        taught = Play(SPEC, AT_RANDOM, self.engine, seed=self.seed)(self.tasks["train"], 4)
        rows = sft.taught_rows(taught, self.codec, SPEC)
        self.imitate(warm, rows, steps=self.options.imitation, batch_size=64)
        self.test("warm start", self.player(warm))
        control = copy.deepcopy(warm)
        self.imitate(control, rows, steps=self.options.steps, batch_size=self.options.batch)
        self.test("imitation continued, as many batches", self.player(control))
        self.reinforce(warm)
        self.test("GRPO", self.player(warm))
        for name, player in BASELINES.items():
            self.test(name, player)

    def imitate(self, model, rows, **much):
        config = sft.SFTConfig(lr=self.options.imitation_lr, seed=self.seed, **much)
        sft.train(model, rows, self.codec.tokenizer.pad_token_id, config)

    def reinforce(self, model):
        with tempfile.TemporaryDirectory() as folder:
            args = AgentGRPOConfig(
                output_dir=folder,
                max_steps=self.options.steps,
                learning_rate=self.options.lr,
                warmup_steps=10,
                lr_scheduler_type="constant_with_warmup",
                logging_strategy="no",
                per_device_train_batch_size=self.options.batch,
                num_generations=8,
                max_new_tokens=4,
                concurrency=64,
                cache_bytes=0,  # each choice is a fresh context
                sampler="failure_replay",  # tasks whose group failed come back sooner
                sampler_options={"share": 0.5},
                use_cpu=True,
                save_strategy="no",
                disable_tqdm=True,
                seed=self.seed,
            )
            trainer = AgentGRPOTrainer(model, SPEC, self.tasks["train"], self.codec, args, engine=self.engine)
            trainer.remove_callback(PrinterCallback)
            trainer.add_callback(Look(self, model))
            trainer.train()

    def player(self, model):
        return LocalPolicy(model, self.codec, max_new_tokens=4, cache_bytes=0)

    def test(self, name, policy, split="test"):
        """Sampled, the same tasks and seeds for everybody; of the interval, a task counts once."""
        found = summarise(Play(SPEC, policy, self.engine, seed=7)(self.tasks[split], 2))
        rate = found.success
        self.said.append(
            {"name": name, "split": split, "success": rate.model_dump(), "reward": found.reward}
            | {"seed": self.seed, "cpu_s": round(time.process_time())}
        )
        told = f"seed {self.seed}, {split}, {name}: success {rate.mean:.3f} [{rate.low:.3f}, {rate.high:.3f}]"
        print(f"{told}, reward {found.reward:.3f}, {time.process_time():.0f} s", flush=True)


class Look(TrainerCallback):
    """Success on validation tasks every few steps."""

    def __init__(self, experiment, model):
        self.experiment, self.model = experiment, model

    def on_step_end(self, args, state, control, **_):
        if state.global_step % self.experiment.options.every == 0:
            player = self.experiment.player(self.model)  # a new one: it keeps what it has computed
            self.experiment.test(f"GRPO, step {state.global_step}", player, "validation")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    counts = {"tasks": 200, "imitation": 400, "steps": 60, "batch": 128, "every": 10, "looked": 50, "tested": 100}
    for name, default in counts.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--imitation-lr", type=float, default=2e-3)
    parser.add_argument("--out", type=Path, help="where the numbers go, as JSON")
    options = parser.parse_args()
    torch.set_num_threads(1)  # faster for a model this small
    said = []
    with Engine() as engine:
        for seed in options.seeds:
            experiment = Experiment(engine, seed, options)
            experiment.run()
            said += experiment.said
    table(said, options.seeds)
    if options.out:
        options.out.write_text(json.dumps(said, indent=1))


def table(said, seeds):
    """Test tasks, as Markdown."""
    print("\n| | " + " | ".join(f"seed {seed}" for seed in seeds) + " |\n|" + " --- |" * (len(seeds) + 1))
    tested = [each for each in said if each["split"] == "test"]
    for name in dict.fromkeys(each["name"] for each in tested):
        rates = [each["success"] for each in tested if each["name"] == name]
        told = " | ".join(f"{rate['mean']:.3f} [{rate['low']:.3f}, {rate['high']:.3f}]" for rate in rates)
        print(f"| {name} | {told} |")


if __name__ == "__main__":
    main()
