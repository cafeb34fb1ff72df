"""What it saves to keep an episode's key-value cache between turns, local sampling: `python benchmarks/kept_caches.py`.

The same episodes twice, with the caches of our Sampler kept and with every turn computed from its first token; the
sampled ids are compared.  CPU time of this process with one thread, not wall time; the two take turns within a round.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import time
from random import Random
from typing import Any

import torch

from agentgym.policies.sampler import Request, Sampler
from agentgym.trainers.models import load, small_model, train_tokenizer

NEVER = frozenset[int]()


def episodes(
    model: Any, cache_bytes: int, count: int, turns: int, prompt: int, reply: int, new: int
) -> list[tuple[float, list[list[int]]]]:
    """For each turn: CPU seconds of one batch of all episodes, and what was sampled."""
    sampler = Sampler(model, NEVER, max_new_tokens=new, cache_bytes=cache_bytes)
    given = Random(0)
    word = lambda: given.randrange(20, 250)  # noqa: E731
    contexts = [[word() for _ in range(prompt)] for _ in range(count)]
    seen = [0] * count
    made = []
    for turn in range(turns):
        requests = [
            Request(tuple(context), 1000 * index + turn, known)
            for index, (context, known) in enumerate(zip(contexts, seen, strict=True))
        ]
        began = time.process_time()
        out = sampler.generate(requests)
        made.append((time.process_time() - began, [each.ids for each in out]))
        for index, each in enumerate(out):
            contexts[index] += each.ids
            seen[index] = len(contexts[index])
            contexts[index] += [word() for _ in range(reply)]
    return made


def compare(name: str, model: Any, rounds: int, count: int, turns: int, cache_bytes: int, **shape: int) -> str:
    kept, anew = [], []
    for _ in range(rounds):
        runs = [episodes(model, size, count, turns, **shape) for size in (cache_bytes, 0)]
        assert [ids for _, ids in runs[0]] == [ids for _, ids in runs[1]], "what is sampled depends on the cache"
        for times, run in zip((kept, anew), runs, strict=True):
            times.append([seconds for seconds, _ in run])
    a, b = (statistics.median(sum(each) for each in times) for times in (kept, anew))
    last = [statistics.median(each[-1] for each in times) for times in (kept, anew)]
    sizes = f"{count} x {turns} x ({shape['prompt']} + {shape['new']} + {shape['reply']})"
    return (
        f"| {name} | {sizes} | {cache_bytes >> 20} MB | {a:.2f} | {b:.2f} | {b / a:.2f} "
        f"| {last[0]:.2f} | {last[1]:.2f} | {last[1] / last[0]:.2f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="of each row (default 3)")
    parser.add_argument("--smollm2", action="store_true", help="also SmolLM2-135M, from its wheel, one round")
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(f"Python {platform.python_version()}, torch {torch.__version__}, one thread, median of {options.rounds}\n")
    print(
        "| model | episodes x turns x (prompt + sampled + reply) | caches | kept s | anew s | times | last turn | | |"
    )
    print("|---|---|---:|---:|---:|---:|---:|---:|---:|")
    small = small_model(train_tokenizer(["a b c"] * 3, 300), context=2048)
    for shape in ({"prompt": 200, "reply": 60, "new": 16}, {"prompt": 30, "reply": 6, "new": 16}):
        print(compare("0.9 M", small, options.rounds, 16, 8, 1 << 28, **shape), flush=True)
    print(compare("0.9 M", small, options.rounds, 16, 8, 4 << 20, prompt=200, reply=60, new=16), flush=True)
    if options.smollm2:
        model = load("smollm2")[0]
        print(compare("SmolLM2-135M", model, 1, 2, 4, 1 << 28, prompt=200, reply=60, new=8), flush=True)


if __name__ == "__main__":
    main()
