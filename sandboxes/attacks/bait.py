"""What attacks reach for on the host: a directory and a file that anybody may read and write, and whether they were touched."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CONTENT = "the host's\n"


class Bait:
    """A directory with one file in it, `CONTENT`, both open to everybody."""

    def __init__(self, place: Path) -> None:
        self.place, self.file = place, place / "file"
        place.chmod(0o777)
        self.file.write_text(CONTENT)
        self.file.chmod(0o666)

    def add(self, name: str, content: str) -> None:
        (self.place / name).parent.mkdir(exist_ok=True)
        (self.place / name).write_text(content)

    def touched(self) -> str:
        """What became of it; empty if nothing did."""
        names, content = os.listdir(self.place), self.file.read_text() if self.file.exists() else None
        return "" if (names, content) == (["file"], CONTENT) else f"{names}, {content!r}"


@contextmanager
def bait() -> Iterator[Bait]:
    with tempfile.TemporaryDirectory(prefix="agentgym-attack-") as place:
        yield Bait(Path(place))
