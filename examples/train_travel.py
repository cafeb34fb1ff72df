"""GRPO on travel planning, with failures replayed: a small model is to choose journeys and a hotel that fit the budget.

A model from scratch can not write a plan, so this environment builds on `travel/planner-v0`: it shows numbered offers for
the way out, the way back and the hotel, and writes the plan that the choices make.  World, tasks and verdict are the real
ones; the test tasks' worlds are their own.  Needs the extra `train`; some minutes on a CPU.
"""

import argparse
import json
import tempfile
from dataclasses import replace
from pathlib import Path
from random import Random

import torch
from transformers import PreTrainedTokenizerFast, PrinterCallback, TrainerCallback

from agentgym import Action, Context, Limits, Scripted, ToolCall, tool
from agentgym.envs.travel.environment import PlannerEnvironment
from agentgym.envs.travel.render import render
from agentgym.envs.travel.solver import Solution, Solver
from agentgym.envs.travel.specs import PLANNER
from agentgym.envs.travel.trip import Trip
from agentgym.evals.metrics import summarise
from agentgym.policies.codec import CompactCodec
from agentgym.policies.local import LocalPolicy
from agentgym.trainers import sft
from agentgym.trainers.grpo import AgentGRPOConfig, AgentGRPOTrainer
from agentgym.trainers.models import small_model
from agentgym.trainers.rollouts import Engine, Play

OFFERS = 4
STEP, DEAREST = 10, 990
"""Prices are shown in steps of 10 dollars, so that there are a hundred of them."""


class Counter(PlannerEnvironment):
    """Three choices: the way out, the way back, the hotel. All else is the best plan's. Each seed has offers of its own."""

    async def on_reset(self) -> str:
        await super().on_reset()
        self.trip = Trip.of(self.task.secret["stages"][0]["trip"])
        self.best = Solver(self.world, self.trip).best()
        ways = [self._ways(leg) for leg in self.best.legs]
        self.offers = [self._some(each, n) for n, each in enumerate([*ways, self._hotels(self.best.stays[0])])]
        self.chosen = []
        self.allow("choose")
        return self._offer()

    @tool
    def choose(self, number: int) -> str:
        """Choose one of the offers.

        Args:
            number: Which one, from 1.
        """
        offers = self.offers[len(self.chosen)]
        _, key, row = offers[min(max(number, 1), len(offers)) - 1]
        self._note([key])
        self.chosen.append(row)
        if len(self.chosen) < len(self.offers):
            return self._offer()
        for place in self.best.stays[0].meals.eaten:
            self._note([place[1].key])
        for city in (self.trip.home, self.trip.destination):
            self._note(row.key for row in self.world.attractions(city))
        return self._submit("plan", json.dumps(self._plan()), "")

    def _offer(self) -> str:
        what = ("out", "back", "hotel")[len(self.chosen)]
        offers = enumerate(self.offers[len(self.chosen)], 1)
        return f"{what} : " + " ".join(f"{n} ${min(offer[0] // STEP * STEP, DEAREST)}" for n, offer in offers)

    def _ways(self, leg):
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
        """The cheapest and others, in any order."""
        rng = Random(f"{self.task.id} {self.seed} {number}")
        offers = sorted(offers, key=lambda offer: offer[0])
        kept = offers[:1] + rng.sample(offers[1:], min(OFFERS - 1, len(offers) - 1))
        return rng.sample(kept, len(kept))

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


def cheapest(noise: float) -> Scripted:
    """A fallible expert: takes the cheapest offer, or with probability `noise` any."""

    def play(context: Context) -> Action:
        prices = [int(word[1:]) for word in context.messages[-1].text.split() if word[0] == "$"]
        rng = Random(context.seed)
        number = rng.randint(1, len(prices)) if rng.random() < noise else prices.index(min(prices)) + 1
        return Action("", (ToolCall("c", "choose", json.dumps({"number": number})),))

    return Scripted(f"cheapest {noise}", play)


