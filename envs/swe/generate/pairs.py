"""Two neighbouring releases of a package side by side: what changed in source, in tests and in the changelog.

Reads unpacked trees; runs nothing.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath

from agentgym.envs.swe.diffs import split_lines
from agentgym.envs.swe.patch_filter import is_test

_ASIDE = {"docs", "doc", "examples", "example", "benchmarks", "benchmark", "bench", "scripts", "tools", "misc", "build"}
_ASIDE |= {"contrib", "demo", "demos", "utils", "extra", "extras", "ci", "utility", "_custom_build", "dev", "tasks"}
_NOT_SOURCE = re.compile(
    r"(setup|noxfile|tasks|conftest|conf|_version|__version__|version|__about__|fabfile|release)\.py"
)
_CHANGELOG = re.compile(
    r"(change(s|log)?|history|news|release(s|[-_]?notes)?|whats?_?new|readme)(\.(md|rst|txt))?", re.I
)
_TESTS = re.compile(r"^\s*(async )?def _?test|^class \w*Test|^\s*class \w+\(.*TestCase", re.M)


@dataclass(frozen=True, slots=True)
class Sdist:
    """A pinned source distribution and its tree."""

    version: str
    filename: str
    sha256: str
    tree: Path


@dataclass(frozen=True)
class Pair:
    """A package's `base` version and the `fix` version that came next."""

    package: str
    base: Sdist
    fix: Sdist
    requirements: tuple[str, ...] = field(default=())

    @property
    def id(self) -> str:
        return f"{self.package}__{self.base.version}__{self.fix.version}"

    @cached_property
    def paths(self) -> list[str]:
        """Every file of the fix version."""
        return sorted(path.relative_to(self.fix.tree).as_posix() for path in self.fix.tree.rglob("*") if path.is_file())

    @cached_property
    def tests(self) -> list[str]:
        """The fix version's test modules."""
        return [path for path in self.paths if _holds_tests(path, self.fix.tree)]

    @cached_property
    def targets(self) -> list[str]:
        """Those of them that the release changed or brought."""
        return [path for path in self.tests if self._changed(path)]

    @cached_property
    def sources(self) -> list[str]:
        """The source files that the release changed, brought or took away."""
        gone = (path.relative_to(self.base.tree).as_posix() for path in self.base.tree.rglob("*.py") if path.is_file())
        paths = sorted({*self.paths, *gone})
        return [path for path in paths if is_source(path) and self._changed(path)]

    @cached_property
    def import_root(self) -> str:
        """The folder that the package is imported from."""
        files = [path for path in self.sources if path in self.paths]
        return Counter(_root(path, self.fix.tree) for path in files).most_common(1)[0][0] if files else "."

    @cached_property
    def modules(self) -> set[str]:
        """The top-level modules of the changed sources."""
        prefix = "" if self.import_root == "." else f"{self.import_root}/"
        inside = (path.removeprefix(prefix) for path in self.sources if path.startswith(prefix))
        return {path.split("/")[0].removesuffix(".py") for path in inside}

    @cached_property
    def changed_lines(self) -> int:
        """Lines removed and added in source files."""
        return sum(self._lines(path) for path in self.sources)

    @cached_property
    def named_by_tests(self) -> frozenset[str]:
        """The names in lines that the release brought to its test modules."""
        names: set[str] = set()
        for path in self.targets:
            known = set(split_lines(self.text(self.base, path) or ""))
            lines = [line for line in split_lines(self.text(self.fix, path) or "") if line not in known]
            names.update(re.findall(r"[A-Za-z_]\w{2,}", "".join(lines)))
        return frozenset(names)

    @cached_property
    def news(self) -> list[str]:
        """The lines that the fix version's changelog has and the base version's has not."""
        lines: list[str] = []
        for path in self.paths:
            parts = PurePosixPath(path)
            if not _CHANGELOG.fullmatch(parts.name) or len(parts.parts) > 3 or is_test(path):
                continue
            known = set(split_lines(self.text(self.base, path) or ""))
            lines += [line.strip() for line in split_lines(self.text(self.fix, path) or "") if line not in known]
        return [line for line in lines if line][:400]

    def text(self, side: Sdist, path: str) -> str | None:
        """A file of one side; None if it is not there. What is not UTF-8 is kept by surrogates."""
        file = side.tree / path
        return file.read_bytes().decode("utf-8", "surrogateescape") if file.is_file() else None

    def _changed(self, path: str) -> bool:
        return self.text(self.base, path) != self.text(self.fix, path)

    def _lines(self, path: str) -> int:
        before, after = (split_lines(self.text(side, path) or "") for side in (self.base, self.fix))
        same = sum(
            block.size for block in difflib.SequenceMatcher(None, before, after, autojunk=False).get_matching_blocks()
        )
        return len(before) + len(after) - 2 * same


def is_source(path: str) -> bool:
    """Whether a path is a package's own code, as far as its name tells."""
    *folders, name = path.split("/")
    aside = bool(folders) and (folders[0].lower() in _ASIDE or folders[0].startswith("."))
    metadata = any(folder.endswith((".egg-info", ".dist-info")) for folder in folders)
    return name.endswith(".py") and not (is_test(path) or aside or metadata or _NOT_SOURCE.fullmatch(name))


def _holds_tests(path: str, tree: Path) -> bool:
    name = path.split("/")[-1]
    if not name.endswith(".py") or not is_test(path) or name in ("conftest.py", "__init__.py"):
        return False
    return _TESTS.search((tree / path).read_text(encoding="utf-8", errors="replace")) is not None


def _root(path: str, tree: Path) -> str:
    folder = PurePosixPath(path).parent
    while folder.parts and (tree / folder / "__init__.py").is_file():
        folder = folder.parent
    return folder.as_posix()
