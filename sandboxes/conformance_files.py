"""Conformance of files: read, write, the workspace over its frozen source, snapshot, restore, fork."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from agentgym.errors import SandboxError
from agentgym.sandboxes.conformance import SMALL, Backend, box, check, expect, out, sh


@contextmanager
def _tree() -> Iterator[Path]:
    """A host directory with what workspaces have: modes, links, private and read-only files."""
    with tempfile.TemporaryDirectory() as place:
        root = Path(place, "tree")
        (root / "pkg").mkdir(parents=True)
        (root / "pkg" / "mod.py").write_text("x = 1\n")
        (root / "private").write_text("mine\n")
        (root / "private").chmod(0o600)
        (root / "fixed").write_text("fixed\n")
        (root / "fixed").chmod(0o444)
        (root / "run.sh").write_text("#!/bin/sh\necho ran\n")
        (root / "run.sh").chmod(0o755)
        (root / "link").symlink_to("pkg/mod.py")
        yield root


def _state(root: Path) -> list[tuple[str, int, bytes]]:
    found = []
    for path in sorted(root.rglob("*")):
        status = path.lstat()
        content = os.readlink(path).encode() if path.is_symlink() else path.read_bytes() if path.is_file() else b""
        found.append((str(path.relative_to(root)), status.st_mode, content))
    return found


async def _raises(
    kinds: type[Exception] | tuple[type[Exception], ...], call: Awaitable[object], what: str
) -> Exception:
    try:
        done = await call
    except kinds as error:
        return error
    raise AssertionError(f"{what} gave {done!r} and no error")


@check()
async def read_and_write(backend: Backend) -> None:
    async with box(backend) as sandbox:
        data = os.urandom(1 << 20)
        await sandbox.write("deep/er/file", data)
        expect(await sandbox.read("/workspace/deep/er/file") == data, "what was written is not what is read")
        await sandbox.write("deep/er/file", b"short", 0o755)
        mode = await out(sandbox, "stat -c %a deep/er/file; test -O deep/er/file")
        expect(mode == "755\n", f"a file written with mode 0o755 has {mode}")
        expect(await sandbox.read("deep/er/file") == b"short", "an older, longer file shows through")
        await sandbox.write("empty", b"")
        expect(await sandbox.read("empty", max_bytes=0) == b"", "an empty file is not empty")


@check()
async def read_and_write_errors(backend: Backend) -> None:
    async with box(backend) as sandbox:
        await sandbox.write("dir/file", b"12345")
        await _raises(FileNotFoundError, sandbox.read("none"), "reading a missing file")
        await _raises(IsADirectoryError, sandbox.read("dir"), "reading a directory")
        await _raises(IsADirectoryError, sandbox.write("dir", b""), "writing a directory")
        await _raises(PermissionError, sandbox.write("/usr/bin/env", b""), "writing the root")
        await out(sandbox, "echo hidden > closed; chmod 0 closed; mkfifo fifo; truncate -s 1G sparse || true")
        await _raises(PermissionError, sandbox.read("closed"), "reading a file of mode 0")
        await _raises(OSError, sandbox.read("fifo"), "reading a fifo")
        await _raises(OSError, sandbox.read("/dev/zero"), "reading a device")
        error = await _raises(OSError, sandbox.read("dir/file", max_bytes=4), "reading past max_bytes")
        expect(getattr(error, "errno", None) == 27, repr(error))


@check()
async def symlinks_stay_inside(backend: Backend) -> None:
    with _tree() as tree:
        before = _state(tree)
        async with box(backend) as sandbox:
            await out(sandbox, f"ln -s {tree}/fixed leak; ln -s {tree} way; ln -s / root; ln -s loop loop")
            await _raises(OSError, sandbox.read("leak"), "reading through a link to the host")
            await _raises(OSError, sandbox.read(f"root{tree}/fixed"), "reading through a link to /")
            await _raises(OSError, sandbox.read("loop"), "reading a link to itself")
            with suppress(OSError):
                await sandbox.write("way/planted", b"x")
        expect(_state(tree) == before, "a write through a link reached the host")


@check()
async def workspace_is_a_private_copy(backend: Backend) -> None:
    with _tree() as tree:
        before = _state(tree)
        async with box(backend, tree) as one, box(backend, tree) as two:
            listing = await out(one, "find . | sort; readlink link; cat link private; ./run.sh")
            expect("./pkg/mod.py" in listing and "mine" in listing and "ran" in listing, listing)
            await out(
                one, "echo 2 > pkg/mod.py && echo y >> private && rm -f fixed run.sh && touch pkg/new && mv pkg moved"
            )
            await out(one, "ln -sf moved/mod.py link && chmod 700 moved")
            expect(await out(two, "cat pkg/mod.py fixed") == "x = 1\nfixed\n", "one box sees another's changes")
        expect(_state(tree) == before, "the host's tree was changed")


@check("disk")
async def full_disk_is_an_error_inside(backend: Backend) -> None:
    async with box(backend) as sandbox:
        done = await sh(sandbox, "for i in 1 2 3 4 5 6; do head -c 8M /dev/zero > f$i || exit 9; done")
        expect(done.exit_code == 9 and b"space" in done.stderr, done)
        error = await _raises(OSError, sandbox.write("more", bytes(12 << 20)), "writing to a full disk")
        expect(getattr(error, "errno", None) == 28, repr(error))
        await out(sandbox, "rm f* more; echo fine > small")
        for place in ("/tmp", "/dev/shm", "/", "/run", "/var", "/etc", "/dev"):
            await sh(sandbox, f"for i in 1 2 3 4 5 6 7 8; do head -c 15M /dev/zero > {place}/fill$i || exit; done")
        used = int(await out(sandbox, "cat {/tmp,/dev/shm,,/run,/var,/etc,/dev}/fill* 2>/dev/null | wc -c"))
        expect(used <= 2 * SMALL.disk_bytes + (1 << 20), f"{used} bytes could be kept outside the workspace")


@check("fork")
async def snapshot_and_restore(backend: Backend) -> None:
    with _tree() as tree:
        async with box(backend, tree) as sandbox:
            await out(
                sandbox, "echo early > early; rm fixed; ln -s early alias; chmod 751 run.sh; mkdir e; chmod 0 private"
            )
            view = "find . -printf '%p %m %y %l\\n' | sort; md5sum early run.sh; sed -n 1p pkg/mod.py"
            taken, then = await sandbox.snapshot(), await out(sandbox, view)
            expect(await out(sandbox, view) == then, "a snapshot changed what it froze")
            await out(sandbox, "rm -rf pkg early alias e; echo late > late; setsid sleep 876 >/dev/null 2>&1 &")
            for _ in range(2):
                await sandbox.restore(taken)
                expect(await out(sandbox, view) == then, f"{await out(sandbox, view)} is not {then}")
                expect("sleep" not in await out(sandbox, "cat /proc/[0-9]*/comm"), "a process outlived a restore")
                await out(sandbox, "rm -rf pkg; touch more")
            await backend.release(taken)
            await backend.release(taken)
            await _raises(ValueError, sandbox.restore(taken), "restoring a released snapshot")
            expect((await sandbox.exec(["true"])).ok, "a refused restore hurt the box")


@check("fork")
async def fork_goes_apart(backend: Backend) -> None:
    async with box(backend, env={"KEEP": "1"}) as sandbox:
        await out(sandbox, "echo common > file")
        twin = await sandbox.fork()
        try:
            await out(sandbox, "echo one > file")
            await out(twin, "echo two >> file; touch other")
            expect(await out(sandbox, "cat file; ls") == "one\nfile\n", "a fork writes into its parent")
            expect(await out(twin, "cat file; echo $KEEP") == "common\ntwo\n1\n", "a fork is no copy")
            await sandbox.close()
            expect(await out(twin, "cat file") == "common\ntwo\n", "a fork dies with its parent")
        finally:
            await twin.close()


@check()
async def close_is_final_and_idempotent(backend: Backend) -> None:
    async with box(backend) as sandbox:
        await out(sandbox, "setsid sleep 50 >/dev/null 2>&1 &")
        await sandbox.close()
        await sandbox.close()
        await _raises(SandboxError, sandbox.exec(["true"]), "a command in a closed box")
