"""What the tools of both memory systems stand on: the memory that they write into, and the bound on calls a turn."""

from __future__ import annotations

from agentgym.environment import Environment
from agentgym.envs.memory.config import MemoryConfig
from agentgym.envs.memory.pieces import Piece
from agentgym.envs.memory.store import Memory
from agentgym.errors import ToolError


class Writing(Environment[MemoryConfig]):
    memory: Memory
    pieces: list[Piece]
    place: int
    _counted: tuple[int, int] = (-1, 0)

    def count_call(self) -> None:
        """Raises ToolError once a turn has more calls than it may have."""
        turn, count = self._counted
        self._counted = (self.turn, count + 1 if turn == self.turn else 1)
        if self._counted[1] > self.config.calls:
            raise ToolError(f"not done: a message may have {self.config.calls} calls")
