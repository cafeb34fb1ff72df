"""A runtime on the default sandbox, whose cache all tests of a session share: a survey takes a second."""

import pytest

from agentgym.runtime import Runtime


@pytest.fixture(scope="session")
def survey_cache(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz-cache")


@pytest.fixture
async def runtime(survey_cache):
    async with Runtime(cache=survey_cache) as runtime:
        yield runtime
        assert runtime.leaks == []
