"""The options that the memory environments share."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from agentgym.envspec import Config


class MemoryConfig(Config):
    """How a stream is read, kept and asked about. Sizes are in tokens of four characters.

    system: "mem-alpha" writes chunk by chunk into three memories; "memory-r1" decides line by line on one list.
    answerer: "reader" is the built-in exact one, which reads what retrieval finds; "actor" is a policy of its own, which gets
        the core and what retrieval finds, and the question.
    budget: the memory's size as a share of the stream's. shown: how many recent items the writer sees. top: how many items
    retrieval finds; None is 20 for Mem-alpha and 60 for Memory-R1. looks: turns with searches alone that a chunk allows.
    calls: the most calls of one turn.
    """

    system: Literal["mem-alpha", "memory-r1"] = "mem-alpha"
    answerer: Literal["reader", "actor"] = "reader"
    retrieval: Literal["fts5", "bm25"] = "fts5"
    chunk: int = Field(default=1024, ge=64, le=32_768)
    budget: float = Field(default=0.15, gt=0, le=4)
    item: int = Field(default=512, ge=16, le=4096)
    core: int = Field(default=512, ge=0, le=4096)
    shown: int = Field(default=20, ge=0, le=200)
    top: int | None = Field(default=None, ge=1, le=1000)
    looks: int = Field(default=1, ge=0, le=8)
    calls: int = Field(default=64, ge=1, le=1024)

    @property
    def found(self) -> int:
        """How many items retrieval finds."""
        return self.top or (20 if self.system == "mem-alpha" else 60)


class DialogueConfig(MemoryConfig):
    """tokens: a stream's length. questions: how many are asked. facts: the share of lines that tell something."""

    tokens: int = Field(default=8_000, ge=1_000, le=20_000_000)
    questions: int = Field(default=12, ge=1, le=1000)
    facts: float = Field(default=0.25, gt=0, le=1)


class ManualsConfig(MemoryConfig):
    """documents: a folder of manuals (with man7/ and so on below it) in place of the system's or the package's."""

    tokens: int = Field(default=8_000, ge=1_000, le=20_000_000)
    questions: int = Field(default=12, ge=1, le=1000)
    budget: float = Field(default=0.6, gt=0, le=4)
    documents: Path | None = None
