"""ProgramSite: a web application that is a program with a folder. Each episode has a copy of the folder, and its own process.

The program is the author's choice and trusted: it runs as this process does, without a sandbox, with the episode's folder as
its home and a bare environment.  It ends with the episode, and with this process however that ends.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from agentgym.envs.web.site.site import Site
from agentgym.errors import SandboxError

_START_S, _TRIES = 60.0, 3
_LAUNCH = "import ctypes,os,sys;ctypes.CDLL(None).prctl(1,9);os.execvp(sys.argv[1],sys.argv[1:])"
"""PR_SET_PDEATHSIG: killed when its parent dies."""
Facts = Callable[[Path], dict[str, str]]


class ProgramSite(Site):
    """Attributes: `folder`, the episode's copy."""

    def __init__(self, folder: Path, facts: Facts) -> None:
        self.folder, self._facts = folder, facts
        self._process: asyncio.subprocess.Process | None = None

    @classmethod
    async def open(
        cls, command: Sequence[str], template: Path, facts: Facts, environment: Mapping[str, str] | None = None
    ) -> ProgramSite:
        """Copy `template`, start `command` in the copy, and wait until it answers.

        In `command`, "{folder}" and "{port}" stand for the copy and for a free port of 127.0.0.1, where it must serve.
        facts: reads the server's state from the folder; called in a thread.
        Raises SandboxError, with what the program said, if it does not come up.
        """
        home = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="agentgym-site-"))
        site = cls(home / "site", facts)
        try:
            await asyncio.to_thread(shutil.copytree, template, site.folder, symlinks=True)
            for again in range(_TRIES - 1, -1, -1):
                if await site._start(command, environment or {}):
                    return site
                if not again:
                    said = (home / "said").read_text(errors="replace")[-1_000:]
                    raise SandboxError(f"{command[0]} did not come up: {said or 'it said nothing'}")
            raise AssertionError
        except BaseException:
            await site.close()
            raise

    async def facts(self) -> dict[str, str]:
        return await asyncio.to_thread(self._facts, self.folder)

    async def close(self) -> None:
        await self._stop()
        await asyncio.to_thread(shutil.rmtree, self.folder.parent, True)

    async def _start(self, command: Sequence[str], environment: Mapping[str, str]) -> bool:
        port = _free_port()
        words = {"{folder}": str(self.folder), "{port}": str(port)}
        argv = [_filled(part, words) for part in command]
        with (self.folder.parent / "said").open("wb") as said:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", "-c", _LAUNCH, *argv),
                cwd=self.folder,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
                env={"PATH": os.environ.get("PATH", os.defpath), "HOME": str(self.folder), "TZ": "UTC", **environment},
            )
        self.origin = f"http://127.0.0.1:{port}"
        with suppress(TimeoutError):
            async with asyncio.timeout(_START_S):
                while self._process.returncode is None:
                    if await _answers(port):
                        return True
                    await asyncio.sleep(0.05)
        await self._stop()
        return False

    async def _stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


def _filled(text: str, words: Mapping[str, str]) -> str:
    for name, value in words.items():
        text = text.replace(name, value)
    return text


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def _answers(port: int) -> bool:
    """Whether something there speaks HTTP."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")
        said = await asyncio.wait_for(reader.read(5), 10.0)
        writer.close()
        return said == b"HTTP/"
    except (OSError, TimeoutError):
        return False
