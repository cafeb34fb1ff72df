"""Source distributions: fetched by hash, unpacked safely, the same tree each time; test dependencies beside them."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import os
import sys
import tarfile
from pathlib import Path

import pytest

from agentgym.envs.swe import cache, catalogue, packages, testdeps
from agentgym.envs.swe.packages import FetchError, fetch, tree_digest, unpack
from agentgym.envs.swe.testdeps import test_deps as build_deps
from agentgym.errors import TaskError, UsageError


def archive(folder: Path, entries: dict[str, bytes], name: str = "thing-1.0.tar.gz", links: dict[str, str] | None = None) -> Path:  # fmt: skip
    path = folder / name
    with tarfile.open(path, "w:gz") as tar:
        for entry, data in entries.items():
            info = tarfile.TarInfo(entry)
            info.size, info.mode = len(data), 0o755 if entry.endswith(".sh") else 0o600
            tar.addfile(info, io.BytesIO(data))
        for entry, target in (links or {}).items():
            info = tarfile.TarInfo(entry)
            info.type, info.linkname = tarfile.SYMTYPE, target
            tar.addfile(info)
    return path


def test_unpacking_keeps_regular_files_only(tmp_path: Path) -> None:
    entries = {
        "thing-1.0/thing/__init__.py": b"x = 1\n", "thing-1.0/run.sh": b"#!/bin/sh\n", "thing-1.0/.git/config": b"[core]\n",
        "thing-1.0/thing/__pycache__/a.pyc": b"..",
    }  # fmt: skip
    file = archive(tmp_path, entries, links={"thing-1.0/etc": "/etc", "thing-1.0/thing/up": "../.."})
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    unpack(file, tmp_path / "a")
    unpack(file, tmp_path / "b")
    found = {p.relative_to(tmp_path / "a").as_posix(): p for p in (tmp_path / "a").rglob("*") if not p.is_dir()}
    assert set(found) == {"thing/__init__.py", "run.sh"}
    assert (
        oct(found["run.sh"].stat().st_mode & 0o777) == "0o755"
        and found["thing/__init__.py"].stat().st_mode & 0o777 == 0o644
    )
    assert {p.stat().st_mtime for p in (tmp_path / "a").rglob("*")} == {packages._MTIME}
    assert tree_digest(tmp_path / "a") == tree_digest(tmp_path / "b")


@pytest.mark.parametrize("name", ["/etc/thing", "thing-1.0/../../up.py", "../up.py"])
def test_paths_that_lead_out_are_refused(tmp_path: Path, name: str) -> None:
    file = archive(tmp_path, {name: b"x"})
    (tmp_path / "out").mkdir()
    with pytest.raises(TaskError, match="refuses to unpack"):
        unpack(file, tmp_path / "out")
    assert list((tmp_path / "out").rglob("*")) == []


def test_what_is_too_big_or_broken_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "out").mkdir()
    monkeypatch.setattr(packages, "MAX_BYTES", 10)
    with pytest.raises(TaskError, match="more than"):
        unpack(archive(tmp_path, {"thing-1.0/a.py": b"x" * 11}), tmp_path / "out")
    (tmp_path / "cut.tar.gz").write_bytes(archive(tmp_path, {"thing-1.0/a": os.urandom(99)}).read_bytes()[:60])
    with pytest.raises(TaskError, match="cannot be unpacked"):
        unpack(tmp_path / "cut.tar.gz", tmp_path / "out")
    with pytest.raises(TaskError, match="holds no files"):
        unpack(archive(tmp_path, {}), tmp_path / "out")


@pytest.mark.slow
async def test_a_package_is_fetched_once_by_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = next(p for p in catalogue.load() if p.split == "test")
    pin = (entry.name, entry.version, entry.sha256, entry.sdist)
    one, two = await asyncio.gather(fetch(*pin, tmp_path), fetch(*pin, tmp_path))
    assert one == two and all((one / path).is_file() for path in entry.modules)
    assert [path.name for path in one.parent.iterdir()] == [one.name]  # no leftovers of the one that came second
    monkeypatch.setattr(packages, "_download", None)
    assert await fetch(*pin, tmp_path) == one


async def test_another_file_than_the_pinned_one_is_refused(tmp_path: Path) -> None:
    entry = next(p for p in catalogue.load() if p.split == "test")
    with pytest.raises(TaskError, match="another file than the pinned one"):
        await fetch(entry.name, entry.version, "0" * 64, entry.sdist, tmp_path)
    assert not (tmp_path / "sdists").exists()


async def test_no_build_code_runs_and_pip_needs_no_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mark = tmp_path / "ran"
    code = f"open({str(mark)!r}, 'w').close()\n".encode()
    for backend in (None, "setuptools.build_meta", "no.such.backend", "own:hooks"):
        entries = {"thing-1.0/PKG-INFO": b"Metadata-Version: 2.1\nName: thing\nVersion: 1.0\n", "thing-1.0/thing.py": b"", "thing-1.0/setup.py": code, "thing-1.0/own.py": code}  # fmt: skip
        if backend:
            entries["thing-1.0/pyproject.toml"] = (
                f"[build-system]\nrequires = ['x']\nbuild-backend = '{backend}'\nbackend-path = ['.']\n".encode()
            )
        wheels = tmp_path / f"wheels-{backend}"
        wheels.mkdir()
        file = archive(wheels, entries)
        monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
        monkeypatch.setenv("PIP_NO_INDEX", "1")
        pin = hashlib.sha256(file.read_bytes()).hexdigest()
        tree = await fetch("thing", "1.0", pin, file.name, tmp_path / "cache")
        assert (tree / "setup.py").read_bytes() == code and not mark.exists()


async def test_being_offline_is_said_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(FetchError, match=r"offline.*AGENTGYM_CACHE"):
        await fetch("thing", "1.0", "0" * 64, "thing-1.0.tar.gz", tmp_path)


@pytest.mark.parametrize("pin", [("thing", "1.0", "12"), ("--help", "1.0; x", "0" * 64), ("a b", "1", "0" * 64)])
async def test_odd_pins_are_refused(pin: tuple[str, str, str], tmp_path: Path) -> None:
    with pytest.raises(TaskError):
        await fetch(*pin, "x", tmp_path)


async def test_test_dependencies_hold_no_package_under_test() -> None:
    names = {package.name for package in catalogue.load()}
    site = await build_deps(forbidden=names)
    assert {"pytest", "_pytest", "hypothesis", "yaml"} <= testdeps.modules(site)
    for copy in ("attrs", "PyYAML", "sortedcontainers", "_pytest"):
        with pytest.raises(TaskError, match="a copy of the package under test"):
            testdeps.check(site, [copy])
    pins = json.loads(testdeps.REQUIREMENTS.read_text())
    held = {path.name.removesuffix(".dist-info").rpartition("-")[::2] for path in site.glob("*.dist-info")}
    assert {version for _, version in held} == set(pins.values()) and len(held) == len(pins)
    assert testdeps.digest_of((3, 11)) != testdeps.digest_of((3, 12))
    assert sys.version_info >= (3, 11)


def test_a_damaged_result_reads_as_absent(tmp_path: Path) -> None:
    results = cache.Results(tmp_path)
    key = cache.digest("x")
    assert results.get(key) is None
    results.put(key, {"a": [1, "é"]})
    assert results.get(key) == {"a": [1, "é"]}
    (file,) = (path for path in tmp_path.rglob("*.json"))
    for damage in (file.read_text()[:-9], file.read_text().replace("1", "2"), "[]", ""):
        file.write_text(damage)
        assert results.get(key) is None
    results.put(key, 7)
    assert results.get(key) == 7


def test_publishing_is_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "here" / "thing"

    def fails(folder: Path) -> None:
        (folder / "half").write_text("")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        cache.publish(target, fails)
    assert list(target.parent.iterdir()) == []

    def overtaken(folder: Path) -> None:
        cache.publish(target, lambda other: (other / "first").mkdir())
        (folder / "second").write_text("")

    assert cache.publish(target, overtaken) == target
    assert [path.name for path in target.iterdir()] == ["first"] and len(list(target.parent.iterdir())) == 1
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="AGENTGYM_CACHE"):
        cache.publish(tmp_path / "file" / "thing", fails)
