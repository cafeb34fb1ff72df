"""A host's tree survives the stream into a box, and a box's own the way into its fork; a stream is bounded."""

import os

import pytest

from agentgym.sandboxes import archive, wire
from agentgym.sandboxes.bubblewrap import Bubblewrap
from agentgym.sandboxes.sandbox import SandboxSpec

VIEW = "find . -printf '%p %m %y %l %s %T@\\n' | sort"


async def view(box):
    done = await box.exec(["bash", "-c", VIEW])
    assert done.ok, done
    return dict(line.split(" ", 1) for line in done.stdout.decode("utf-8", "surrogateescape").splitlines())


async def test_a_hosts_tree(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "run").write_bytes(b"#!\n")
    (tmp_path / "a" / "run").chmod(0o755)
    (tmp_path / "a" / "fixed").write_bytes(b"x")
    (tmp_path / "a" / "fixed").chmod(0o444)
    (tmp_path / os.fsdecode(b"odd \xff name")).write_bytes(b"")
    (tmp_path / "dangling").symlink_to("nowhere")
    os.utime(tmp_path / "a" / "run", ns=(1, -5_000_000_000))
    os.utime(tmp_path / "a", ns=(1, 2_000_000_003))
    (tmp_path / "a").chmod(0o555)
    box = await Bubblewrap.start(SandboxSpec(workspace=tmp_path))
    try:
        seen = await view(box)
        assert seen["./a/run"].startswith("755 f  3 -5.0000000000")
        assert seen["./a/fixed"].startswith("644 f  1 ")  # foreign trees become writable ...
        assert seen["./a"].startswith("755 d") and seen["./a"].endswith(" 2.0000000030")
        assert seen["./dangling"].startswith("777 l nowhere ")
        assert (await box.read(os.fsdecode(b"odd \xff name"))) == b""
    finally:
        await box.close()
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o555  # ... and stay untouched


async def test_a_boxs_own_tree_in_its_fork(tmp_path):
    for name in ("kept", "gone", "closed", "turned", "emptied"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    box = await Bubblewrap.start(SandboxSpec(workspace=tmp_path))
    script = (
        "rm -r gone; chmod 0 closed/file; chmod 311 closed; rm -r turned; echo x > turned; rm emptied/file;"
        "rm -r kept; mkdir kept; echo new > kept/other; mkfifo pipe; ln -s kept link; touch -d @7 kept;"
        "mkdir -p n/e/w; mv emptied moved; truncate -s 100M sparse; printf end | dd of=sparse bs=1 seek=90000000 2>/dev/null"
    )
    try:
        assert (await box.exec(["bash", "-c", script])).ok
        before = await view(box)
        fork = await box.fork()
        assert await view(fork) == before == await view(box)
        assert (
            await fork.exec(["sh", "-c", "chmod 700 closed; chmod 600 closed/file; cat closed/file"])
        ).stdout == b"closed"
        twice = await fork.fork()
        assert (await twice.exec(["sh", "-c", "tail -c +90000001 sparse | head -c 3"])).stdout == b"end"
        assert (await twice.exec(["ls", "kept", "turned"])).stdout.split() == [b"turned", b"kept:", b"other"]
        for each in (fork, twice):
            await each.close()
    finally:
        await box.close()


async def test_holes_cost_nothing(tmp_path):
    (tmp_path / "sparse").touch()
    os.truncate(tmp_path / "sparse", 1 << 40)
    with (tmp_path / "sparse").open("r+b") as file:
        file.seek(512 << 20)
        file.write(b"island")
    size = 0

    def count(data):
        nonlocal size
        size += len(data)

    archive.pack(str(tmp_path), count, 1 << 24)
    assert size < 1 << 20
    box = await Bubblewrap.start(SandboxSpec(workspace=tmp_path))
    done = await box.exec(["python3", "-c", f"f = open('sparse'); f.seek({512 << 20}); print(f.read(6), f.seek(0, 2))"])
    await box.close()
    assert done.stdout.split() == [b"island", b"%d" % (1 << 40)], done


def test_limit(tmp_path):
    (tmp_path / "file").write_bytes(os.urandom(10_000))
    with pytest.raises(archive.TooLarge):
        archive.pack(str(tmp_path), lambda data: None, 9_000)


def test_frames():
    fields = [b"", b"\0\xff", 12, 0.5]
    frame = wire.encode(fields)
    assert wire.length(frame[:4], 100) == len(frame) - 4
    assert wire.decode(frame[4:]) == [b"", b"\0\xff", b"12", b"0.5"]
    with pytest.raises(ValueError):
        wire.length(frame[:4], 5)
    for cut in range(5, len(frame) - 1):
        if cut not in (8, 14, 20):  # between fields
            with pytest.raises(ValueError):
                wire.decode(frame[4:cut])
