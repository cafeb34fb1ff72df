"""Arguments that no box could take, method by method: a clear error or plain data, nothing left, and the box goes on."""

import errno
import math
import os
import socket

import pytest
import pytest_asyncio

from agentgym import backends
from agentgym.errors import SandboxError, UsageError
from agentgym.sandboxes.attacks.bait import CONTENT, bait
from agentgym.sandboxes.conformance import MIB, SMALL
from agentgym.sandboxes.sandbox import Image, SandboxLimits, SandboxSpec, Snapshot

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(400)]


@pytest.fixture(scope="module", params=backends.names())
def backend(request):
    found = backends.load(request.param)
    if found.name == "docker":
        request.getfixturevalue("docker")
    reason = found.unavailable()
    assert reason is None, reason
    return found


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def shared(backend):
    box = await backend.start(SandboxSpec(limits=SMALL, env={"KEPT": "1"}))
    yield box
    await box.close()


@pytest_asyncio.fixture(loop_scope="module")
async def box(shared):
    """One box for all: whatever it is asked, it must go on, and show nothing of the refused call."""
    before = await shared.exec(["find", "/workspace", "/tmp", "/dev/shm"])
    yield shared
    assert (await shared.exec(["bash", "-c", "echo $KEPT"])).stdout == b"1\n"
    running = (await shared.exec(["bash", "-c", "cat /proc/[0-9]*/comm"])).stdout.split()
    assert set(running) <= {b"agent", b"exe", b"bash", b"cat"}, running
    after = await shared.exec(["find", "/workspace", "/tmp", "/dev/shm"])
    assert set(after.stdout.split(b"\n")) - set(before.stdout.split(b"\n")) <= ALLOWED


ALLOWED = {
    b"/workspace/made",
    b"/workspace/more",
    b"/workspace/sub",
    b"/workspace/sub/made",
    b"/tmp/made",
    b"/workspace/strange",
}

REFUSED = {
    "no argv": {"argv": []},
    "one string": {"argv": "echo a"},
    "bytes": {"argv": b"echo"},
    "NUL in argv": {"argv": ["echo", "a\0b"]},
    "half a character": {"argv": ["echo", "\ud800"]},
    "NUL in cwd": {"argv": ["true"], "cwd": "/tmp\0/x"},
    "NUL in a value": {"argv": ["true"], "env": {"A": "b\0c"}},
    "NUL in a name": {"argv": ["true"], "env": {"A\0": "b"}},
    "= in a name": {"argv": ["true"], "env": {"A=B": "c"}},
    "an empty name": {"argv": ["true"], "env": {"": "c"}},
    "no time": {"argv": ["true"], "timeout": 0},
    "time before now": {"argv": ["true"], "timeout": -1},
    "time that is no number": {"argv": ["true"], "timeout": math.nan},
    "endless negative time": {"argv": ["true"], "timeout": -math.inf},
    "negative output": {"argv": ["true"], "max_output": -1},
    "output past any box": {"argv": ["true"], "max_output": 1 << 40},
    "input past any box": {"argv": ["cat"], "stdin": bytes(65 << 20)},
}


@pytest.mark.parametrize("what", REFUSED)
async def test_exec_refuses(box, what):
    with pytest.raises(ValueError) as error:
        await box.exec(**REFUSED[what])
    assert str(error.value)


DATA = {
    "a missing program": ({"argv": ["no-such-program"]}, 127),
    "an empty program": ({"argv": [""]}, 127),
    "a directory as program": ({"argv": ["/usr"]}, 126),
    "a missing cwd": ({"argv": ["true"], "cwd": "/no/such"}, 126),
    "a cwd that is a file": ({"argv": ["true"], "cwd": "/etc/passwd"}, 126),
    "a long cwd": ({"argv": ["true"], "cwd": "/" + "x" * 5000}, 126),
    "four megabytes of argv": ({"argv": ["true", *["x" * 100_000] * 40]}, 126),
    "one word of four megabytes": ({"argv": ["true", "x" * (4 << 20)]}, 126),
    "a huge environment": ({"argv": ["true"], "env": {f"A{i}": "x" * 100_000 for i in range(40)}}, 126),
    "many small words": ({"argv": ["true", *["x"] * 1_000_000]}, 126),
    "a relative cwd": ({"argv": ["true"], "cwd": ".."}, 0),
    "endless time": ({"argv": ["true"], "timeout": math.inf}, 0),
    "a moment": ({"argv": ["sleep", "5"], "timeout": 1e-9}, None),
    "no output wanted": ({"argv": ["echo", "x"], "max_output": 0}, 0),
    "stdin that nobody reads": ({"argv": ["true"], "stdin": bytes(50 << 20)}, 0),
    "no Unicode": ({"argv": ["printf", "%s", "\udcff\udcfe"]}, 0),
}


