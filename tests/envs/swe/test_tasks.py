"""The real tasks, end to end: a one-line bug and a release, from the index or the cache. Skipped when offline."""

import pytest

from agentgym import registry
from agentgym.envs.swe.packages import FetchError
from agentgym.envs.swe.specs import BUGS, RELEASE
from agentgym.episode import Episode
from agentgym.errors import TaskError, UsageError
from agentgym.runtime import Runtime
from agentgym.seeds import content_hash

BUG = "voluptuous-0.16.0/voluptuous/validators.py:156:20:arithmetic/0"


@pytest.fixture
async def shared(backend):
    """A runtime with the user's own cache: packages are fetched once."""
    async with Runtime() as runtime:
        yield runtime
        assert runtime.leaks == []


async def get(runtime, spec, id):
    try:
        return await runtime.tasks(spec).get(id)
    except FetchError as error:
        pytest.fail(f"the package index can not be reached: {error}")


async def play(runtime, spec, policy, task):
    env = registry.make(spec, runtime=runtime, verdict=False)
    episode = await Episode.start(env, spec.policies[policy](), task)
    while not await episode.turn():
        pass
    return await episode.finish()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spec", "id"), [(BUGS, BUG), (RELEASE, "h11__0.15.0__0.16.0"), (RELEASE, "python-slugify__9.1.2__9.1.3")]
)
async def test_the_oracle_repairs_and_nothing_else_does(shared, spec, id):
    task = await get(shared, spec, id)
    seen = {name: await play(shared, spec, name, task) for name in ("oracle", "noop", "random", "cheat/hollow-runner")}
    assert {name: done.success for name, done in seen.items()} == {
        "oracle": 1,
        "noop": 0,
        "random": 0,
        "cheat/hollow-runner": 0,
    }


async def test_a_bug_with_the_small_tools(shared):
    spec = BUGS.configure(tools="small", hint="line")
    done = await play(shared, spec, "oracle", await get(shared, spec, BUG))
    assert done.success == 1 and len(done.turns) == 4


async def test_the_agent_sees_neither_hidden_tests_nor_the_solution(shared):
    task = await get(shared, BUGS, BUG)
    env = registry.make(BUGS, runtime=shared, verdict=False)
    await env.reset(task=task)
    found = await env.live.exec(["bash", "-c", "find / -name 'voluptuous*' -not -path '/proc/*' 2>/dev/null"])
    assert all(path.startswith("/workspace/") for path in found.stdout.decode().split())
    hidden = {test.partition("::")[0] for test in task.secret["repair"]}
    for path in hidden:
        assert not (await env.live.exec(["test", "-e", path])).ok
    assert not (
        await env.live.exec(["python3", "-c", "import socket; socket.create_connection(('1.1.1.1', 53), 2)"])
    ).ok
    await env.close()


async def test_what_is_said_of_a_task_is_pinned(shared):
    """A change here is a change of the tasks: raise the environment's version, then these."""
    tasks = [await get(shared, BUGS, BUG), await get(shared, RELEASE, "h11__0.15.0__0.16.0")]
    assert [content_hash(task.payload)[:16] for task in tasks] == ["387b81eb631482fe", "29e94bd499badccc"]


async def test_unknown_tasks_and_options_are_told(shared):
    with pytest.raises(TaskError, match="no release task"):
        await shared.tasks(RELEASE).get("nothing")
    with pytest.raises(TaskError, match="no bug"):
        await shared.tasks(BUGS).get("nothing")
    with pytest.raises(UsageError, match="tools"):
        shared.tasks(RELEASE.configure(tools="small"))
    with pytest.raises(UsageError, match="hint"):
        RELEASE.configure(hint="everything")
