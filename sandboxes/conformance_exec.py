"""Conformance of `exec`: exit codes, streams, truncation, time-outs and what outlives a command."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

from agentgym.errors import SandboxError
from agentgym.sandboxes.conformance import MIB, Backend, box, check, expect, out, sh


@check()
async def exec_basics(backend: Backend) -> None:
    async with box(backend) as sandbox:
        done = await sh(sandbox, "echo out; echo err >&2; exit 3")
        expect((done.exit_code, done.stdout, done.stderr) == (3, b"out\n", b"err\n"), done)
        expect(not done.ok and done.killed_by is None and not done.timed_out and done.duration_s > 0, done)
        expect((await sandbox.exec(["true"])).ok, "true failed")
        try:
            await sandbox.exec([])
        except ValueError:
            pass
        else:
            expect(False, "an empty argv was taken")


@check()
async def argv_is_not_a_shell_line(backend: Backend) -> None:
    async with box(backend) as sandbox:
        done = await sandbox.exec(["printf", "%s|", "a b", "$HOME", "*", "", "ü\n"])
        expect(done.stdout == "a b|$HOME|*||ü\n|".encode(), done)


@check()
async def missing_things_are_data(backend: Backend) -> None:
    async with box(backend) as sandbox:
        done = await sandbox.exec(["no-such-program"])
        expect(done.exit_code == 127 and done.stderr, done)
        done = await sandbox.exec(["/no/such/program"])
        expect(done.exit_code == 127, done)
        done = await sandbox.exec(["true"], cwd="/no/such/place")
        expect(done.exit_code in (126, 127) and done.stderr, done)
        await sandbox.write("data", b"not a program")
        expect((await sandbox.exec(["./data"])).exit_code == 126, "a file without x bit ran")


@check()
async def environment_is_exact(backend: Backend) -> None:
    async with box(backend, env={"A": "spec", "B": "spec"}) as sandbox:
        done = await sandbox.exec(["env", "-0"], env={"B": "call", "C": "x=y\nz"})
        found = dict(pair.split("=", 1) for pair in done.stdout.decode().split("\0") if pair)
        wanted = {"A": "spec", "B": "call", "C": "x=y\nz"}
        expect(set(found) == {"PATH", "HOME", "LANG", *wanted}, found)
        expect(found | wanted == found, found)
        expect("C=" not in (await sandbox.exec(["env"])).stdout.decode(), "env of one call is seen by the next")


@check()
async def cwd_and_stdin(backend: Backend) -> None:
    async with box(backend) as sandbox:
        expect(await out(sandbox, "pwd") == "/workspace\n", "the default cwd is another")
        await out(sandbox, "mkdir sub")
        expect(await out(sandbox, "pwd", cwd="/workspace/sub") == "/workspace/sub\n", "cwd is not followed")
        data = bytes(range(256)) * 4096
        done = await sandbox.exec(["cat"], stdin=data, max_output=2 * MIB)
        expect(done.stdout == data, f"{len(data)} bytes went in, {len(done.stdout)} came out")
        expect((await sandbox.exec(["cat"])).stdout == b"", "stdin is not empty by default")
        expect((await sandbox.exec(["true"], stdin=data)).ok, "unread stdin is an error")


@check()
async def binary_output(backend: Backend) -> None:
    async with box(backend) as sandbox:
        done = await sh(sandbox, r"printf '\x00\xff\xfe\x80\r\n\x1b[31m'; printf '\xc3' >&2")
        expect(done.stdout == b"\x00\xff\xfe\x80\r\n\x1b[31m" and done.stderr == b"\xc3", done)


@check()
async def long_output_keeps_head_and_tail(backend: Backend) -> None:
    async with box(backend) as sandbox:
        done = await sh(sandbox, "echo first; seq 100000; echo last; echo quiet >&2", max_output=1000)
        expect(done.stdout.startswith(b"first\n") and done.stdout.endswith(b"last\n"), done.stdout)
        expect(900 <= len(done.stdout) <= 1000, len(done.stdout))
        full = len(b"first\nlast\n") + sum(len(str(number)) + 1 for number in range(1, 100001))
        expect(len(done.stdout) + done.stdout_dropped == full, (done.stdout_dropped, full))
        expect(done.stderr == b"quiet\n" and done.stderr_dropped == 0, done.stderr)


@check()
async def hundred_megabytes_of_output(backend: Backend) -> None:
    async with box(backend) as sandbox:
        done = await sh(sandbox, "head -c 100000000 /dev/zero")
        seen = len(done.stdout) + done.stdout_dropped
        expect(len(done.stdout) <= 1 << 16, len(done.stdout))
        expect((done.ok and seen == 100_000_000) or done.killed_by == "output", (done.exit_code, done.killed_by, seen))
        expect((await sandbox.exec(["true"])).ok, "the box did not survive")


@check()
async def endless_output_ends(backend: Backend) -> None:
    async with box(backend) as sandbox:
        done = await sandbox.exec(["yes"], timeout=10)
        expect(done.exit_code is None and done.killed_by in ("output", "timeout"), done.killed_by)
        expect((await sandbox.exec(["true"])).ok, "the box did not survive")


@check()
async def timeout_kills_everything(backend: Backend) -> None:
    async with box(backend) as sandbox:
        began = time.monotonic()
        done = await sh(sandbox, "echo begun; setsid sleep 987 & (setsid nohup sleep 987 &) ; sleep 987", timeout=1)
        expect(done.timed_out and done.killed_by == "timeout" and done.exit_code is None, done)
        expect(done.stdout == b"begun\n", done)
        expect(time.monotonic() - began < 20, "the time-out took as long as a command")
        left = await out(sandbox, "cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
        expect("sleep 987" not in left, left)


@check()
async def returns_when_the_direct_child_ends(backend: Backend) -> None:
    async with box(backend) as sandbox:
        began = time.monotonic()
        done = await sh(sandbox, "sleep 30 & echo answered", timeout=25)
        expect(done.ok and done.stdout == b"answered\n", done)
        expect(time.monotonic() - began < 15, "it waited for the process that holds the pipe")
        for _ in range(50):  # it is bash's copy until it has become sleep
            if "sleep" in await out(sandbox, "cat /proc/[0-9]*/comm"):
                return
            await asyncio.sleep(0.1)
        expect(False, "the background process was killed")


@check()
async def signals_are_data(backend: Backend) -> None:
    async with box(backend) as sandbox:
        done = await sh(sandbox, "kill -TERM $$")
        expect(done.killed_by == "signal" or done.exit_code == 143, done)
        await sh(sandbox, "kill -9 -1; kill -9 1; kill -STOP 1; kill -TERM 1")
        done = await sandbox.exec(["echo", "alive"])
        expect(done.stdout == b"alive\n", "the agent could be killed or stopped from inside")


@check()
async def orphans_do_not_use_up_the_box(backend: Backend) -> None:
    async with box(backend) as sandbox:
        for _ in range(4):
            await out(sandbox, "for i in $(seq 20); do (true &) ; done; sleep 0.1")
        expect(await out(sandbox, "echo ok") == "ok\n", "dead orphans count as processes")


@check()
async def a_cancelled_call_does_not_poison(backend: Backend) -> None:
    async with box(backend) as sandbox:
        call = asyncio.ensure_future(sandbox.exec(["sh", "-c", "sleep 5; echo late"]))
        await asyncio.sleep(0.3)
        call.cancel()
        with suppress(asyncio.CancelledError):
            await call
        try:
            done = await sandbox.exec(["echo", "next"])
        except SandboxError:
            return  # dead and saying so is as good
        expect(done.stdout == b"next\n", done)
