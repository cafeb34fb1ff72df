"""A package of one module, made here, so that most tests of the repair environments need no network."""

import asyncio
import json

import pytest

from agentgym import backends, registry
from agentgym.envs.swe import diffs, materials
from agentgym.envs.swe.boxes import of_backend, python_of
from agentgym.envs.swe.packages import FetchError
from agentgym.envs.swe.runner import Suite
from agentgym.envs.swe.specs import RELEASE
from agentgym.envs.swe.testdeps import test_deps
from agentgym.errors import UsageError
from agentgym.runtime import Runtime
from agentgym.tasks import Task
from agentgym.types import Action, ToolCall

SOURCE = '''"""Small numbers."""


def clamp(value, low, high):
    """`value`, but not outside `low` to `high`."""
    if value > low:
        return low
    return min(value, high)


def total(values):
    result = 0
    for value in values:
        result = result + value
    return result
'''
FIXED = SOURCE.replace("value > low", "value < low")
TESTS = """import mini.core
from mini.core import clamp, total


def test_clamp_low():
    assert clamp(1, 2, 5) == 2


def test_clamp_middle():
    assert clamp(3, 2, 5) == 3


def test_clamp_high():
    assert clamp(9, 2, 5) == 5


def test_total():
    assert total([1, 2, 3]) == 6
"""
REPAIR = [f"tests/test_core.py::test_clamp_{name}" for name in ("low", "middle", "high")]


@pytest.fixture(scope="session")
def backend():
    try:
        return backends.choose("auto")
    except UsageError as error:
        pytest.fail(str(error))


@pytest.fixture(scope="session")
def deps(backend):
    """The test dependencies, from the cache or the index."""

    async def bring():
        return await test_deps(await python_of(of_backend(backend)))

    try:
        return asyncio.run(bring())
    except FetchError as error:
        pytest.fail(f"the package index can not be reached: {error}")


@pytest.fixture
def tree(tmp_path):
    """The broken package's source tree."""
    for path, text in {
        "mini/__init__.py": "",
        "mini/core.py": SOURCE,
        "tests/test_core.py": TESTS,
        "README.md": "mini\n",
        "pyproject.toml": "[project]\nname = 'mini'\n",
    }.items():
        file = tmp_path / "tree" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path / "tree"


@pytest.fixture
def task():
    return Task(
        "mini-1",
        "swe/bugs",
        {"package": "mini", "version": "1.0", "root": ".", "statement": "clamp does not keep to its lower bound."},
        {
            "files": ["mini/core.py"],
            "oracle": diffs.make("mini/core.py", SOURCE, FIXED),
            "repair": REPAIR,
            "keep": ["tests/test_core.py::test_total"],
            "edit": {
                "path": "mini/core.py",
                "line": 6,
                "before": "    if value > low:",
                "after": "    if value < low:",
            },
        },
    )


@pytest.fixture
async def runtime(tmp_path, backend):
    async with Runtime(cache=tmp_path / "cache") as runtime:
        yield runtime
        assert runtime.leaks == []


async def place(runtime, task, tree, deps):
    """Have the runtime know what the task is made of."""
    suite = Suite(("tests/test_core.py",), deps, ".", {"tests/test_core.py": TESTS.encode()})
    shelf = await runtime.resource("swe-materials", materials._shelf)
    shelf[task.hash] = materials._made(tree, suite)


@pytest.fixture
def make(runtime, task, tree, tmp_path):
    """Makes an environment of the small package, reset; without the test dependencies unless they are given."""
    made = []

    async def maker(spec=RELEASE, deps=None, verdict=False, **config):
        (tmp_path / "nothing").mkdir(exist_ok=True)
        await place(runtime, task, tree, deps or tmp_path / "nothing")
        env = registry.make(spec, runtime=runtime, verdict=verdict, **config)
        made.append(env)
        await env.reset(task=task)
        return env

    yield maker
    assert all(env._phase == "closed" for env in made), "a test left an environment open"


@pytest.fixture
def call():
    """Plays one tool call: `await call(env, "view", path="x")` is the reply's text and the call's result."""

    async def play(env, name, **arguments):
        observation, *_, info = await env.step(Action(calls=(ToolCall("c", name, json.dumps(arguments)),)))
        return observation.messages[0].text, info.calls[0], info

    return play
