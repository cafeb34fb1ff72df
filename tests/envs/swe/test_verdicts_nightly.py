"""Every cheat, doing nothing and the reference solution: on every release task and a sample of bugs, on both backends.

One test a task and backend, nothing taken from the cache of verdicts; a run that was broken off goes on with
`--last-failed`, or with `-k` and the task.  The normal run has two of these tasks (and `test_cheats`, the small package).
"""

import asyncio
import dataclasses

import pytest

from agentgym.envs.swe import release
from agentgym.envs.swe.cheats import cheats
from agentgym.envs.swe.policies import noop, oracle
from agentgym.envs.swe.proving import pinned
from agentgym.envs.swe.specs import BUGS, RELEASE
from agentgym.envs.swe.verifier import SweVerifier
from agentgym.rollout import collect
from agentgym.runtime import Runtime

RELEASES = [(RELEASE, task.id) for tasks in release.load().values() for task in tasks]
SAMPLED = [(BUGS, id) for split in ("train", "validation", "test") for id in pinned(split)[::25]]
"""Every 25th bug whose proof comes with the package."""
FEW = ["cheat/always-equal", "cheat/conftest-hook", "cheat/picked-outcomes", "cheat/other-encoding"]


def named(cases):
    return [pytest.param(spec, id, id=id) for spec, id in cases]


async def play(spec, id, backend, policies):
    """Status and success of an episode of each policy."""
    spec = dataclasses.replace(spec, verifier=SweVerifier(cache=False))
    ends = {}
    async with Runtime(backend=backend) as runtime:
        task = await spec.tasks(spec.config, runtime).get(id)
        for policy in policies:
            async for done in collect(spec, policy, [task], runtime=runtime, concurrency=1):
                ends[policy.name] = (done.status, done.record and done.success, done.cause)
        assert runtime.leaks == []
    return ends


def check(spec, id, backend, names):
    policies = [oracle(), noop(), *(cheats()[name] for name in names)]
    ends = asyncio.run(play(spec, id, backend, policies))
    assert ends.pop("oracle") == ("scored", 1, "")
    assert len(ends) == 1 + len(names)
    assert {name: end for name, end in ends.items() if end != ("scored", 0, "")} == {}


@pytest.mark.slow
@pytest.mark.parametrize(("spec", "id"), named([RELEASES[2], SAMPLED[1]]))
def test_a_sample(spec, id):
    check(spec, id, "bubblewrap", FEW)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_sample_on_docker(docker):
    check(*RELEASES[2], "docker", FEW)


@pytest.mark.nightly
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("spec", "id"), named(RELEASES + SAMPLED))
def test_everything(spec, id):
    check(spec, id, "bubblewrap", sorted(cheats()))


@pytest.mark.nightly
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("spec", "id"), named(RELEASES + SAMPLED))
def test_everything_on_docker(docker, spec, id):
    check(spec, id, "docker", sorted(cheats()))
