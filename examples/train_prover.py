"""A small step-prover learns from the library's own proofs and then from its own: expert iteration as in BFS-Prover-V2.

Needs Coq and the extra `train`.  The proofs of training files are replayed, a model of templates is taught their tactics,
searches training theorems, learns from what was verified, and so on; after each round it searches theorems of held-out
files, beside the union of one-step automation.  `docs/prover-learning.md` has results.
"""

import argparse
import asyncio
import json
import tempfile
from pathlib import Path
from time import process_time

import torch

from agentgym.envs.prover.coq.pool import Pool
from agentgym.envs.prover.environment import problem_of
from agentgym.envs.prover.learning import baselines
from agentgym.envs.prover.learning.economy import bill
from agentgym.envs.prover.learning.expert import ExpertConfig, iterate
from agentgym.envs.prover.learning.learner import SmallProver
from agentgym.envs.prover.learning.library import replay
from agentgym.envs.prover.learning.model import FitConfig
from agentgym.envs.prover.learning.searching import Arena
from agentgym.envs.prover.learning.transitions import TransitionStore
from agentgym.envs.prover.policies import AUTOMATION
from agentgym.envs.prover.search import SearchConfig
from agentgym.envs.prover.specs import STDLIB
from agentgym.evals.metrics import rate
from agentgym.runtime import Runtime

SECONDS = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
BUDGETS = (1, 2, 4, 8, len(AUTOMATION), 32, 64, 128, 256)


def summary(attempts, most):
    """The share proved within each budget of tactics or of the prover's seconds, with Wilson's intervals over theorems."""
    ended = [attempt for attempt in attempts if not attempt.failed]
    found = [attempt.found for attempt in ended]
    return {
        "theorems": len(ended),
        "failed": len(attempts) - len(ended),
        "refused": sum(each.refused for each in found),
        "bill": (spent := bill((0, attempt) for attempt in attempts)).model_dump(),
        "each": spent.each(),
        "proved": {
            str(budget): rate([attempt.within(budget) for attempt in ended]).model_dump()
            for budget in [*(each for each in BUDGETS if each < most), most]
        },
        "proved_cpu": {
            str(budget): rate([attempt.proved and attempt.found.cpu_s <= budget for attempt in ended]).model_dump()
            for budget in SECONDS
        },
        "proofs": {attempt.theorem: attempt.found.proof for attempt in ended if attempt.proved},
    }


def tell(name, found):
    shares = ", ".join(f"{budget}: {each['mean']:.3f}" for budget, each in found["proved"].items())
    print(f"{name}: proved within so many tactics {shares}; {found['bill']['cpu_s']} s of Coq", flush=True)


class Stage:
    def __init__(self, runtime, pool, options):
        self.options, self.runtime, self.pool = options, runtime, pool
        self.tasks = runtime.tasks(STDLIB)

    def arena(self, tactics, expansions=10_000):
        o = self.options
        config = SearchConfig(o.alpha, o.edge, expansions, tactics=tactics, tactic_s=o.tactic_s)
        return Arena(self.runtime, self.pool, config, o.provers)

    async def measure(self, propose_for, expansions=10_000):
        tested = await self.tasks.take(self.options.split, self.options.tested, seed=7)
        arena = self.arena(self.options.tactics, expansions)
        return summary([attempt async for attempt in arena.search(tested, propose_for)], self.options.tactics)

    async def learn(self, folder):
        """Yield each round with its policy's measurement; the store in `folder` lets an ended run go on."""
        o = self.options
        taught = await self.tasks.take("train", o.taught, seed=5)
        searched = await self.tasks.take("train", o.searched, seed=6)
        store = TransitionStore(folder / "transitions.jsonl")
        await replay(self.pool, taught, store)
        problems = {task.id: problem_of(task) for task in [*taught, *searched]}
        fitting = FitConfig(epochs=o.epochs, lr=o.lr, weight_decay=0.1)
        base = SmallProver.base(store.positives([0]), problems, seed=o.seed, width=o.width, fitting=fitting)
        config = ExpertConfig(rounds=o.rounds, retrain_every=o.retrain_every, seed=o.seed)
        async for stage in iterate(base, searched, store, self.arena(o.train_tactics), config):
            print(stage.round.model_dump_json(), flush=True)
            last = stage.round.round == o.rounds
            if stage.round.round % o.every == 0 or last:
                found = await self.measure(stage.policy.propose)
                tell(f"round {stage.round.round}", found)
                yield {**stage.round.model_dump(), "measured": found}