BASELINES = {
    "say nothing": Scripted("noop", lambda context: Action("")),
    "choose at random": cheapest(1.0),
    "the cheapest": cheapest(0.0),
}


def tokenizer():
    """Each price is one token, so that comparing prices is no arithmetic."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    words = [
        *CompactCodec.MARKERS,
        "choose",
        "out",
        "back",
        "hotel",
        ":",
        *"1234",
        *(f"${n}" for n in range(0, DEAREST + 1, STEP)),
    ]
    made = Tokenizer(models.WordLevel({word: n for n, word in enumerate(words)}, unk_token=words[0]))
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(tokenizer_object=made, pad_token=words[0], eos_token=words[1], unk_token=None)


class Watch(TrainerCallback):
    """Success on held-out tasks every few steps; `report(name, policy, tasks)` is a line of it."""

    def __init__(self, engine, tasks, learner, every):
        self.engine, self.tasks, self.learner, self.every, self.said = engine, tasks, learner, every, []

    def report(self, name, policy, tasks):
        found = summarise(Play(SPEC, policy, self.engine, seed=7)(tasks, 2))
        self.said.append({"name": name, "success": found.success.model_dump(), "reward": found.reward})
        rate = found.success
        print(
            f"{name}: success {rate.mean:.3f} [{rate.low:.3f}, {rate.high:.3f}], reward {found.reward:.3f}", flush=True
        )

    def on_step_end(self, args, state, control, **_):
        if state.global_step % self.every == 0:
            self.report(f"step {state.global_step}, validation", self.learner(), self.tasks)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    counts = {"tasks": 400, "imitation": 300, "steps": 60, "every": 15, "looked": 60, "tested": 100, "seed": 0}
    for name, default in counts.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--noise", type=float, default=0.3, help="how often the imitated expert takes any offer")
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--out", type=Path, help="where the numbers go, as JSON")
    options = parser.parse_args()
    torch.set_num_threads(1)  # faster for a model this small
    with Engine() as engine, tempfile.TemporaryDirectory() as folder:

        def tasks(split, number):
            return engine.run(engine.runtime.tasks(SPEC).take(split, number))

        train, validation, test = (
            tasks("train", options.tasks),
            tasks("validation", options.looked),
            tasks("test", options.tested),
        )
        taught = Play(SPEC, cheapest(options.noise), engine, seed=options.seed)(train, 2)
        codec = CompactCodec(tokenizer())
        model = small_model(codec.tokenizer, hidden=64, layers=2, context=128, seed=options.seed)

        def learner():  # a new one whenever the weights are: it keeps what it has computed
            return LocalPolicy(model, codec, max_new_tokens=6)

        watch = Watch(engine, validation, learner, options.every)
        watch.report("untrained, test", learner(), test)
        rows = sft.taught_rows(taught, codec, SPEC)
        sft.train(
            model, rows, codec.tokenizer.pad_token_id, sft.SFTConfig(options.imitation, lr=6e-3, seed=options.seed)
        )
        watch.report("after imitation, test", learner(), test)
        args = AgentGRPOConfig(
            output_dir=folder,
            max_steps=options.steps,
            learning_rate=options.lr,
            lr_scheduler_type="constant",
            logging_strategy="no",
            per_device_train_batch_size=128,
            num_generations=8,
            max_new_tokens=6,
            concurrency=128,
            sampler="failure_replay",  # tasks whose group failed come back sooner
            sampler_options={"share": 0.5},
            use_cpu=True,
            save_strategy="no",
            disable_tqdm=True,
            seed=options.seed,
        )
        trainer = AgentGRPOTrainer(model, SPEC, train, codec, args, engine=engine)
        trainer.remove_callback(PrinterCallback)
        trainer.add_callback(watch)
        trainer.train()
        for name, player in {"after GRPO": learner(), **BASELINES}.items():
            watch.report(f"{name}, test", player, test)
    if options.out:
        options.out.write_text(json.dumps(watch.said, indent=1))


if __name__ == "__main__":
    main()
