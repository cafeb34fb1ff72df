"""A small network learns when to add, update, delete or leave out, as Memory-R1's manager does. Core and numpy only.

It imitates an expert that does anything in two turns of five, on short dialogues, and is tested on ones ten times as long,
with phrasings that training never saw, beside keeping everything, nothing and the most recent.
`docs/memory-learning.md` has results, and says why there is no policy gradient here and no language model.
"""

import argparse
import asyncio
import json
import re
import time
from functools import lru_cache
from pathlib import Path
from random import Random
from zlib import crc32

import numpy as np

from agentgym import Runtime, Scripted
from agentgym.envs.memory.dialogue.attributes import ATTRIBUTES
from agentgym.envs.memory.dialogue.reading import hear
from agentgym.envs.memory.dialogue.specs import DIALOGUE
from agentgym.envs.memory.policies import lines_shown, say
from agentgym.envs.memory.store import tokens
from agentgym.rollout import collect

SHORT, FACTOR = 2_000, 10
NOISE = 0.4
WORDS, WIDTH, HIDDEN = 2_048, 32, 64
NAMES = ("add", "noop", "update", "delete")
MEMORY = re.compile(r"^\[(\w+)\] \S+ (.*?): (.*)$", re.M)
LINE = re.compile(r"^Part .*:\n(\S+ (.*?): (.*))", re.M)
USED = re.compile(r"(\d+) of (\d+) tokens are in use")


def spec(size):
    return DIALOGUE.configure(system="memory-r1", tokens=size, budget=0.1, item=64, shown=5, questions=30)


# ---- what it sees -----------------------------------------------------------------------------------------------------


def read(context):
    """The line and its speaker, whether there is room for it, and of the related memories the first by the same speaker."""
    text = context.messages[0].text
    line, used = LINE.search(text), USED.search(text)
    room = int(used[2]) - int(used[1]) >= tokens(line[1])
    related = next((each for each in MEMORY.finditer(text, 0, line.start()) if each[2] == line[2]), None)
    return line, room, related


def seen(context):
    """Two bags of words, as numbers: of the line, and of the related memory; numerals are all alike."""
    line, room, related = read(context)
    facts = [f"room {room}", f"assistant {line[2] == 'Assistant'}"]
    return [numbered(facts + words(line[3])), numbered(words(related[3]) if related else [])]


def words(text):
    return re.findall(r"\w+", re.sub(r"\d+", "0", text.lower()))


def numbered(names):
    return [crc32(name.encode()) % WORDS for name in names]


# ---- the network ------------------------------------------------------------------------------------------------------


class Network:
    """Embeddings of both bags, their product, one hidden layer, four logits; trained by Adam. Some 72,000 weights."""

    def __init__(self, seed):
        rng = np.random.default_rng(seed)
        shapes = ((WORDS, WIDTH, 0.1), (3 * WIDTH + 1, HIDDEN, (3 * WIDTH) ** -0.5), (HIDDEN, len(NAMES), 0.0))
        self.weights = [(rng.normal(size=(a, b)) * scale).astype(np.float32) for a, b, scale in shapes]
        self.moments = [(np.zeros_like(each), np.zeros_like(each)) for each in self.weights]
        self.steps = 0

    def __call__(self, pairs):
        """Chances of each operation, and what `learn` needs; without a related memory two of them have none."""
        embed, first, second = self.weights
        bags = [np.zeros((len(pairs), WORDS), np.float32) for _ in range(2)]
        for row, pair in enumerate(pairs):
            for bag, ids in zip(bags, pair, strict=True):
                np.add.at(bag[row], ids, len(ids) ** -0.5 if ids else 0)
        line, memory = (bag @ embed for bag in bags)
        related = np.array([[bool(memory_ids)] for _, memory_ids in pairs], np.float32)
        inner = np.concatenate([line, memory, line * memory, related], 1)
        hidden = np.maximum(inner @ first, 0)
        logits = hidden @ second
        logits[:, 2:] -= 1e9 * (1 - related)
        made = np.exp(logits - logits.max(1, keepdims=True))
        return made / made.sum(1, keepdims=True), (*bags, line, memory, inner, hidden)

    def learn(self, slope, kept, lr):
        """One step of Adam down `slope`, the loss's derivative by logits."""
        (_, first, second), (line_bag, memory_bag, line, memory, inner, hidden) = self.weights, kept
        back = (slope @ second.T) * (hidden > 0)
        to = back @ first.T
        to_line, to_memory, to_both = to[:, :WIDTH], to[:, WIDTH : 2 * WIDTH], to[:, 2 * WIDTH : 3 * WIDTH]
        embed = line_bag.T @ (to_line + to_both * memory) + memory_bag.T @ (to_memory + to_both * line)
        self.steps += 1
        for weights, gradient, (mean, square) in zip(
            self.weights, (embed, inner.T @ back, hidden.T @ slope), self.moments, strict=True
        ):
            mean += 0.1 * (gradient - mean)
            square += 0.001 * (gradient**2 - square)
            weights -= lr * mean / (1 - 0.9**self.steps) / (np.sqrt(square / (1 - 0.999**self.steps)) + 1e-8)