def draw(found, path):
    """Held-out theorems proved within a budget of tactics: the union and every round, with Wilson's intervals."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    lines = {f"round {each['round']}": each["measured"] for each in found["rounds"]}
    lines |= {"one-step automation": found["union"]} if "union" in found else {}
    figure, axis = pyplot.subplots(figsize=(6, 3.8))
    for name, measured in lines.items():
        along = [int(budget) for budget in measured["proved"]]
        rates = list(measured["proved"].values())
        axis.fill_between(along, [each["low"] for each in rates], [each["high"] for each in rates], alpha=0.12)
        axis.plot(along, [each["mean"] for each in rates], label=name, marker=".")
    axis.set(xscale="log", xlabel="tactics tried", ylabel="share of held-out theorems proved", ylim=(0, None))
    axis.set_xticks(along, [str(each) for each in along], minor=False)
    axis.grid(alpha=0.3)
    axis.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=90, metadata={"Software": None})


def keep(found, options):
    if options.out:
        options.out.write_text(json.dumps(found, indent=1) + "\n")
        draw(found, options.out.with_suffix(".png"))


async def run(options):
    began = process_time()
    async with Runtime() as runtime:
        stage = Stage(runtime, await Pool.open(runtime, options.provers, 2 << 30, 600 << 20), options)
        found = {"options": {key: str(value) for key, value in vars(options).items()}, "rounds": []}
        if options.baseline:
            found["union"] = await stage.measure(baselines.once(), expansions=1)
            tell("the union of one-step automation", found["union"])
        with tempfile.TemporaryDirectory() as temporary:
            async for each in stage.learn(options.store or Path(temporary)):
                found["rounds"].append(each)
                found["python_cpu_s"] = round(process_time() - began)
                keep(found, options)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default, said in (
        ("taught", 3027, "training theorems whose own proofs are learnt from"),
        ("searched", 200, "training theorems that are searched in every round"),
        ("rounds", 3, "of expert iteration"),
        ("retrain-every", 3, "rounds: start again from the base"),
        ("every", 1, "rounds: measure"),
        ("tested", 100, "held-out theorems"),
        ("tactics", 64, "budget of a held-out search"),
        ("train-tactics", 64, "budget of a training search"),
        ("width", 16, "tactics proposed for a state"),
        ("provers", 2, "at work at once"),
        ("epochs", 10, "of each round's training"),
        ("seed", 0, "of weights and order"),
    ):
        parser.add_argument(f"--{name}", type=int, default=default, help=said)
    parser.add_argument("--lr", type=float, default=5e-3)
    parser.add_argument("--alpha", type=float, default=1.0)
    parser.add_argument("--edge", choices=("mean", "sum"), default="sum")
    parser.add_argument("--tactic-s", type=float, default=0.5, help="the prover's processor seconds for one tactic")
    parser.add_argument("--split", default="test")
    parser.add_argument("--no-baseline", dest="baseline", action="store_false")
    parser.add_argument("--store", type=Path, help="a folder that keeps the transitions; an ended run goes on there")
    parser.add_argument("--out", type=Path, help="where the numbers go, as JSON, with a plot beside it")
    options = parser.parse_args()
    torch.set_num_threads(1)
    asyncio.run(run(options))


if __name__ == "__main__":
    main()
