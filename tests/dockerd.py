"""A Docker daemon for tests: this machine's where one answers, else one that we start and all test processes share.

Ours lives in namespaces of its own and has neither bridge nor firewall rules, so it changes nothing outside of them: a
second daemon in the host's network would delete the first one's bridge.
"""

import contextlib
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from agentgym.runtime import default_cache
from agentgym.sandboxes import docker_daemon, docker_images

FOLDER = Path(tempfile.gettempdir()) / f"agentgym-dockerd-{os.getuid()}"
WHAT_TO_TYPE = (
    "these tests need a Docker daemon, and none answers at {host}: start it (systemctl start docker) and let this user "
    "use it (usermod --append --groups docker USER); or, as root, apt-get install docker.io, and the tests start their own"
)


def answers(host: str) -> bool:
    with socket.socket(socket.AF_UNIX) as line, contextlib.suppress(OSError):
        line.settimeout(10)
        line.connect(host.removeprefix("unix://"))
        line.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
        return b" 200 " in line.recv(100)
    return False


def start(folder: Path, data: Path) -> "subprocess.Popen[bytes]":
    """A daemon of our own that listens in `folder` and keeps its images in `data`; returns when it answers."""
    folder.mkdir(parents=True, exist_ok=True)
    for stale in ("pid", "exec/containerd/containerd.pid"):  # of a daemon that was killed and nobody has buried yet
        (folder / stale).unlink(missing_ok=True)
    options = ["--iptables=false", "--bridge=none", "--data-root", data, "--exec-root", folder / "exec"]
    options += ["--pidfile", folder / "pid", "--host", host_in(folder)]
    path = os.environ["PATH"] + ":/usr/sbin:/sbin"
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            ["unshare", "-mn", "dockerd", *map(str, options)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, "PATH": path},
            start_new_session=True,  # Ctrl-C is for the tests
        )
    deadline = time.monotonic() + 60
    while not answers(host_in(folder)):
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            raise RuntimeError(f"dockerd did not start:\n{(folder / 'log').read_text()[-3000:]}")
        time.sleep(0.1)
    return process


def host_in(folder: Path) -> str:
    return f"unix://{folder}/docker.sock"


@contextlib.contextmanager
def shared() -> Iterator[str]:
    """The address of a daemon that has our images. Ours ends with the last test process that uses it."""
    host = os.environ.get("DOCKER_HOST") or docker_daemon.DEFAULT_HOST
    if answers(host):
        with _locked("images"):
            docker_images.build(docker_daemon.Daemon(host))
        yield host
        return
    if os.geteuid() != 0 or not shutil.which("dockerd", path=os.environ["PATH"] + ":/usr/sbin:/sbin"):
        raise RuntimeError(WHAT_TO_TYPE.format(host=host))
    host = host_in(FOLDER)
    FOLDER.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (FOLDER / "users").open("w") as users:
        try:
            with _locked("start"):
                fcntl.flock(users, fcntl.LOCK_SH)
                if not answers(host):
                    start(FOLDER, default_cache() / "dockerd")
                docker_images.build(docker_daemon.Daemon(host))
            yield host
        finally:
            with _locked("start"), contextlib.suppress(BlockingIOError, FileNotFoundError):
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                stop(int((FOLDER / "pid").read_text()))


def stop(pid: int) -> None:
    """End a daemon of ours, and wait until it has ended its own helpers."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + 20
        while not _ended(pid) and time.monotonic() < deadline:
            time.sleep(0.05)


def _ended(pid: int) -> bool:
    """Whether it is gone, or dead and not yet buried by whoever started it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@contextlib.contextmanager
def _locked(name: str) -> Iterator[None]:
    FOLDER.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (FOLDER / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