def manager(network):
    """The policy that does what has the best chance."""
    return Scripted("manager", lambda context: call(context, NAMES[int(network([seen(context)])[0].argmax())]))


def call(context, name):
    related = read(context)[2] if name in ("update", "delete") else None
    return say(context, (name, {"memory_id": related[1]} if related else {}))


# ---- learning ---------------------------------------------------------------------------------------------------------


def imitate(network, episodes, lr=1e-2, rounds=3, batch=64):
    """Cross-entropy on what was done; the learning rate falls to a tenth."""
    turns = [turn for episode in episodes for turn in episode.turns]
    order = [Random(each).sample(turns, len(turns)) for each in range(rounds)]
    for number, each in enumerate(order):
        for start in range(0, len(turns), batch):
            some, passed = each[start : start + batch], (number + start / len(turns)) / rounds
            chances, kept = network([seen(turn.observation) for turn in some])
            network.learn(((chances - done(some)) / len(some)).astype(np.float32), kept, lr * (1 - 0.9 * passed))


def done(turns):
    """The operations as rows of 0 and 1."""
    return np.eye(len(NAMES), dtype=np.float32)[[NAMES.index(turn.action.calls[0].name) for turn in turns]]


# ---- who is imitated, and what it is compared with --------------------------------------------------------------------


def expert(noise):
    """Knows what a line claims, but with probability `noise` does anything."""

    def play(context):
        rng = Random(context.seed)
        names = NAMES if read(context)[2] else NAMES[:2]
        return call(context, rng.choice(names) if rng.random() < noise else best(context))

    return Scripted("expert", play)


def best(context):
    """What suits the line, given the one related memory that is seen."""
    line, room, related = read(context)
    new = hear(line[1])
    old = hear(f"2000-01-01 {related[2]}: {related[3]}") if related else None
    if new is None or (not new.own and new.source != "Assistant"):
        return "noop"
    if old and (old.person, old.attribute) == (new.person, new.attribute):
        if new.op == "forget" or (new.op == "drop" and old.value == new.value):
            return "delete"
        if new.op in ("set", "correct") and ATTRIBUTES[new.attribute].kind == "single":
            return "update"
    return "noop" if new.op in ("forget", "drop") or not room else "add"


def most_recent(context):
    """Adds every line, and deletes the oldest ones where that takes room."""
    text, payload = context.messages[0].text, context.task.payload
    calls = recent(tuple(payload["lines"]), tuple(payload["facts"]), int(USED.search(text)[2]))
    return say(context, *calls[lines_shown(text)[0]])


@lru_cache
def recent(lines, facts, budget):
    """The calls at each line."""
    made, kept, count = {}, {}, 0
    for place in facts:
        line, made[place] = lines[place], []
        if tokens(line) > 64 or line in kept.values():
            made[place].append(("noop", {}))
            continue
        while sum(map(tokens, kept.values())) + tokens(line) > budget:
            oldest = next(iter(kept))
            del kept[oldest]
            made[place].append(("delete", {"memory_id": oldest}))
        count += 1
        kept[f"{count:04x}"] = line
        made[place].append(("add", {}))
    return made


