"""Which one-line bugs there are: packages and modules from a data file, one bug for each place that can be broken.

A bug's id says all that is needed to make it again: "toolz-1.0.0/toolz/itertoolz.py:123:9:compare/0".  Whether tests
notice a bug is `proving`'s business.
"""

from __future__ import annotations

import functools
import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from agentgym.envs.swe.cache import digest
from agentgym.envs.swe.mutate import LOSSY, Mutation, apply, sites
from agentgym.envs.swe.packages import fetch
from agentgym.errors import TaskError

DATA = Path(__file__).parent / "data" / "bug_packages.json"
_ID = re.compile(r"(?P<package>[^/]+)/(?P<path>.+\.py):(?P<line>\d+):(?P<col>\d+):(?P<kind>\w+)/(?P<number>\d+)")


class BugPackage(BaseModel):
    """A pinned package. `modules` has the test files that judge a bug in each source file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    version: str
    sdist: str
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    split: Literal["train", "validation", "test"]
    import_root: str = "."
    modules: dict[str, list[str]] = Field(min_length=1)

    @property
    def label(self) -> str:
        return f"{self.name}-{self.version}"


@dataclass(slots=True, frozen=True)
class Bug:
    """One mutation of one file of a package's pristine tree."""

    package: BugPackage
    tree: Path
    path: str
    mutation: Mutation
    number: int

    @property
    def id(self) -> str:
        m = self.mutation
        return f"{self.package.label}/{self.path}:{m.line}:{m.col}:{m.kind}/{self.number}"

    @property
    def targets(self) -> tuple[str, ...]:
        return tuple(self.package.modules[self.path])

    @property
    def source(self) -> str:
        """The file as it should be."""
        return read(self.tree / self.path)

    @property
    def broken(self) -> str:
        """The file with the bug."""
        return apply(self.source, self.mutation)


def read(path: Path) -> str:
    """A source file's text, line ends as they are."""
    return path.read_bytes().decode()


def load(path: Path = DATA) -> list[BugPackage]:
    """The packages of a data file. Raises TaskError naming the line, or the package and field, that is wrong."""
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))["packages"]
    except OSError as error:
        raise TaskError(f"{path} can not be read: {error.strerror}") from None
    except json.JSONDecodeError as error:
        raise TaskError(f"{path}, line {error.lineno}, column {error.colno}: {error.msg}") from None
    except (KeyError, TypeError):
        raise TaskError(f"{path}: must hold an object with a list under 'packages'") from None
    packages: dict[str, BugPackage] = {}
    for number, entry in enumerate(entries):
        where = f"{path}: packages[{number}]" + (
            f" ({entry['name']})" if isinstance(entry, dict) and "name" in entry else ""
        )
        try:
            package = BugPackage.model_validate(entry)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            raise TaskError(f"{where}: field {'.'.join(map(str, first['loc']))}: {first['msg']}") from None
        if package.name in packages:
            raise TaskError(f"{where}: named twice; a package is in one version and one split only")
        packages[package.name] = package
    return list(packages.values())


class Catalogue:
    """The bugs of a list of packages. Fetches a package when it is first asked for."""

    def __init__(self, packages: list[BugPackage] | None = None, cache: Path | None = None) -> None:
        self.packages = {package.label: package for package in (load() if packages is None else packages)}
        self.cache = cache

    async def get(self, id: str) -> Bug:
        """The bug called `id`. Raises TaskError if there is none."""
        found = _ID.fullmatch(id)
        package = self.packages.get(found["package"]) if found else None
        if found and package and found["path"] in package.modules:
            for bug in _bugs(package, await self._tree(package), found["path"]):
                if bug.id == id:
                    return bug
        raise TaskError(f"no bug {id!r}: ids look like package-version/path:line:column:kind/number")

    async def stream(self, package: BugPackage, seed: str) -> list[Bug]:
        """A package's bugs in the order of a seed, its kinds taken in turns so that rare ones are not drowned."""
        tree = await self._tree(package)
        kinds: dict[str, list[Bug]] = {}
        for path in package.modules:
            for bug in _bugs(package, tree, path):
                kinds.setdefault(bug.mutation.kind, []).append(bug)
        draw = random.Random(digest(seed, package.label))
        piles = [kinds[kind] for kind in sorted(kinds)]
        for pile in piles:
            draw.shuffle(pile)
        return list(_in_turns(piles))

    async def _tree(self, package: BugPackage) -> Path:
        return await fetch(package.name, package.version, package.sha256, package.sdist, self.cache)


def _in_turns(piles: list[list[Bug]]) -> Iterator[Bug]:
    for place in range(max(map(len, piles), default=0)):
        yield from (pile[place] for pile in piles if place < len(pile))


@functools.lru_cache(maxsize=256)
def _mutations(path: Path) -> tuple[Mutation, ...]:
    # What cannot be undone from the broken file alone is no task, and `break` -> `continue` mostly hangs.
    return tuple(m for m in sites(read(path)) if m.kind not in LOSSY and m.before != "break")


def _bugs(package: BugPackage, tree: Path, path: str) -> Iterator[Bug]:
    if not (tree / path).is_file():
        raise TaskError(f"{package.label} has no file {path}")
    numbers: dict[tuple[int, int, str], int] = {}
    for mutation in _mutations(tree / path):
        place = (mutation.line, mutation.col, mutation.kind)
        numbers[place] = number = numbers.get(place, -1) + 1
        yield Bug(package, tree, path, mutation, number)
