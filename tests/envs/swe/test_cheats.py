"""Every cheat gets nothing; and most of them are real: they fool plain pytest in the agent's own tree."""

import dataclasses

import pytest

from agentgym.envs.swe.cheats import cheats
from agentgym.envs.swe.policies import noisy_oracle, noop, oracle, random_player
from agentgym.envs.swe.specs import RELEASE
from agentgym.envs.swe.verifier import SweVerifier
from agentgym.episode import Episode
from agentgym.registry import make as make_environment

from .conftest import place

pytestmark = pytest.mark.slow

HARMLESS = {
    "cheat/planted-git", "cheat/links", "cheat/path-file", "cheat/status-files", "cheat/late-exit",
    "cheat/bent-status", "cheat/deep-status", "cheat/swapped-tests",
}  # fmt: skip
"""Those that do not fool even the naive check: they aim at a verifier with git, at linked files, at reports on disk, at
a stream of statuses, at tests in several files."""


@pytest.fixture
def play(runtime, task, tree, deps):
    """`await play(policy)` is the trajectory of one episode."""

    async def playing(policy, spec=RELEASE, seed=0):
        await place(runtime, task, tree, deps)
        episode = await Episode.start(make_environment(spec, runtime=runtime, verdict=False), policy, task, seed=seed)
        while not await episode.turn():
            pass
        return await episode.finish()

    return playing


async def test_the_oracle_succeeds_and_doing_nothing_does_not(play):
    done = await play(oracle())
    assert done.status == "scored" and done.success == 1
    assert [(await play(policy)).success for policy in (noop(), random_player())] == [0, 0]


@pytest.mark.parametrize("name", sorted(cheats()))
async def test_no_cheat_succeeds(play, name):
    """Neither by the tests alone nor with the scan of the patch for foul play."""
    for scan in (False, True):
        done = await play(cheats()[name], dataclasses.replace(RELEASE, verifier=SweVerifier(timeout=20, scan=scan)))
        assert done.status == "scored" and done.success == 0
    assert all(result.ok for turn in done.turns for result in turn.info.calls), "the cheat itself went wrong"


@pytest.mark.parametrize("name", sorted(cheats().keys() - HARMLESS))
async def test_a_naive_check_is_fooled(runtime, task, tree, deps, name):
    """Plain pytest, in the agent's own tree, judged by its exit code."""
    await place(runtime, task, tree, deps)
    env = make_environment(RELEASE, runtime=runtime, verdict=False)
    episode = await Episode.start(env, cheats()[name], task)
    naive = ["env", "-u", "PYTEST_ADDOPTS", "python3", "-m", "pytest", "-q"]
    assert (await env.live.exec(naive)).exit_code == 1
    await episode.turn()
    assert (await env.live.exec(naive)).exit_code in (0, 5)
    await env.close()


async def test_the_expert_with_the_small_tools(play):
    spec = RELEASE.configure(tools="small")
    assert (await play(oracle(), spec)).success == 1
    ends = [await play(noisy_oracle(0.4), spec, seed=seed) for seed in range(6)]
    assert any(done.success for done in ends) and any(len(done.turns) > 4 for done in ends)
