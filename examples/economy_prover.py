"""EconProver's configurations beside each other, in total tokens: thinking never, always or on a switch; one prefix or two.

A language model from scratch is taught tactics of the library's proofs in four ways: at once; after a thought (what the goal is made
of, which a script has written); and for two prefixes, of which each has seen its own half of the proofs.  Then it searches theorems
of held-out files that one step of automation proves, with the same passes and the same tactics a pass for every configuration.
What a large model would gain by thinking this can not show; what each way costs it does.  Needs Coq and the extra `train`.
"""

import argparse
import asyncio
import json
import re
import tempfile
from pathlib import Path
from time import process_time

import torch

from agentgym import Runtime
from agentgym.envs.prover.coq.pool import Pool
from agentgym.envs.prover.learning import language
from agentgym.envs.prover.learning.economy import EconomyConfig, asking, attempt_all, bill
from agentgym.envs.prover.learning.library import replay
from agentgym.envs.prover.learning.searching import Arena
from agentgym.envs.prover.learning.transitions import TransitionStore
from agentgym.envs.prover.search import SearchConfig
from agentgym.envs.prover.specs import STDLIB
from agentgym.evals.metrics import rate
from agentgym.policies.codec import CompactCodec
from agentgym.policies.local import LocalPolicy
from agentgym.trainers import sft
from agentgym.trainers.models import small_model, train_tokenizer

THINK = " think"
HALVES = ("A: ", "B: ")
LONGEST = 200
"""Tokens of a state that is taught, answer included."""
CONFIGURATIONS = {
    "never thinking": EconomyConfig(thinking="never"),
    "never thinking, two prefixes in turn": EconomyConfig(thinking="never", prefixes=HALVES),
    "thinking on a switch, from the third pass": EconomyConfig(thinking="switch", direct_passes=2, think=THINK),
    "always thinking": EconomyConfig(thinking="always", think=THINK),
}


def thought(transition) -> str:
    """What the goal is made of: its connectives and relations, in order."""
    goal = transition.before.rpartition("--\n")[2]
    made = dict.fromkeys(re.findall(r"forall|exists|[^\w\s(),.:']+", goal))
    return "it has " + " ".join(made)


def taught(positives, codec):
    """Rows of all ways of asking, the long ones left out."""
    halves = [[each for n, each in enumerate(positives) if n % 2 == half] for half in (0, 1)]
    rows = language.rows(positives, codec) + language.rows(positives, codec, end=THINK, thought=thought)
    for begin, half in zip(HALVES, halves, strict=True):
        rows += language.rows(half, codec, begin)
    return [row for row in rows if len(row.ids) <= LONGEST]


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    counts = {"taught": 600, "tactics-taught": 1500, "steps": 400, "theorems": 40, "tactics": 16, "seed": 0}
    for name, default in counts.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--store", type=Path, help="a folder of transitions, as train_prover.py keeps it")
    parser.add_argument("--out", type=Path, help="where the bills go, as JSON")
    given = parser.parse_args()
    torch.set_num_threads(1)
    bills = {}
    with tempfile.TemporaryDirectory() as folder:
        async with Runtime() as runtime:
            pool = await Pool.open(runtime, 2, 2 << 30, 600 << 20)
            store = TransitionStore((given.store or Path(folder)) / "transitions.jsonl")
            if not len(store):
                await replay(pool, await runtime.tasks(STDLIB).take("train", given.taught, seed=given.seed), store)
            positives = store.positives([0])[: given.tactics_taught]
            tokenizer = train_tokenizer([f"{each.before} {each.tactic}" for each in positives], size=1024)
            codec = CompactCodec(tokenizer)
            rows = taught(positives, codec)
            model = small_model(tokenizer, hidden=96, layers=3, context=512, seed=given.seed)
            sft.train(model, rows, tokenizer.pad_token_id, sft.SFTConfig(given.steps, lr=4e-3, seed=given.seed))
            print(f"{len(rows)} rows of {len(positives)} tactics, {process_time():.0f} s", flush=True)
            policy = LocalPolicy(model, codec, max_new_tokens=48)
            tests = await runtime.tasks(STDLIB).take("test", 400, seed=7)
            theorems = [task for task in tests if "automatic" in task.tags][: given.theorems]
            arena = Arena(runtime, pool, SearchConfig(0.5, "mean", 1, tactics=given.tactics, tactic_s=0.5), 2)
            print(
                "| configuration | proved | tokens | tactics | tokens a proof |\n|---|---:|---:|---:|---:|", flush=True
            )
            for name, config in CONFIGURATIONS.items():
                passes = attempt_all(arena, theorems, asking(policy, config, given.seed), config.passes)
                made = bill([each async for each in passes])
                share = rate([n < made.proved for n in range(made.theorems)])
                bills[name] = {**made.model_dump(), "share": share.model_dump()}
                proved = f"{made.proved}/{made.theorems} [{share.low:.2f}, {share.high:.2f}]"
                print(
                    f"| {name} | {proved} | {made.tokens} | {made.tactics} | {made.each()['tokens']:.0f} |", flush=True
                )
    if given.out:
        given.out.write_text(json.dumps(bills, indent=1))


if __name__ == "__main__":
    asyncio.run(main())