@pytest.mark.parametrize("what", DATA)
async def test_exec_answers(box, what):
    arguments, code = DATA[what]
    done = await box.exec(**arguments)
    assert done.exit_code == code, done
    assert code in (0, None) or done.stderr, "it failed without a word"


async def test_exec_keeps_bytes(box):
    assert (await box.exec(["printf", "%s", "\udcff\udcfe"])).stdout == b"\xff\xfe"
    assert (await box.exec(["echo", "x" * 10], max_output=0)).stdout == b""


@pytest.mark.parametrize(
    ("path", "number"),
    [
        ("", errno.ENOENT),
        ("none", errno.ENOENT),
        ("x" * 5000, errno.ENAMETOOLONG),
        ("y" * 256, errno.ENAMETOOLONG),
        ("/etc/passwd/x", errno.ENOTDIR),
        (".", errno.EISDIR),
        ("/", errno.EISDIR),
        ("/dev/zero", errno.EINVAL),
        ("/proc/self/fd/0", errno.ELOOP),
        ("\udcff", errno.ENOENT),
    ],
)
async def test_read_refuses(box, path, number):
    with pytest.raises(OSError) as error:
        await box.read(path)
    assert error.value.errno == number and not isinstance(error.value, SandboxError)


async def test_read_checks_its_arguments(box):
    for path, most in (("a\0b", 1), ("/etc/passwd", -1)):
        with pytest.raises(ValueError):
            await box.read(path, most)
    with pytest.raises(OSError) as error:
        await box.read("/etc/passwd", 3)
    assert error.value.errno == errno.EFBIG
    assert b"root" in await box.read("/etc/passwd", 1 << 50)


async def test_read_of_a_sparse_file(box):
    await box.exec(["bash", "-c", "truncate -s 15M made; truncate -s 1T more"])
    with pytest.raises(OSError) as error:
        await box.read("made", 1 << 20)
    assert error.value.errno == errno.EFBIG
    assert await box.read("made") == bytes(15 * MIB)
    await box.exec(["rm", "-f", "made", "more"])


@pytest.mark.parametrize(
    ("path", "number"),
    [
        ("", errno.ENOENT),
        (".", errno.EISDIR),
        ("x" * 5000, errno.ENAMETOOLONG),
        ("/etc/passwd", errno.EACCES),
        ("/etc/passwd/x", errno.ENOTDIR),
        ("../etc/planted", errno.EACCES),
        ("/proc/self/fd/1", errno.ELOOP),
        ("/dev/full", errno.EINVAL),
    ],
)
async def test_write_refuses(box, path, number):
    with pytest.raises(OSError) as error:
        await box.write(path, b"x")
    assert error.value.errno == number and not isinstance(error.value, SandboxError)


@pytest.mark.parametrize("mode", [-1, 0o10000, 1 << 40])
async def test_write_checks_its_mode(box, mode):
    with pytest.raises(ValueError, match="mode"):
        await box.write("never", b"x", mode)


async def test_write_checks_its_arguments(box):
    with pytest.raises(ValueError):
        await box.write("a\0b", b"x")
    with pytest.raises(TypeError):
        await box.write("never", "text")
    await box.exec(["bash", "-c", "head -c 2M /dev/zero > more"])
    for size in (SMALL.disk_bytes + 1, SMALL.disk_bytes - 1):
        with pytest.raises(OSError) as error:
            await box.write("made", bytes(size))
        assert error.value.errno == errno.ENOSPC
    await box.exec(["rm", "-f", "made", "more"])


async def test_write_takes_what_is_only_strange(box):
    await box.write("made", b"")
    assert await box.read("made") == b""
    await box.write("../tmp/made", b"x")
    assert await box.read("/tmp/made") == b"x"
    for name in ("sub/ü", "sub/\udcff", "sub/new\nline", "sub/-rf", "sub/made"):
        await box.write(name, b"x")
        assert await box.read(name) == b"x"
    await box.write("sub/made", b"x", 0)
    with pytest.raises(PermissionError):
        await box.read("sub/made")
    await box.exec(["rm", "-rf", "made", "sub", "/tmp/made"])


