"""A tree survives the stream, whatever its modes; a stream is bounded and never trusted to be whole."""

import io
import os

import pytest

from agentgym.sandboxes import archive, wire


def through(source, target, **options):
    stream = io.BytesIO()
    archive.pack(str(source), stream.write, 1 << 24, **options)
    target.mkdir()
    stream.seek(0)
    archive.unpack(str(target), stream.read)
    return stream


def test_round_trip(tmp_path):
    source = tmp_path / "source"
    (source / "a" / "b").mkdir(parents=True)
    (source / "a" / "run").write_bytes(b"#!\n")
    (source / "a" / "run").chmod(0o755)
    (source / os.fsdecode(b"odd \xff name")).write_bytes(b"")
    (source / "dangling").symlink_to("nowhere")
    os.utime(source / "a", ns=(1, 2_000_000_003))
    through(source, tmp_path / "target")
    target = tmp_path / "target"
    assert (target / "a" / "run").read_bytes() == b"#!\n" and (target / "a" / "run").stat().st_mode & 0o777 == 0o755
    assert os.readlink(target / "dangling") == "nowhere" and (target / "a" / "b").is_dir()
    assert (target / os.fsdecode(b"odd \xff name")).exists()
    assert (target / "a").stat().st_mtime_ns == 2_000_000_003


def test_foreign_trees_become_writable_and_stay_untouched(tmp_path):
    source = tmp_path / "source"
    (source / "d").mkdir(parents=True)
    (source / "d" / "f").write_text("x")
    (source / "d" / "f").chmod(0o444)
    (source / "d").chmod(0o555)
    through(source, tmp_path / "target", foreign=True)
    assert (tmp_path / "target" / "d" / "f").stat().st_mode & 0o777 == 0o644
    assert (tmp_path / "target" / "d").stat().st_mode & 0o777 == 0o755
    assert (source / "d").stat().st_mode & 0o777 == 0o555


def test_holes_cost_nothing(tmp_path):
    (tmp_path / "source").mkdir()
    with open(tmp_path / "source" / "sparse", "wb") as file:
        file.truncate(1 << 30)
        file.seek(512 << 20)
        file.write(b"island")
    stream = through(tmp_path / "source", tmp_path / "target")
    assert len(stream.getvalue()) < 1 << 20
    with open(tmp_path / "target" / "sparse", "rb") as file:
        file.seek(512 << 20)
        assert file.read(6) == b"island"
        assert os.fstat(file.fileno()).st_size == 1 << 30


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
