"""A language model proves theorems by search: best-first over its tactics, or along a plan of subgoals that it makes first.

    python search_prover.py                                                  # no model: the union of automation
    OPENAI_API_KEY=any python search_prover.py --prover openai:MODEL --base-url http://localhost:8000/v1 --samples 4
    python search_prover.py --prover openai:STEP --planner openai:PLANNER    # subgoals as in BFS-Prover-V2
    python search_prover.py --prover local:smollm2 --store tactics.jsonl     # needs the extra `train`

Needs Coq.  With `--store` every tactic is kept; `agentgym.envs.prover.learning.language.rows` makes of those that led to
proofs what `agentgym.trainers.sft.train` learns from.
"""

import argparse
import asyncio
from pathlib import Path

from agentgym.cli.policies import Sampling, policy_of
from agentgym.envs.prover.coq.pool import Pool
from agentgym.envs.prover.coq.prover import CoqProver
from agentgym.envs.prover.environment import problem_of
from agentgym.envs.prover.learning import baselines, language
from agentgym.envs.prover.learning.planner import PlanConfig, prove
from agentgym.envs.prover.learning.searching import Arena
from agentgym.envs.prover.learning.transitions import TransitionStore
from agentgym.envs.prover.search import SearchConfig
from agentgym.envs.prover.specs import STDLIB
from agentgym.envs.prover.verify import verify
from agentgym.runtime import Runtime

AUTOMATION = "automation"


def policy(name, options):
    return policy_of(name, STDLIB, Sampling(options.base_url, options.temperature, options.max_tokens))


def step_prover(options):
    """What proposes tactics: a model, or each automation once."""
    if options.prover == AUTOMATION:
        return baselines.once()
    model = policy(options.prover, options)
    return lambda problem: language.prover(model, problem, options.samples)


async def searched(runtime, pool, tasks, propose_for, config, options):
    """Each theorem's proof and what the search for it came to."""
    store = TransitionStore(options.store) if options.store else None
    arena = Arena(runtime, pool, config, options.provers)
    async for attempt in arena.search(tasks, propose_for):
        if store is not None and not attempt.failed:
            store.add(attempt.transitions, attempt.searched(0))
        yield attempt.theorem, attempt.found, attempt.failed


async def planned(runtime, pool, tasks, propose_for, config, options):
    """The same along plans, one theorem after another, with a team of provers on each subgoal."""
    planner = policy(options.planner, options)
    for task in tasks:
        problem = problem_of(task)

        async def validate(proof, task=task, problem=problem):
            return (await verify(problem, proof, task.secret["assumptions"], runtime)).ok

        team = [propose_for(problem)] * options.provers
        done = await prove(CoqProver(pool), problem, planner, team, validate, PlanConfig(config, plans=options.plans))
        print(f"{task.id}: {done.plans} plans; proved on the way: {done.proven}")
        yield task.id, done.found, ""


async def run(options):
    async with Runtime() as runtime:
        pool = await Pool.open(runtime, options.provers, 2 << 30, 600 << 20)
        tasks = await runtime.tasks(STDLIB).take(options.split, options.limit, seed=options.seed)
        config = SearchConfig(tactics=options.tactics, tactic_s=options.tactic_s)
        way, proved = planned if options.planner else searched, 0
        async for theorem, found, failed in way(runtime, pool, tasks, step_prover(options), config, options):
            proved += found.proof is not None
            what = failed or (" ".join(found.proof) if found.proof else "no proof")
            print(f"{theorem}: {what} ({found.tactics} tactics, {found.tokens} tokens, {found.cpu_s:.2f} s of Coq)")
        print(f"{proved} of {len(tasks)} proved")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prover", default=AUTOMATION, help="openai:MODEL, local:PATH or automation")
    parser.add_argument("--planner", help="openai:MODEL or local:PATH: prove by subgoals")
    parser.add_argument("--base-url", help="of an OpenAI-compatible endpoint")
    parser.add_argument("--store", type=Path, help="a JSONL file that keeps every tactic of a search")
    parser.add_argument("--split", default="test")
    parser.add_argument("--temperature", type=float, default=1.0)
    parser.add_argument("--tactic-s", type=float, default=2.0, help="the prover's processor seconds for one tactic")
    for name, default, said in (
        ("limit", 5, "theorems"),
        ("tactics", 64, "budget of a search"),
        ("samples", 4, "answers to a state"),
        ("plans", 3, "how often the planner is asked"),
        ("max-tokens", 256, "of an answer"),
        ("provers", 2, "at work at once"),
        ("seed", 7, "which theorems"),
    ):
        parser.add_argument(f"--{name}", type=int, default=default, help=said)
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
