"""Attacks on the driver's read and write: links, special files and paths that lead elsewhere than they say."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from agentgym.errors import AgentGymError, SandboxError
from agentgym.sandboxes.attacks.arena import Arena, attack, refuse_if, succeeded
from agentgym.sandboxes.attacks.bait import bait
from agentgym.sandboxes.attacks.the_agent import alive
from agentgym.sandboxes.conformance import sh
from agentgym.sandboxes.sandbox import Sandbox

_MET = (OSError, ValueError, AgentGymError)


def _why(error: BaseException) -> str:
    return getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"


@asynccontextmanager
async def _host_file(arena: Arena) -> AsyncIterator[tuple[Sandbox, Path]]:
    """A box, and a host file and directory that anybody may read and write; Succeeded if they change."""
    with bait() as host:
        async with arena.fresh() as box:
            yield box, host.file
        refuse_if(host.touched(), f"on the host: {host.touched()}")


async def _reads(box: Sandbox, paths: list[str], secret: bytes = b"the host's") -> str:
    met = set()
    for path in paths:
        try:
            data = await asyncio.wait_for(box.read(path), 30)
        except TimeoutError:
            succeeded(f"reading {path[:60]!r} hung the driver")
        except SandboxError as error:
            succeeded(f"the box died of reading {path[:60]!r}: {error}")
        except _MET as error:
            met.add(_why(error))
        else:
            refuse_if(secret in data, f"{path[:60]!r} gave {data[:60]!r}")
            met.add(f"{len(data)} bytes of the box's own")
    return ", ".join(sorted(met))


async def _writes(box: Sandbox, paths: list[str], data: bytes = b"planted") -> str:
    met = set()
    for path in paths:
        try:
            await asyncio.wait_for(box.write(path, data), 30)
            met.add("written inside")
        except TimeoutError:
            succeeded(f"writing {path[:60]!r} hung the driver")
        except SandboxError as error:
            succeeded(f"the box died of writing {path[:60]!r}: {error}")
        except _MET as error:
            met.add(_why(error))
    return ", ".join(sorted(met))


@attack()
async def links_to_the_host(arena: Arena) -> str:
    """Plant links to a host file and directory where the driver reads and writes."""
    async with _host_file(arena) as (box, file):
        await sh(
            box,
            f"ln -s {file} leak; ln -s {file.parent} way; ln -s / root; ln -s /proc/self/root proc; ln -s /proc/1/root one",
        )
        paths = ["leak", "way/file", f"root{file}", f"proc{file}", f"one{file}"]
        seen = await _reads(box, paths)
        return f"read: {seen}; write: {await _writes(box, [*paths, 'way/planted'])}"


@attack()
async def paths_that_climb(arena: Arena) -> str:
    """Name a host file by `..`, by /proc, by its own absolute path."""
    async with _host_file(arena) as (box, file):
        ways = [
            "../" * 20,
            "/" + "../" * 20,
            "/proc/self/root",
            "/proc/1/root",
            "/proc/self/cwd/" + "../" * 9,
            "/workspace/../../..",
            "",
        ]
        paths = [way + (str(file) if way in ("", "/proc/self/root", "/proc/1/root") else str(file)[1:]) for way in ways]
        seen = await _reads(box, paths)
        return f"read: {seen}; write: {await _writes(box, paths)}"


@attack()
async def a_link_that_moves(arena: Arena) -> str:
    """Swap a file for a link to the host, and back, while the driver reads and writes it."""
    async with _host_file(arena) as (box, file):
        await sh(
            box,
            f"setsid sh -c 'while :; do ln -sfn {file} a; echo own > b; mv -f b a; done' >/dev/null 2>&1 & sleep 0.2",
        )
        met = set()
        for _ in range(60):
            met.add(await _reads(box, ["a"]))
            met.add(await _writes(box, ["a"], b"own\n"))
        return f"60 reads and writes: {', '.join(sorted(met))}"


@attack()
async def files_that_never_end(arena: Arena) -> str:
    """Have the driver read and write pipes, devices, endless and growing files."""
    async with arena.fresh() as box:
        await sh(
            box,
            "mkfifo fifo; ln -s /dev/zero zero; ln -s /dev/tty tty; ln -s /dev/stdin in; mkdir dir; ln -s loop loop",
        )
        await sh(box, "setsid sh -c 'while :; do head -c 1M /dev/zero >> grows; done' >/dev/null 2>&1 &")
        paths = [
            "fifo",
            "zero",
            "/dev/zero",
            "/dev/random",
            "tty",
            "in",
            "dir",
            "loop",
            "/proc/kmsg",
            "/dev/full",
            "/proc/self/pagemap",
            "grows",
        ]
        seen = await _reads(box, paths)
        return f"read: {seen}; write: {await _writes(box, paths)}; {await alive(box, 'them')}"


@attack()
async def descriptors_of_the_agent(arena: Arena) -> str:
    """Plant links to the agent's own descriptors and memory, so that the driver's write speaks for the agent."""
    async with arena.fresh() as box:
        await sh(
            box,
            "for i in $(seq 0 9); do ln -s /proc/self/fd/$i fd$i; done; ln -s /proc/self/mem mem; ln -s /dev/stdout out; ln -s /proc/self/environ env",
        )
        paths = [
            *(f"fd{i}" for i in range(10)),
            "mem",
            "out",
            "env",
            "/proc/self/fd/1",
            "/dev/stdout",
            "/dev/stderr",
            "/dev/fd/0",
            "/proc/thread-self/fd/1",
        ]
        frame = b"\x00\x00\x00\x0e\x00\x00\x00\x02ok\x00\x00\x00\x04evil"
        wrote = await _writes(box, paths, frame)
        seen = await _reads(box, paths, b"evil")
        refuse_if("written inside" in wrote, f"write: {wrote}")
        return f"read: {seen}; write: {wrote}; {await alive(box, 'links to it')}"


@attack()
async def strange_names(arena: Arena) -> str:
    """Name files with 5,000 characters, NUL, newlines, no Unicode, nothing, and a name too long for any directory."""
    async with arena.fresh() as box:
        names = [
            "x" * 5000,
            "a/" * 2500 + "b",
            "n" * 256,
            "",
            ".",
            "/",
            "a\0b",
            "\udcff\udcfe",
            "new\nline",
            "-rf",
            "ü/é",
            " ",
            "//x",
            "./././x",
        ]
        return (
            f"read: {await _reads(box, names)}; write: {await _writes(box, names)}; {await alive(box, 'strange names')}"
        )


@attack()
async def hard_links_to_the_roots_files(arena: Arena) -> str:
    """Have the driver write a system file through a hard link in the workspace."""
    async with arena.fresh() as box:
        before = await box.read("/etc/passwd")
        linked = await sh(box, "ln /etc/passwd passwd; ln -s /etc/passwd soft; ls passwd")
        wrote = await _writes(box, ["soft", *(["passwd"] if linked.ok else []), "/etc/passwd"])
        refuse_if(await box.read("/etc/passwd") != before, "/etc/passwd was changed")
        return f"link: {linked.stderr.decode('utf-8', 'replace').strip().splitlines()[0]}; write: {wrote}"
