"""A runtime on whatever sandbox works here, and verdicts on files without an agent."""

import pytest

from agentgym import backends
from agentgym.errors import UsageError
from agentgym.runtime import Runtime
from agentgym.types import Score
from agentgym.verifier import Evidence


@pytest.fixture(scope="session")
def backend():
    try:
        return backends.choose("auto")
    except UsageError as error:
        pytest.fail(str(error))


@pytest.fixture
async def runtime(tmp_path, backend):
    async with Runtime(cache=tmp_path / "cache") as runtime:
        yield runtime
        assert runtime.leaks == []


@pytest.fixture
def verdict(runtime):
    """`await verdict(verifier, task, files)` is the scores of a submission, by channel."""

    async def judge(verifier, task, files, end="submit") -> dict[str, Score]:
        scores = await verifier.verify(Evidence(task, files, end=end), runtime)
        return {score.channel: score for score in scores}

    return judge
