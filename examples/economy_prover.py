"""EconProver's configurations beside each other, in total tokens: thinking never, always or on a switch; one prefix or two.

A real language model proposes tactics for theorems of Coq's library that one step of automation proves; each configuration has
the same passes and the same tactics a pass.  The model is as it comes: nothing is trained.  Needs Coq and the extra `train`; with
SmolLM2-135M on one core a quarter of an hour.
"""

import argparse
import asyncio
import json
from pathlib import Path

import torch

from agentgym import Runtime
from agentgym.envs.prover.coq.pool import Pool
from agentgym.envs.prover.learning.economy import EconomyConfig, asking, attempt_all, bill
from agentgym.envs.prover.learning.searching import Arena
from agentgym.envs.prover.search import SearchConfig
from agentgym.envs.prover.specs import STDLIB
from agentgym.policies.codec import ChatCodec
from agentgym.policies.local import LocalPolicy
from agentgym.trainers.models import load

PLAIN = (
    "Prove it in Coq. Answer with one tactic that ends with a full stop, such as: intros. | auto. | reflexivity. | easy. | "
    "intuition. | congruence. | lia.\n\n"
)
OTHER = (
    "You are a Coq expert. Reply with exactly one tactic, for example: destruct b. | induction n. | now auto. | simpl; auto. | "
    "tauto. | discriminate.\n\n"
)
THINK = "\nThink about it in one sentence; the tactic is the last line."
CONFIGURATIONS = {
    "never thinking": EconomyConfig(passes=2, thinking="never", prefixes=(PLAIN,), samples=2),
    "never thinking, two prefixes": EconomyConfig(passes=2, thinking="never", prefixes=(PLAIN, OTHER), samples=2),
    "on a switch, in the second pass": EconomyConfig(2, "switch", 1, (PLAIN,), THINK, samples=2),
    "always thinking": EconomyConfig(passes=2, thinking="always", prefixes=(PLAIN,), think=THINK, samples=2),
}


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="smollm2", help="a folder, a Hugging Face name, or smollm2")
    parser.add_argument("--theorems", type=int, default=10)
    parser.add_argument("--tactics", type=int, default=8, help="in a pass, for a theorem")
    parser.add_argument("--tokens", type=int, nargs=2, default=(24, 64), help="of an answer, without and with thinking")
    parser.add_argument("--out", type=Path, help="where the bills go, as JSON")
    given = parser.parse_args()
    torch.set_num_threads(1)
    model, tokenizer = load(given.model)
    bills = {}
    async with Runtime() as runtime:
        pool = await Pool.open(runtime, 2, 2 << 30, 600 << 20)
        tests = await runtime.tasks(STDLIB).take("test", 200, seed=7)
        theorems = [task for task in tests if "automatic" in task.tags][: given.theorems]
        print("| configuration | proved | tokens | tactics | tokens a proof |\n|---|---:|---:|---:|---:|", flush=True)
        for name, config in CONFIGURATIONS.items():
            longest = given.tokens[config.thinking != "never"]
            policy = LocalPolicy(model, ChatCodec(tokenizer), temperature=0.8, max_new_tokens=longest, max_batch=4)
            arena = Arena(runtime, pool, SearchConfig(0.0, "mean", 1, tactics=given.tactics, tactic_s=1.0), 2)
            passes = attempt_all(arena, theorems, asking(policy, config), config.passes)
            made = bill([each async for each in passes])
            bills[name] = made.model_dump()
            told = f"{made.proved}/{made.theorems} | {made.tokens} | {made.tactics} | {made.each()['tokens']:.0f}"
            print(f"| {name} | {told} |", flush=True)
    if given.out:
        given.out.write_text(json.dumps(bills, indent=1))


if __name__ == "__main__":
    asyncio.run(main())
