"""A linear model of a few thousand weights learns when to add, update, delete or leave out, from the reward alone.

Group-relative policy gradient on Memory-R1's manager over short dialogues; tested on dialogues ten times as long, with phrasings that
training never saw, beside keeping everything, nothing and the most recent.  Only the core and numpy.  `docs/memory-learning.md` has
results; `train_memory.py` does the same with a language model and `AgentGRPOTrainer`.
"""

import argparse
import asyncio
import itertools
import json
import re
from pathlib import Path
from random import Random
from zlib import crc32

import numpy as np

from agentgym import Runtime, Scripted
from agentgym.envs.memory.dialogue.specs import DIALOGUE
from agentgym.envs.memory.policies import lines_shown, say
from agentgym.envs.memory.store import tokens
from agentgym.evals.metrics import rate
from agentgym.rollout import collect

SHORT, FACTOR, WIDTH = 1_000, 10, 1 << 12
NAMES = ("add", "noop", "update", "delete")
RELATED = re.compile(r"^\[(\w+)\] \S+ (.*?): (.*)$", re.M)
LINE = re.compile(r"^Part .*:\n\S+ (.*?): (.*)", re.M)
USED = re.compile(r"(\d+) of (\d+) tokens are in use")


def spec(size):
    return DIALOGUE.configure(system="memory-r1", tokens=size, budget=0.1, item=64, shown=1)


def features(text):
    """Which weights an observation touches: words and pairs of words of the line, of the related memory, and how they relate."""
    line, related, used = LINE.search(text), RELATED.search(text), USED.search(text)
    words = line[2].lower().split()
    named = [*words, *map(" ".join, itertools.pairwise(words))]
    left = int(used[2]) - int(used[1]) - tokens(line[0].rpartition("\n")[2])
    named += [f"room {left >= 0}", f"speaker {line[1] == 'Assistant'}", "always"]
    if related:
        other = related[2].lower().split()
        same = related[1] == line[1]
        shared = len({*words} & {*related[3].lower().split()})
        named += [f"same {same}", f"shared {min(shared, 4)} {same}", f"related {other[0] if other else ''}"]
        named += [f"kept {word} {same}" for word in related[3].lower().split()]
    return np.array(sorted({crc32(name.encode()) % WIDTH for name in named}))


class Manager:
    """A policy whose logits are sums of weights; what it may not do (there is no related memory) has no chance."""

    name, privileged = "manager", False

    def __init__(self, greedy=False, weights=None):
        self.weights = np.zeros((WIDTH, len(NAMES))) if weights is None else weights
        self.greedy = greedy

    def chances(self, text, touched):
        logits = self.weights[touched].sum(0)
        if not RELATED.search(text):
            logits = np.where(np.arange(len(NAMES)) < 2, logits, -np.inf)
        made = np.exp(logits - logits.max())
        return made / made.sum()

    async def act(self, context, n=1):
        text = context.messages[0].text
        chances = self.chances(text, features(text))
        chosen = int(chances.argmax()) if self.greedy else Random(context.seed).choices(range(4), chances)[0]
        return [call(context, NAMES[chosen])] * n


def call(context, name):
    found = RELATED.search(context.messages[0].text)
    return say(context, (name, {"memory_id": found[1]} if name in ("update", "delete") and found else {}))


def learn(manager, episodes, lr, entropy=0.01):
    """One step: each episode's reward against its group's, spread over all its decisions."""
    groups = {}
    for episode in episodes:
        groups.setdefault(episode.group, []).append(episode)
    gradient, count = np.zeros_like(manager.weights), 0
    for group in groups.values():
        rewards = np.array([episode.record.total for episode in group])
        for episode, advantage in zip(group, (rewards - rewards.mean()) / (rewards.std() + 1e-3), strict=True):
            for turn in episode.turns:
                text = turn.observation.messages[0].text
                touched = features(text)
                chances = manager.chances(text, touched)
                taken = np.eye(len(NAMES))[NAMES.index(turn.action.calls[0].name)]
                spread = -chances * (np.log(chances + 1e-9) - (chances * np.log(chances + 1e-9)).sum())
                gradient[touched] += advantage * (taken - chances) + entropy * spread
                count += 1
    manager.weights += lr * gradient / count


