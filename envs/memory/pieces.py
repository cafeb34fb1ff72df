"""How a stream is cut: into chunks of whole lines, or into single lines. Positions are those of the stream's lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agentgym.envs.memory.store import TOKEN_CHARS


@dataclass(slots=True, frozen=True)
class Piece:
    """Lines `first` to `last` (not included) as one text."""

    first: int
    last: int
    text: str


def chunks(lines: Sequence[str], size: int) -> list[Piece]:
    """Pieces of at most `size` tokens; a line that is longer is a piece of its own."""
    made, first, chars = [], 0, 0
    for place, line in enumerate(lines):
        if place > first and chars + len(line) > size * TOKEN_CHARS:
            made.append(Piece(first, place, "\n".join(lines[first:place])))
            first, chars = place, 0
        chars += len(line) + 1
    return [*made, Piece(first, len(lines), "\n".join(lines[first:]))]


def single_lines(lines: Sequence[str], chosen: Sequence[int] | None) -> list[Piece]:
    """One piece for each chosen line; of all, if none was chosen."""
    return [Piece(place, place + 1, lines[place]) for place in (chosen or range(len(lines)))]
