"""Which files of a submitted patch may reach the verifier. Names what it strips and why; reads no file and runs nothing.

Everything that could steer the test run instead of the code under test is taken out: tests, test configuration,
start-up hooks, modules that would shadow the runner's.  What an honest fix of a task needs to touch all the same (its
oracle touches it) is allowed task by task.  Cheats inside ordinary source files are `tamper.py`'s and the runner's.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Collection
from dataclasses import dataclass, field

from agentgym.envs.swe.diffs import FilePatch

_TEST_FOLDERS = {"test", "tests", "testing", "testsuite"}
_TEST_FILE = re.compile(r"test_.*\.py|.*_test\.py|conftest\.py|tests?\.py")
_CONFIG = {"pytest.ini", ".pytest.ini", "pytest.toml", ".pytest.toml", "tox.ini", "setup.cfg", "pyproject.toml"}
_BUILD = {"setup.py", "noxfile.py", "makefile", ".coveragerc", ".env"}
_HOOKS = {"sitecustomize", "usercustomize"}
_RUNNER = {"pytest", "_pytest", "py", "pluggy", "iniconfig", "packaging", "pygments", "exceptiongroup", "tomli"}
_SHADOWED = _RUNNER | set(sys.stdlib_module_names) | _HOOKS
_COMPILED = (".pyc", ".pyo", ".so", ".pyd", ".dll", ".dylib")
_METADATA = (".dist-info", ".egg-info", ".egg-link", ".egg")


@dataclass(slots=True)
class Filtered:
    """What is left of a patch, and `stripped`: (path, why) of what is not."""

    files: list[FilePatch] = field(default_factory=list)
    stripped: list[tuple[str, str]] = field(default_factory=list)

    @property
    def note(self) -> str:
        """The stripped paths in words; empty if there are none."""
        named = [f"{path} ({why})" for path, why in self.stripped[:20]]
        more = len(self.stripped) - len(named)
        return "left out of the patch: " + ", ".join(named) + (f" and {more} more" if more else "") if named else ""


def filter_patch(
    files: Collection[FilePatch],
    base: Collection[str],
    roots: Collection[str] = (".",),
    allowed: Collection[str] = (),
    protected: Collection[str] = (),
) -> Filtered:
    """Split a patch into what may be applied and what may not.

    `base` has the paths of the unpatched tree, `roots` the import roots in it ("." or "src"), `allowed` the paths
    that the oracle touches, `protected` further module names that must not be shadowed (the test dependencies).
    """
    shadowed = _SHADOWED | set(protected)
    result = Filtered()
    for file in files:
        why = _unsafe(file) or (None if file.path in allowed else _steering(file.path, base, roots, shadowed))
        if why is None:
            result.files.append(file)
        else:
            result.stripped.append((_printable(file.path), why))
    return result


def is_test(path: str) -> bool:
    """Whether a path is part of a test-suite by its name."""
    *folders, name = path.split("/")
    return bool(_TEST_FILE.fullmatch(name)) or not _TEST_FOLDERS.isdisjoint(folders)


def _unsafe(file: FilePatch) -> str | None:
    """Why nothing may ever be written at this path, whoever asks for it."""
    parts = file.path.split("/")
    if file.path.startswith("/") or len(file.path) > 1000 or any(part in ("", ".", "..") for part in parts):
        return "not a plain relative path"
    if not file.path.isprintable() or any(letter in file.path for letter in "\\:\"'"):
        return "an odd character in the path"
    if file.kind == "link":
        return "a link"
    if file.kind == "binary":
        return "binary"
    if any(part.lower() in (".git", ".hg", ".svn", "__pycache__") for part in parts):
        return "version control or cache"
    return None


def _steering(path: str, base: Collection[str], roots: Collection[str], shadowed: set[str]) -> str | None:
    """Why this path could steer the test run."""
    parts = path.split("/")
    name = parts[-1].lower()
    if is_test(path):
        return "a test"
    if name in _CONFIG:
        return "test configuration"
    if name in _BUILD:
        return "build configuration"
    if name.endswith(".pth") or any(part.split(".")[0] in _HOOKS for part in parts):
        return "a start-up hook"
    if name.endswith(_COMPILED):
        return "compiled code"
    if any(part.lower().endswith(_METADATA) for part in parts):
        return "package metadata"
    module = _shadow(path, base, roots, shadowed)
    return f"shadows the module {module!r}" if module else None


def _shadow(path: str, base: Collection[str], roots: Collection[str], shadowed: set[str]) -> str | None:
    """The module that `path` would put in front of one that the run needs; None if it does not."""
    for root in {*roots, "."}:
        prefix = "" if root in (".", "") else root.strip("/") + "/"
        top = path.removeprefix(prefix).split("/")[0]
        module = top.split(".")[0]
        known = any(other == prefix + top or other.startswith(f"{prefix}{top}/") for other in base)
        if path.startswith(prefix) and module in shadowed and not known:
            return module
    return None


def _printable(path: str) -> str:
    return path if path.isprintable() and len(path) < 200 else ascii(path[:200])