# ---- what it is compared with ---------------------------------------------------------------------------------------


def most_recent(context):
    """Adds every line, and deletes the oldest ones where that takes room. Works out again what it has kept."""
    payload, first = context.task.payload, lines_shown(context.messages[0].text)[0]
    budget = int(USED.search(context.messages[0].text)[2])
    kept, count, size = [], 0, 0
    for place in payload["facts"]:
        line, dropped = payload["lines"][place], []
        if tokens(line) > 64 or any(line == payload["lines"][other] for _, other in kept):
            continue
        while size + tokens(line) > budget:
            dropped.append(kept[0][0])
            size -= tokens(payload["lines"][kept.pop(0)[1]])
        count, size = count + 1, size + tokens(line)
        kept.append((f"{count:04x}", place))
        if place == first:
            return say(context, *(("delete", {"memory_id": id}) for id in dropped), ("add", {}))
    return say(context, ("noop", {}))


BASELINES = {
    "keep everything": Scripted("keep", lambda context: call(context, "add")),
    "keep nothing": Scripted("nothing", lambda context: call(context, "noop")),
    "keep the most recent": Scripted("recent", most_recent),
}


# ---- the experiment ---------------------------------------------------------------------------------------------------


async def play(runtime, policy, tasks, size=SHORT, **options):
    return [each async for each in collect(spec(size), policy, tasks, runtime=runtime, concurrency=8, **options)]


async def measure(runtime, policy, split, size, number):
    """Quality with Wilson's interval over tasks, and means of reward, accuracy and leaks."""
    tasks = await runtime.tasks(spec(size)).take(split, number)
    records = [episode.record for episode in await play(runtime, policy, tasks, size)]
    named = [{channel.name: channel.value or 0.0 for channel in record.channels} for record in records]
    means = {name: float(np.mean([each[name] for each in named])) for name in ("accuracy", "leaked", "stale", "recall")}
    reward = float(np.mean([record.total for record in records]))
    return {"quality": rate([record.success for record in records]).model_dump(), "reward": reward, **means}


async def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("steps", 60), ("groups", 16), ("group-size", 8), ("tasks", 400), ("every", 10), ("seed", 0)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--looked", type=int, default=40, help="validation tasks of a look; a quarter of them long")
    parser.add_argument("--tested", type=int, default=60, help="test tasks")
    parser.add_argument("--lr", type=float, default=2.0)
    parser.add_argument("--out", type=Path, help="where the numbers go, as JSON")
    options = parser.parse_args()
    sizes = {"short": SHORT, "long": SHORT * FACTOR}
    async with Runtime() as runtime:
        pool = await runtime.tasks(spec(SHORT)).take("train", options.tasks)
        manager, rng = Manager(), Random(options.seed)
        found = {"options": {**vars(options), "out": None}, "curve": [], "test": {}}
        for step in range(options.steps + 1):
            if step % options.every == 0:
                greedy = Manager(True, manager.weights)
                look = {"step": step}
                for name, number in (("short", options.looked), ("long", max(2, options.looked // 4))):
                    look[name] = await measure(runtime, greedy, "validation", sizes[name], number)
                found["curve"].append(look)
                print(
                    f"step {step}: quality",
                    {name: round(look[name]["quality"]["mean"], 3) for name in sizes},
                    flush=True,
                )
            if step < options.steps:
                tasks = rng.sample(pool, options.groups)
                played = await play(
                    runtime,
                    manager,
                    tasks,
                    group_size=options.group_size,
                    run=f"{step}",
                    seed=options.seed * 1_000 + step,
                )
                learn(manager, played, options.lr)
        for name, policy in {"learned": Manager(True, manager.weights), **BASELINES}.items():
            found["test"][name] = {
                each: await measure(runtime, policy, "test", size, options.tested) for each, size in sizes.items()
            }
            told = {each: round(value["quality"]["mean"], 3) for each, value in found["test"][name].items()}
            print(f"test: {name}: quality", told, flush=True)
    if options.out:
        options.out.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    asyncio.run(main())
