"""What holds for the whole suite: Ctrl-C works; Docker, for those tests that ask for it."""

import signal
from collections.abc import Iterator

import pytest

from agentgym.errors import SandboxError
from agentgym.sandboxes.docker import Docker
from tests import dockerd


def pytest_configure() -> None:
    """Ctrl-C is part of what is tested, also where a shell has put the tests into the background, to ignore it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def docker_host() -> Iterator[str]:
    """The address of a daemon that has our images. Where there can be none, tests fail and say what to type."""
    try:
        with dockerd.shared() as host:
            yield host
    except (RuntimeError, SandboxError) as error:
        pytest.fail(str(error))


@pytest.fixture(scope="module")
def docker(docker_host: str) -> Iterator[str]:
    """That daemon is the one that this process uses; no spare boxes, which would double the work of every test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCKER_HOST", docker_host)
        patch.setattr(Docker, "spares", 0)
        yield docker_host
