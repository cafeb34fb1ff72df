"""Targets are reached by what the corpus says reaches them, by none of the seeds, and by nothing trivial."""

from itertools import pairwise

import pytest

from agentgym.envs.code.fuzz.parsers import SPLITS, corpus, encoded, floor, harness_of, program, run_job
from agentgym.envs.code.fuzz.specs import FUZZ
from agentgym.envs.code.fuzz.tasks import _STATEMENT, excerpt
from agentgym.envs.swe.boxes import of_runtime
from agentgym.errors import TaskError
from agentgym.seeds import content_hash

PARSERS = [parser for parsers in SPLITS.values() for parser in parsers]
GOLDEN = "311e290894c11ea3"


async def ids(runtime, split, count, seed=None):
    found = []
    async for id in runtime.tasks(FUZZ).ids(split, seed):
        found.append(id)
        if len(found) == count:
            break
    return found


def test_every_parser_has_a_corpus_and_one_split():
    assert len(PARSERS) == len(set(PARSERS)) == 23
    for parser in PARSERS:
        texts, (module, source) = corpus(parser), harness_of(parser)
        assert len(texts) == len(set(texts)) >= 30 and module and source.startswith("def parse_")
        assert all(len(text.encode()) <= FUZZ.config.input_bytes for text in texts)


def test_what_tasks_are_made_of_stays_what_it_is():
    """Tasks themselves also depend on the box's Python; what does not is pinned here."""
    parts = [{split: list(parsers) for split, parsers in SPLITS.items()}, list(floor()), program(), _STATEMENT]
    made_of = content_hash([*parts, *([parser, list(corpus(parser))] for parser in PARSERS)])
    assert made_of[:16] == GOLDEN, "tasks or their measure have changed: a new version of the environment is due"


@pytest.mark.slow
@pytest.mark.parametrize("split", ["validation", "test"])
async def test_the_truth_holds(runtime, split):
    """One task of each parser: seeds and trivial inputs miss, the witness reaches, and all of it again in a new box."""
    tasks = runtime.tasks(FUZZ)
    for id in await ids(runtime, split, len(SPLITS[split])):
        task = await tasks.get(id)
        seeds, witness = list(task.payload["files"].values()), task.secret["solution"]["inputs/0"]
        assert len(set(seeds)) == 4 and task.split == split and task == await tasks.get(id)
        job = {key: task.payload[key] for key in ("parser", "target")}
        inputs = encoded([witness, *seeds, *floor()[:4]])
        told = await run_job(of_runtime(runtime), {**job, "inputs": inputs})
        distances = [result["distance"] for result in told["inputs"]]
        assert distances[0] == 0 and 0 not in distances[1:], (id, distances)
        assert told["sha256"] == task.payload["sha256"]


@pytest.mark.nightly
@pytest.mark.timeout(1200)
async def test_the_truth_holds_for_the_train_split(runtime):
    tasks, misses = runtime.tasks(FUZZ), []
    for id in await ids(runtime, "train", 200):
        task = await tasks.get(id)
        job = {key: task.payload[key] for key in ("parser", "target")}
        witness = encoded([task.secret["solution"]["inputs/0"], *task.payload["files"].values()])
        told = await run_job(of_runtime(runtime), {**job, "inputs": witness})
        distances = [result["distance"] for result in told["inputs"]]
        if distances[0] != 0 or 0 in distances[1:]:
            misses.append((id, distances))
    assert not misses


async def test_ids_take_parsers_in_turn_and_follow_the_seed(runtime):
    first = await ids(runtime, "validation", 12)
    assert {id.rsplit("-", 2)[0] for id in first[:3]} == set(SPLITS["validation"]) and len(set(first)) == 12
    assert first == await ids(runtime, "validation", 12) != await ids(runtime, "validation", 12, seed=5)


@pytest.mark.parametrize(
    "id", ["json", "json-1-2", "json-x-y", "no-1-2", "json--1-2", "json-٣-٤", "shell-words-0-0", ""]
)
async def test_other_ids_are_no_tasks(runtime, id):
    with pytest.raises(TaskError):
        await runtime.tasks(FUZZ).get(id)


def test_an_excerpt_shows_both_lines_and_the_function():
    source = "\n".join(["def f():", *(f"    a = {n}" for n in range(2, 91))])
    shown = excerpt(source, (60, 3))
    assert "def f():" in shown and ">   60     a = 60" in shown and ">    3     a = 3" in shown and "..." in shown
    numbers = [int(row.strip("> ").split()[0]) for row in shown.split("\n") if "..." not in row]
    assert all(before < after for before, after in pairwise(numbers)) and len(numbers) < 60