async def test_links_to_the_host(box):
    with bait() as host:
        await box.exec(["ln", "-sfn", str(host.file), "more"])
        with pytest.raises(FileNotFoundError):
            await box.read("more")
        with pytest.raises(OSError):
            await box.write("more", b"x")
        await box.exec(["rm", "more"])
        assert host.touched() == "" and host.file.read_text() == CONTENT


async def test_snapshots_that_are_none(box, backend):
    for snapshot in (Snapshot("none", backend.name), Snapshot("none", "another")):
        with pytest.raises(ValueError):
            await box.restore(snapshot)
        await backend.release(snapshot)


LIMITS = ["memory_bytes", "processes", "disk_bytes", "file_bytes", "lifetime_s"]


@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf, 1 << 70])
@pytest.mark.parametrize("name", LIMITS)
async def test_limits_are_checked(backend, name, value):
    with pytest.raises(ValueError, match=name):
        await backend.start(SandboxSpec(limits=SandboxLimits(**{name: value})))


async def test_limits_are_whole(backend):
    with pytest.raises(ValueError, match="processes"):
        await backend.start(SandboxSpec(limits=SandboxLimits(processes=1.5)))


@pytest.mark.parametrize("env", [{"A=B": "x"}, {"": "x"}, {"A": "b\0"}])
async def test_the_specs_environment_is_checked(backend, env):
    with pytest.raises(ValueError):
        await backend.start(SandboxSpec(env=env))


TARGETS = [
    "/workspace",
    "/workspace/in",
    "/",
    "//",
    "/proc",
    "/proc/sys",
    "/dev/shm",
    "/sys",
    "/tmp",
    "relative",
    "",
    "/a/../b",
    "/a\0b",
]


@pytest.mark.parametrize("target", TARGETS)
async def test_targets_of_mounts_are_checked(backend, tmp_path, target):
    with pytest.raises(UsageError, match="mount"):
        await backend.start(SandboxSpec(mounts=((tmp_path, target),)))


async def test_sources_of_mounts_are_checked(backend, tmp_path):
    with pytest.raises(UsageError, match="no such path"):
        await backend.start(SandboxSpec(mounts=((tmp_path / "none", "/in"),)))


@pytest.mark.parametrize("image", [Image("no-such-image:1"), Image("base", "sha256:0"), Image("UPPER case"), Image("")])
async def test_images_that_are_not_there(backend, image):
    with pytest.raises(SandboxError) as error:
        await backend.start(SandboxSpec(image=image))
    assert error.value.fault == "infrastructure" and str(error.value)


async def test_workspaces_that_are_none(backend, tmp_path):
    (tmp_path / "file").write_text("x")
    for place in (tmp_path / "none", tmp_path / "file"):
        with pytest.raises(SandboxError, match="can not be read") as error:
            await backend.start(SandboxSpec(workspace=place))
        assert error.value.fault == "infrastructure"


async def test_a_workspace_with_a_closed_file(backend, tmp_path):
    (tmp_path / "closed").write_text("x")
    (tmp_path / "closed").chmod(0)
    if os.geteuid() == 0:  # who may read everything; in the box it belongs to the box's user, who may read it, too
        box = await backend.start(SandboxSpec(workspace=tmp_path, limits=SMALL))
        assert await box.read("closed") == b"x"
        await box.close()
    else:
        with pytest.raises(SandboxError, match="closed"):
            await backend.start(SandboxSpec(workspace=tmp_path))


async def test_a_workspace_of_strange_files(backend, tmp_path):
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "up").symlink_to("../" * 30 + "etc/passwd")
    (tmp_path / "ü\n").write_text("x")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        box = await backend.start(SandboxSpec(workspace=tmp_path, limits=SMALL))
        try:
            done = await box.exec(["bash", "-c", "ls; test -p fifo && test -L up && test ! -S socket"])
            assert done.ok, done
            assert await box.read("up") == await box.read("/etc/passwd")
        finally:
            await box.close()


async def test_refused_starts_leave_no_descriptors(backend, tmp_path):
    async def tries():
        for spec in (
            SandboxSpec(workspace=tmp_path / "none"),
            SandboxSpec(image=Image("no-such-image:1")),
            SandboxSpec(mounts=((tmp_path, "/"),)),
        ):
            with pytest.raises((SandboxError, UsageError)):
                await backend.start(spec)

    await tries()
    before = len(os.listdir("/proc/self/fd"))
    await tries()
    assert len(os.listdir("/proc/self/fd")) <= before
