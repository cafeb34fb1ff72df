"""GRPO on travel planning, with failures replayed: a small model learns to choose flights and hotels that fit the budget.

A model from scratch can not write a plan, so this environment builds on `travel/planner-v0`: it shows numbered offers for
the way out, the way back and the hotel, and writes the plan that the choices make.  World, tasks and verdict are the
real ones.  Needs the extra `train`; a few minutes on a CPU.
"""

import json
import sys
import tempfile
from dataclasses import replace
from random import Random

import torch

from agentgym import Action, Context, Limits, Scripted, ToolCall, tool
from agentgym.envs.travel.environment import PlannerEnvironment
from agentgym.envs.travel.render import render
from agentgym.envs.travel.solver import Solution, Solver
from agentgym.envs.travel.specs import PLANNER
from agentgym.envs.travel.trip import Trip
from agentgym.policies.codec import CompactCodec
from agentgym.policies.local import LocalPolicy
from agentgym.trainers import sft
from agentgym.trainers.grpo import AgentGRPOConfig, AgentGRPOTrainer
from agentgym.trainers.models import small_model, train_tokenizer
from agentgym.trainers.rollouts import Engine, Play
from agentgym.trainers.summary import summary

OFFERS = 4
torch.set_num_threads(1)  # faster for a model this small


class Counter(PlannerEnvironment):
    """Three choices: the way out, the way back, the hotel. All else is the best plan's."""

    async def on_reset(self) -> str:
        await super().on_reset()
        self.trip = Trip.of(self.task.secret["stages"][0]["trip"])
        self.best = Solver(self.world, self.trip).best()
        stay = self.best.stays[0]
        ways = [self._ways(leg) for leg in self.best.legs]
        hotels = [
            (hotel.price, hotel.key, hotel) for hotel in self.world.hotels(stay.city) if self._fits(hotel, stay.nights)
        ]
        self.offers = [self._some(each, n) for n, each in enumerate([*ways, hotels])]
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
        for place in [*self.best.stays[0].meals.eaten]:
            self._note([place[1].key])
        for city in (self.trip.home, self.trip.destination):
            self._note(row.key for row in self.world.attractions(city))
        return self._submit("plan", json.dumps(self._plan()), "")

    def _offer(self) -> str:
        what = ("out", "back", "hotel")[len(self.chosen)]
        offers = enumerate(self.offers[len(self.chosen)], 1)
        return f"{what}: " + " ".join(f"{n} ${round(offer[0] / 10)}0" for n, offer in offers)

    def _ways(self, leg):
        rows = self.world.journeys(leg.origin, leg.destination, leg.date, "flight")
        rows = rows + self.world.journeys(leg.origin, leg.destination, leg.date, "train")
        made = [(row.price, row.key, replace(leg, mode=row.kind, number=row.number, departs=row.departs, arrives=row.arrives))
                for row in rows if row.seats]  # fmt: skip
        best = (leg.cost, leg.number or f"road {leg.origin} > {leg.destination}", leg)
        return made if any(key == best[1] for _, key, _ in made) else [best, *made]

    def _fits(self, hotel, nights) -> bool:
        return hotel.minimum_nights <= len(nights) and self.world.free_rooms(hotel, nights) > 0

    def _some(self, offers, number):
        """The cheapest and others, in an order of the task's own."""
        rng = Random(f"{self.task.id} {number}")
        offers = sorted(offers, key=lambda offer: offer[0])
        kept = offers[:1] + rng.sample(offers[1:], min(OFFERS - 1, len(offers) - 1))
        return rng.sample(kept, len(kept))

    def _plan(self):
        out, back, hotel = self.chosen
        stay = replace(self.best.stays[0], hotels=(hotel,) * len(self.best.stays[0].nights))
        return render(Solution(0, [out, back], [stay]), self.world, self.trip)


def cheapest(noise: float) -> Scripted:
    """A fallible expert: takes the cheapest offer, or with probability `noise` any."""

    def play(context: Context) -> Action:
        prices = [int(word[1:]) for word in context.messages[-1].text.partition(": ")[2].split() if word[0] == "$"]
        rng = Random(context.seed)
        number = rng.randint(1, len(prices)) if rng.random() < noise else prices.index(min(prices)) + 1
        return Action("", (ToolCall("c", "choose", json.dumps({"number": number})),))

    return Scripted(f"cheapest {noise}", play)


SPEC = replace(
    PLANNER.configure(kinds=("single",), levels=("easy",), days=3, slack=0.2),
    id="example/travel-counter-v0",
    entry=Counter,
    limits=Limits(turns=4),
    forking="replay",
    policies={},
)


def main(steps: int = 14, imitation: int = 400, tasks: int = 24) -> None:
    with Engine() as engine, tempfile.TemporaryDirectory() as folder:
        train, held = (
            engine.run(engine.runtime.tasks(SPEC).take(split, n)) for split, n in (("train", tasks), ("test", 50))
        )
        taught = Play(SPEC, cheapest(0.5), engine)(train, 3)
        texts = [m.text for t in taught for turn in t.turns for m in turn.observation.messages]
        tokenizer = train_tokenizer([*texts, "choose 1 2 3 4"], size=400)
        codec, model = CompactCodec(tokenizer), small_model(tokenizer, hidden=64, layers=3, context=256)
        sft.train(
            model, sft.taught_rows(taught, codec, SPEC), tokenizer.pad_token_id, sft.SFTConfig(imitation, lr=3e-3)
        )

        def report(name: str) -> None:
            for split, some in (("train", train[:50]), ("test", held)):
                said = summary(Play(SPEC, LocalPolicy(model, codec, max_new_tokens=6), engine, seed=7)(some, 4))
                print(f"{name}, {split}: success {said['success']:.2f}, reward {said['reward']:.2f}", flush=True)

        for name, noise in (("the expert without its faults", 0.0), ("anything", 1.0)):
            said = summary(Play(SPEC, cheapest(noise), engine, seed=7)(held, 4))
            print(f"{name}, test: success {said['success']:.2f}, reward {said['reward']:.2f}", flush=True)
        report("after imitation")
        args = AgentGRPOConfig(
            output_dir=folder,
            max_steps=steps,
            learning_rate=3e-4,
            lr_scheduler_type="constant",
            logging_strategy="no",
            per_device_train_batch_size=64,
            max_new_tokens=6,
            sampler="failure_replay",  # tasks whose group failed come back sooner
            sampler_options={"share": 0.5},
            use_cpu=True,
            save_strategy="no",
            disable_tqdm=True,
        )
        AgentGRPOTrainer(model, SPEC, train, codec, args, engine=engine).train()
        report("after GRPO")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
