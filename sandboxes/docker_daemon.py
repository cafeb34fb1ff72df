"""The Docker daemon of this machine: which one, calls to it off the event loop with deadlines, its long connections.

Calls go through the Docker SDK in threads of our own.  The two connections that last as long as a box (its attached
streams, the wait for its end) are sockets of the loop instead, since a thread for each box would be too many.
"""

from __future__ import annotations

import asyncio
import functools
import importlib
import os
import re
import socket
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from agentgym.errors import SandboxError

DEFAULT_HOST = "unix:///var/run/docker.sock"
CALL_S = 60.0
"""How long the daemon may take to answer one call: a busy machine that starts dozens of boxes takes several seconds."""
_THREADS = 16
_INSTALL = "the Docker SDK is not installed: pip install 'agentgym[docker]'"
_NO_DAEMON = (
    "install Docker (apt-get install docker.io) and start its daemon (systemctl start docker, or dockerd); "
    "DOCKER_HOST says which one is meant"
)


def sdk() -> Any:
    """The Docker SDK. From a checkout's root, without it, the folder `docker/` answers to its name: that is not it."""
    try:
        module = importlib.import_module("docker")
    except ImportError:
        raise SandboxError(_INSTALL) from None
    if not hasattr(module, "APIClient"):
        raise SandboxError(_INSTALL)
    return module


def current() -> Daemon:
    """The daemon that DOCKER_HOST names, or the usual one. SandboxError, saying what to do, if it does not answer."""
    return _daemon(address())


def address() -> str:
    """Which daemon is meant."""
    return os.environ.get("DOCKER_HOST") or DEFAULT_HOST


@functools.cache  # failures are not kept
def _daemon(host: str) -> Daemon:
    return Daemon(host)


class Daemon:
    """One daemon on this machine. `call` is for the event loop, `ask` for whoever may block, `api` the SDK itself."""

    def __init__(self, host: str) -> None:
        if not host.startswith("unix://"):
            raise SandboxError(f"the Docker daemon must be this machine's own, on a unix socket, not {host}")
        self.host, self._path = host, host.removeprefix("unix://")
        try:
            with socket.socket(socket.AF_UNIX) as line:  # before the SDK, whose import takes longer than all the rest
                line.connect(self._path)
        except OSError as error:
            raise SandboxError(f"no Docker daemon answers at {host}: {_NO_DAEMON} ({error})") from error
        docker = sdk()
        self._not_found: type[Exception] = docker.errors.NotFound
        self._failures: tuple[type[Exception], ...] = (docker.errors.DockerException, OSError)
        try:
            self.api = docker.APIClient(base_url=host, version="auto", timeout=CALL_S)
        except self._failures as error:
            raise SandboxError(f"no Docker daemon answers at {host}: {_NO_DAEMON} ({error})") from error
        self.api.headers["Connection"] = "close"  # else it keeps one for each of the last addresses, each box's own too
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="agentgym-docker")

    async def call(self, method: str, /, *arguments: Any, **options: Any) -> Any:
        """What the SDK's `method` returns. SandboxError if the daemon refuses, fails or does not answer.

        A cancelled caller waits for the daemon first: what it has begun can then be undone.
        """
        work = asyncio.wrap_future(self.submit(method, *arguments, **options))
        try:
            done, _ = await asyncio.wait([work], timeout=1.5 * CALL_S)
        except asyncio.CancelledError:
            done, _ = await asyncio.wait([work], timeout=1.5 * CALL_S)
            for each in done:
                each.exception()  # seen: nobody wants it any more
            raise
        if not done:
            work.cancel()
            raise SandboxError(f"the Docker daemon at {self.host} does not answer")
        with self.failing():
            return work.result()

    def ask(self, method: str, /, *arguments: Any, **options: Any) -> Any:
        """The same for a caller that may block."""
        with self.failing():
            return getattr(self.api, method)(*arguments, **options)

    @contextmanager
    def failing(self) -> Iterator[None]:
        """What the SDK raises inside, as SandboxError; NotThere if something does not exist."""
        try:
            yield
        except self._not_found as error:
            raise NotThere(explanation(error)) from error
        except self._failures as error:
            raise SandboxError(f"the Docker daemon at {self.host} failed: {explanation(error)}") from error

    def submit(self, method: str, /, *arguments: Any, **options: Any) -> Future[Any]:
        """Have the SDK's `method` called some time soon. Nobody need wait for it."""
        return self._threads.submit(getattr(self.api, method), *arguments, **options)

    async def stream(self, request: str, connection: str) -> tuple[socket.socket, bytes]:
        """POST, and the connection as it is after the answer's headers, with what came along with those.

        Raises SandboxError if the daemon says no or nothing.
        """
        loop = asyncio.get_running_loop()
        line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            async with asyncio.timeout(CALL_S):
                await loop.sock_connect(line, self._path)
                asked = f"Host: docker\r\nConnection: {connection}\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n"
                await loop.sock_sendall(line, f"POST /v{self.api.api_version}{request} HTTP/1.1\r\n{asked}".encode())
                said = b""
                while b"\r\n\r\n" not in said:
                    more = await loop.sock_recv(line, 4096)
                    if not more:
                        raise ConnectionError("it hung up")
                    said += more
            head, _, rest = said.partition(b"\r\n\r\n")
            if not re.match(rb"HTTP/1\.1 (101|200) ", head):
                raise SandboxError(f"the Docker daemon at {self.host} failed: {said.decode('utf-8', 'replace')}")
        except BaseException as error:
            line.close()
            if isinstance(error, OSError):  # a TimeoutError is one
                raise SandboxError(f"the Docker daemon at {self.host} does not answer: {error!r}") from error
            raise
        return line, rest

    async def answers(self, patience: float = 5.0) -> bool:
        """Whether it is there and awake."""
        writer = None
        try:
            async with asyncio.timeout(patience):
                reader, writer = await asyncio.open_unix_connection(self._path)
                writer.write(b"GET /_ping HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n")
                return b" 200 " in await reader.readline()
        except (OSError, TimeoutError):
            return False
        finally:
            if writer is not None:
                writer.transport.abort()


class NotThere(SandboxError):
    """The daemon has no such image or container."""


def explanation(error: BaseException) -> str:
    """What the SDK says went wrong, for people."""
    return str(getattr(error, "explanation", None) or error)
