"""Spare boxes: booted and greeted, for whoever starts or forks a box of that shape next.

A shape is all of a spec but its environment, and but its workspace where that is streamed in when the box is taken.
Kept for each event loop; what nobody asks for any more ends after a while.  How many of a shape are kept ready is the
backend's `spares`: none where booting costs as much as a few commands.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from contextlib import suppress

from agentgym.errors import AgentGymError
from agentgym.sandboxes.channel import Channel, Refused

IDLE_S = 60.0
"""How long spares of a shape are kept after the last of them was taken."""
_PING_S = 5.0

Boot = Callable[[], Awaitable[Channel]]

_shelves: dict[asyncio.AbstractEventLoop, dict[Hashable, Shelf]] = {}


async def take_spare(shape: Hashable, boot: Boot, count: int) -> Channel:
    """A healthy box of this shape: a spare one if there is one, else a fresh one; `count` others are made ready.

    Raises what `boot` raises.
    """
    if count <= 0 and shape not in _here():
        return await boot()
    shelf = _here().setdefault(shape, Shelf())
    try:
        return await shelf.take() or await boot()
    finally:
        if _here().get(shape) is shelf:  # else all spares were ended meanwhile
            shelf.fill(count, boot)


async def keep_spares(shape: Hashable, boot: Boot, count: int) -> None:
    """Have `count` spares of this shape ready, and wait until they are. One that can not be made is left out."""
    shelf = _here().setdefault(shape, Shelf())
    shelf.fill(count, boot)
    if shelf.making:
        await asyncio.wait(shelf.making)


async def end_spares() -> None:
    """End every spare of this event loop."""
    shelves = _here()
    await asyncio.gather(*(shelves.pop(shape).close() for shape in list(shelves)))


def _here() -> dict[Hashable, Shelf]:
    for loop in [each for each in _shelves if each.is_closed()]:
        del _shelves[loop]  # whose boxes ended with its connections
    return _shelves.setdefault(asyncio.get_running_loop(), {})


class Shelf:
    """The spares of one shape, and those being made."""

    def __init__(self) -> None:
        self.ready: list[Channel] = []
        self.making: set[asyncio.Task[None]] = set()
        self._idle: asyncio.TimerHandle | None = None

    async def take(self) -> Channel | None:
        """One that answers, or None."""
        while self.ready:
            channel = self.ready.pop(0)
            try:
                await channel.call(b"ping", deadline=_PING_S)
                return channel
            except BaseException as error:
                await channel.close()
                if not isinstance(error, AgentGymError | Refused):
                    raise
        return None

    def fill(self, count: int, boot: Boot) -> None:
        """Begin to make what is missing. A failure is not retried: whoever needs a box boots it and hears why."""
        while len(self.ready) + len(self.making) < count:
            task = asyncio.create_task(self._make(boot))
            self.making.add(task)
            task.add_done_callback(self.making.discard)
        if self._idle is not None:
            self._idle.cancel()
        self._idle = asyncio.get_running_loop().call_later(IDLE_S, lambda: asyncio.ensure_future(self.close()))

    async def close(self) -> None:
        """End them all; those being made too."""
        if self._idle is not None:
            self._idle.cancel()
        for task in self.making:
            task.cancel()
        await asyncio.gather(*self.making, return_exceptions=True)
        ended, self.ready = self.ready, []
        await asyncio.gather(*(channel.close() for channel in ended))

    async def _make(self, boot: Boot) -> None:
        with suppress(AgentGymError):
            self.ready.append(await boot())
