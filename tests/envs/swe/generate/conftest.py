"""Small packages as real source distributions in a folder that pip finds, and makers of tasks over them."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from agentgym.envs.swe.boxes import of_backend, python_of
from agentgym.envs.swe.cache import cache_dir
from agentgym.envs.swe.generate.journal import Journal
from agentgym.envs.swe.generate.maker import Maker, make
from agentgym.envs.swe.generate.plan import Package
from agentgym.envs.swe.generate.taskfile import TaskFile
from agentgym.envs.swe.generate.trials import Trials
from agentgym.sandboxes.sandbox import Sandbox

Files = Mapping[str, str]

SOURCE = '''"""Small numbers."""


def clamp(value, low, high):
    """`value`, but not outside `low` to `high`."""
    return min(value, high)


def middle(values):
    """The middle one of sorted values."""
    return sorted(values)[len(values) // 3]


def total(values):
    return sum(values)
'''
FIXED = SOURCE.replace("return min(value, high)", "return max(low, min(value, high))").replace("// 3", "// 2")
OLD_TESTS = """from mini import clamp, total


def test_high():
    assert clamp(9, 2, 5) == 5


def test_total():
    assert total([1, 2]) == 3
"""
TESTS = (
    OLD_TESTS.replace("total\n", "middle, total\n", 1)
    + """

def test_low():
    assert clamp(1, 2, 5) == 2


def test_middle():
    assert middle([3, 1, 5, 2, 4]) == 3
"""
)
OLD: Files = {"mini.py": SOURCE, "tests/test_mini.py": OLD_TESTS, "CHANGES.md": "# 1.0\n\nFirst.\n"}
NEW: Files = {
    "mini.py": FIXED,
    "tests/test_mini.py": TESTS,
    "CHANGES.md": "# 1.1\n\n- clamp keeps to its low bound\n\n# 1.0\n\nFirst.\n",
}


def put(folder: Path, name: str, version: str, files: Files) -> Path:
    """A source distribution made by hand."""
    folder.mkdir(parents=True, exist_ok=True)
    path, top = folder / f"{name}-{version}.tar.gz", f"{name}-{version}"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    entries = {"PKG-INFO": metadata, "setup.py": "raise SystemExit('build code was run')\n", **files}
    with tarfile.open(path, "w:gz") as tar:
        for entry, text in sorted(entries.items()):
            info = tarfile.TarInfo(f"{top}/{entry}")
            info.size = len(text.encode())
            tar.addfile(info, io.BytesIO(text.encode()))
    return path


@pytest.fixture
def links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, deps: Path) -> Path:
    """The only place where pip finds anything; the test dependencies are in a cache of their own already."""
    folder = tmp_path / "links"
    folder.mkdir()
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "testdeps").symlink_to(cache_dir() / "testdeps")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    return folder


@pytest.fixture
def made(tmp_path: Path, backend: type[Sandbox]) -> Callable[..., object]:
    """Makes tasks of packages into a file: `await made(Package(name="mini"))` is the maker, after its work."""

    async def run(*packages: Package, out: str = "tasks.json", timeout: float = 60.0, cache: str = "cache") -> Maker:
        open_box = of_backend(backend)
        file = tmp_path / out
        maker = Maker(
            TaskFile(file),
            Journal(tmp_path / f"{out}.journal.jsonl"),
            Trials(open_box, timeout),
            await python_of(open_box),
            tmp_path / cache,
            tell=print,
        )
        await make(maker, list(packages))
        return maker

    return run


def stable(path: Path) -> object:
    """A task file's content without what differs between two runs."""
    content = json.loads(path.read_text())
    for split in ("train", "validation", "test"):
        for entry in content.get(split, []):
            entry.pop("cpu_s_per_run")
    return content
