"""Site: the web application of one episode: how it is brought up, what it holds at the end, how it is taken down.

Its own state is the only truth: what the browser shows, and what the agent says, is never asked.
"""

from __future__ import annotations

from abc import ABC, abstractmethod


class Site(ABC):
    """One episode's own copy of a web application.

    Attributes: `origin`, where it really is, such as "http://127.0.0.1:40123"; the browser can reach nothing else.
    """

    origin: str

    @abstractmethod
    async def facts(self) -> dict[str, str]:
        """What the verifier has to know of the server's state, as texts by name."""

    def done(self) -> str | None:
        """Why the episode is over, asked after every action; None while it goes on. Must be quick."""
        return None

    @abstractmethod
    async def close(self) -> None:
        """End it and forget its state. Idempotent."""