BASELINES = {
    "the expert that was imitated": expert(NOISE),
    "keep everything": Scripted("keep", lambda context: call(context, "add")),
    "keep nothing": Scripted("nothing", lambda context: call(context, "noop")),
    "keep the most recent": Scripted("recent", most_recent),
}


# ---- the experiment ---------------------------------------------------------------------------------------------------


async def play(runtime, policy, tasks, size=SHORT, **options):
    return [each async for each in collect(spec(size), policy, tasks, runtime=runtime, concurrency=8, **options)]


async def measure(runtime, policy, split, size, number):
    """Each task's quality, and means of reward, leaks and so on."""
    played = await play(runtime, policy, await runtime.tasks(spec(size)).take(split, number), size)
    played.sort(key=lambda episode: episode.key.task)
    named = [{channel.name: channel.value or 0.0 for channel in each.record.channels} for each in played]
    means = {name: float(np.mean([each[name] for each in named])) for name in ("leaked", "stale", "recall", "format")}
    calls = [call.name for episode in played for turn in episode.turns for call in turn.action.calls]
    means |= {name: calls.count(name) / len(calls) for name in NAMES}
    means["reward"] = float(np.mean([each.record.total for each in played]))
    return {"quality": [each.record.success for each in played], **means}


def told(values):
    """The mean with its 95 % bootstrap interval over seeds (rows) and tasks (columns)."""
    values, rng = np.atleast_2d(values), np.random.default_rng(0)
    rows, columns = (rng.integers(count, size=(2_000, count)) for count in values.shape)
    means = [values[np.ix_(some, tasks)].mean() for some, tasks in zip(rows, columns, strict=True)]
    low, high = np.quantile(means, (0.025, 0.975))
    return f"{values.mean():.3f} [{low:.3f}, {high:.3f}]"


async def train(runtime, seed, options):
    """A network for each number of episodes imitated, the last with all; the curve is on validation tasks."""
    tasks = await runtime.tasks(spec(SHORT)).take("train", options.taught, seed=seed)
    taught, curve = await play(runtime, expert(NOISE), tasks, seed=seed), []
    for number in (0, options.taught // 8, options.taught // 3, options.taught):
        network = Network(seed)
        imitate(network, taught[:number])
        look = {"episodes": number}
        for size, few in ((SHORT, options.looked), (SHORT * FACTOR, options.looked // 5)):
            look[size] = await measure(runtime, manager(network), "validation", size, max(few, 1))
        curve.append(look)
        means = {size: told(look[size]["quality"]) for size in (SHORT, SHORT * FACTOR)}
        print(f"seed {seed}, {number} episodes: {means}, {time.process_time():.0f} s", flush=True)
    return network, curve


async def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--taught", type=int, default=400, help="episodes of the expert")
    looked = "short validation tasks of a look, and a fifth as many long ones"
    parser.add_argument("--looked", type=int, default=20, help=looked)
    parser.add_argument("--tested", type=int, default=100, help="test tasks of each length")
    parser.add_argument("--out", type=Path, help="where the numbers go, as JSON")
    options = parser.parse_args()
    found = {"options": {**vars(options), "out": None}, "curves": {}, "test": {}}
    async with Runtime() as runtime:

        async def test(name, policy):
            found["test"][name] = here = {}
            for size in (SHORT, SHORT * FACTOR):
                here[size] = await measure(runtime, policy, "test", size, options.tested)
            told_by_size = {size: told(each["quality"]) for size, each in here.items()}
            print(f"test: {name}: {told_by_size}, {time.process_time():.0f} s", flush=True)

        for seed in options.seeds:
            network, found["curves"][seed] = await train(runtime, seed, options)
            await test(f"learned, seed {seed}", manager(network))
        for name, policy in BASELINES.items():
            await test(name, policy)
    for name in BASELINES:
        print(f"learned less {name}:", {size: told(gain(found, name, size)) for size in (SHORT, SHORT * FACTOR)})
    if options.out:
        options.out.write_text(json.dumps(found))


def gain(found, name, size):
    """By seed and test task: the learned manager's quality less the baseline's."""
    learned = [found["test"][f"learned, seed {seed}"][size]["quality"] for seed in found["options"]["seeds"]]
    return np.array(learned) - found["test"][name][size]["quality"]


if __name__ == "__main__":
    asyncio.run(main())
