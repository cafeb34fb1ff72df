"""Which packages tasks are made of: the packages file, and the split of each package. Looks nothing up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from agentgym.envs.swe.cache import digest
from agentgym.errors import TaskError

SHIPPED = Path(__file__).parent.parent / "data" / "release_packages.json"
Split = Literal["train", "validation", "test"]


class Package(BaseModel):
    """A package to make tasks of. Versions from `since` to `until` are looked at, the newest `pairs` of them; `most` is
    how many tasks are enough. Without `split` the name decides."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    split: Split | None = None
    since: str = ""
    until: str = ""
    pairs: int = Field(default=6, ge=1)
    most: int = Field(default=10, ge=1)

    @property
    def home(self) -> Split:
        """The split of all its tasks."""
        return self.split or split_of(self.name)


def split_of(name: str) -> Split:
    """Six of ten packages train, one validates, three test: drawn by name, so that a list can grow."""
    place = int(digest("split", name.lower())[:8], 16) % 10
    return "train" if place < 6 else "validation" if place < 7 else "test"


def load(path: Path) -> list[Package]:
    """The packages of a file: names, or objects, under "packages". Raises TaskError saying which entry is wrong."""
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))["packages"]
    except OSError as error:
        raise TaskError(f"{path} can not be read: {error.strerror}") from None
    except json.JSONDecodeError as error:
        raise TaskError(f"{path}, line {error.lineno}, column {error.colno}: {error.msg}") from None
    except (KeyError, TypeError, UnicodeDecodeError):
        raise TaskError(f"{path}: must hold an object with a list under 'packages'") from None
    packages: dict[str, Package] = {}
    for number, entry in enumerate(entries):
        try:
            package = Package.model_validate({"name": entry} if isinstance(entry, str) else entry)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            field = ".".join(map(str, first["loc"])) or "the entry"
            raise TaskError(f"{path}: packages[{number}]: field {field}: {first['msg']}") from None
        if package.name in packages:
            raise TaskError(f"{path}: packages[{number}]: {package.name} is named twice")
        packages[package.name] = package
    return list(packages.values())
