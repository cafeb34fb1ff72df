"""What inputs are worth, and that a verdict survives whatever they are."""

import base64
import dataclasses
import json

import pytest

from agentgym.envs.code.fuzz.specs import FUZZ
from agentgym.envs.code.fuzz.verifier import FuzzVerifier, closeness
from agentgym.errors import TaskError
from agentgym.registry import make
from agentgym.verifier import Evidence


@pytest.fixture
async def task(runtime):
    (first,) = await runtime.tasks(FUZZ).take("validation", 1)
    return first


async def scored(runtime, task, *inputs, verifier=None, end="submit"):
    raw = [base64.b64encode(data if isinstance(data, bytes) else data.encode()).decode() for data in inputs]
    evidence = Evidence(task, {"inputs": json.dumps(raw), "notes": "[]"}, (), end)
    return {score.channel: score for score in await (verifier or FuzzVerifier()).verify(evidence, runtime)}


async def test_the_witness_is_worth_everything_and_the_seeds_nothing(runtime, task):
    witness, seeds = task.secret["solution"]["inputs/0"], task.payload["files"].values()
    best = await scored(runtime, task, *seeds, witness)
    assert (best["outcome"].value, best["solved"].value, best["distance"].value) == (1, 1, 0)
    shown = await scored(runtime, task, *seeds)
    assert (shown["outcome"].value, shown["solved"].value) == (0, 0)
    plain = await scored(runtime, task, *seeds, verifier=FuzzVerifier(over_seeds=False))
    assert plain["outcome"].value == closeness(int(plain["distance"].value)) > 0


async def test_nothing_and_the_unsubmitted_are_worth_nothing(runtime, task):
    assert (await scored(runtime, task))["outcome"].value == 0
    late = await scored(runtime, task, task.secret["solution"]["inputs/0"], end="turn_limit")
    assert late["solved"].value == 0 and "not submitted" in late["solved"].reason


async def test_bytes_of_any_kind_get_a_verdict(runtime, task):
    odd = [b"\xff\xfe\x00\x80", b"\0" * 4096, "\ud7ff\U0010ffff".encode(), b"\r\n" * 2000, b"((((" * 1000]
    assert (await scored(runtime, task, *odd))["solved"].value == 0


@pytest.mark.slow
async def test_inputs_that_hang_or_grow_are_the_submissions_own_doing(runtime):
    """A decimal that is written out with a million digits or a hundred million: the verdict goes on without it."""
    async for id in runtime.tasks(FUZZ).ids("train"):
        if id.startswith("decimals-"):
            task = await runtime.tasks(FUZZ).get(id)
            break
    bad = await scored(runtime, task, "1E+999999\n,f", "1E+99999999\nf")
    assert (bad["solved"].value, bad["outcome"].value, bad["invalid"].value) == (0, 0, 1)
    assert "1 of 2 are invalid" in bad["outcome"].reason


async def test_a_task_of_another_python_is_refused(runtime, task):
    other = dataclasses.replace(task, payload={**task.payload, "sha256": "0" * 64})
    with pytest.raises(TaskError, match="another Python"):
        await scored(runtime, other, "x")
    env = make(FUZZ, runtime=runtime)
    with pytest.raises(TaskError, match="another Python"):
        await env.reset(task=other)
    await env.close()


async def test_the_agent_has_the_verifiers_own_measure(runtime, task):
    env = make(FUZZ, runtime=runtime, verdict=False)
    await env.reset(task=task)
    await env.live.write("/workspace/inputs/0", task.secret["solution"]["inputs/0"].encode())
    done = await env.live.exec(["python3", "coverage.py", "inputs/0", "seeds/0"])
    first, second = done.stdout.decode().splitlines()
    assert first.endswith("reached the target") and not second.endswith("reached the target")
    assert len(json.loads((await env.artefacts())["inputs"])) == 1
    await env.close()
