"""The task set: balanced, held apart, always the same; and the release gate of the environment."""

import json
from collections import Counter

import pytest

from agentgym.envs.code.vuln.policies import POLICIES
from agentgym.envs.code.vuln.specs import VULN
from agentgym.envs.code.vuln.tasks import VulnTasks
from agentgym.envs.code.vuln.verifier import VulnVerifier
from agentgym.errors import TaskError
from agentgym.policy import Context
from agentgym.runtime import Runtime, RuntimeLimits
from agentgym.seeds import content_hash, derive_seed
from agentgym.tasks import SPLITS
from agentgym.testing import check_environment
from agentgym.types import Observation
from agentgym.verifier import Evidence

TASKS = VulnTasks(VULN.config, None)
GOLDEN = "5f447999d38e9c94"


async def many(split, count):
    return [await TASKS.get(f"{split}-{number}") for number in range(count)]


async def test_half_of_the_programs_are_flawed_and_twins_go_together():
    tasks = await many("train", 200)
    assert sum(task.secret["vulnerable"] for task in tasks) == 100
    assert 25 <= sum(task.secret["vulnerable"] for task in tasks[::2]) <= 75
    for first, second in zip(tasks[::2], tasks[1::2], strict=True):
        assert (
            first.secret["family"] == second.secret["family"]
            and first.secret["vulnerable"] != second.secret["vulnerable"]
        )


async def test_no_weakness_is_in_two_splits():
    kinds = {split: {task.secret["cwe"][0] for task in await many(split, 80)} for split in SPLITS}
    assert all(kinds.values()) and sum(map(len, kinds.values())) == len(set().union(*kinds.values()))


async def test_tasks_stay_what_they_are():
    hashes = [task.hash for split in SPLITS for task in await many(split, 20)]
    assert len(set(hashes)) == 60
    assert content_hash(hashes)[:16] == GOLDEN, "tasks have changed: a new version of the environment is due"


@pytest.mark.parametrize("id", ["train", "train--1", "train-01", "dev-1", "test-²", "test-2147483648"])
async def test_other_ids_are_no_tasks(id):
    with pytest.raises(TaskError):
        await TASKS.get(id)


async def test_the_statement_gives_nothing_away():
    """Twins are told the same, and no truth is in what an unprivileged policy gets."""
    for first, second in zip((await many("test", 20))[::2], (await many("test", 20))[1::2], strict=True):
        assert first.payload["statement"] == second.payload["statement"]
        shown = [str(first.public()).replace(first.id, ""), str(second.public()).replace(second.id, "")]
        assert sorted(shown[0]) == sorted(shown[1])  # the same words, and so the same letters


@pytest.mark.parametrize("name", ["scanner", "random"])
async def test_patterns_and_guesses_are_no_better_than_chance(name):
    """Of the verdict the scanner gets half by construction; of the success less, since it must find the place."""
    policy, totals = POLICIES[name](), Counter()
    tasks = await many("train", 400) + await many("test", 200)
    for task in tasks:
        context = Context((), (), Observation(), task.public(), seed=derive_seed("scan", task.id))
        (action,) = await policy.act(context)
        text = json.loads(action.calls[0].arguments)["text"]
        for score in await VulnVerifier().verify(Evidence(task, {"answer.json": text}, (), "submit"), None):
            totals[score.channel] += score.value
    assert totals["solved"] / len(tasks) <= VULN.chance
    assert abs(totals["prediction"] / len(tasks) - 0.5) < 0.1
    assert name == "random" or totals["prediction"] / len(tasks) == 0.5


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_the_release_gate():
    """With no more boxes than one fork takes: forks of several tasks do not wait for each other."""
    async with Runtime(limits=RuntimeLimits(sandboxes=3, fork_wait_s=20)) as runtime:
        report = await check_environment("code/vuln-v0", runtime=runtime, limit=3)
    assert report.passed, report.problems
