"""Times the calls to one process, by the processor time that it uses itself, and ends those that use too much.

So no outcome changes because the machine is busy.  Knows nothing of what is asked.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable
from time import clock_gettime, monotonic

GRACE_S = 2.0
"""How long a process may go on after an interrupt before it is ended."""
_STARVED_S = 60.0
_STARVED_TIMES = 30.0
_LEAST_S = 0.05


class Watch:
    """One call at a time, between `start` and `stop`. `interrupted`, `starved`: what became of the last one.

    The timer stays from call to call and is set anew when it is due: nearly all calls end long before that.  Where the
    process can not be seen from here (`pid` 0), wall time is all there is.
    """

    def __init__(self, pid: int, hang_up: Callable[[], None]) -> None:
        self.interrupted = False
        self.starved = ""
        self._pid, self._hang_up = pid, hang_up
        self._clock = _clock(pid)
        self._limit = self._began = 0.0
        self._last = self._read()
        self._running = False
        self._timer: asyncio.TimerHandle | None = None

    def start(self, limit_s: float) -> None:
        """A call begins that may use `limit_s` seconds."""
        self.interrupted, self.starved, self._running = False, "", True
        self._limit, self._began = limit_s, monotonic()
        if self._clock is None:
            self._last = self._began
        if self._timer is None or self._timer.when() > self._began + limit_s:
            self._set(limit_s)

    def stop(self) -> float:
        """The call has ended. The seconds that it used."""
        self._running = False
        before, self._last = self._last, self._read()
        return max(0.0, self._last - before)

    def close(self) -> None:
        """Look no more. Idempotent."""
        self._running = False
        if self._timer is not None:
            self._timer.cancel()

    def _due(self) -> None:
        self._timer = None
        if not self._running:
            return
        used, passed = self._read() - self._last, monotonic() - self._began
        left = self._limit - used + (GRACE_S if self.interrupted else 0.0)
        if left <= 0 and self.interrupted:
            self._hang_up()
            return
        if left <= 0:
            self.interrupted = True
            self._interrupt()
        elif passed > _STARVED_S + _STARVED_TIMES * self._limit:
            self.starved = f"{used:.1f} s in {passed:.0f} s"
            self._hang_up()
            return
        self._set(left)

    def _set(self, after_s: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(max(after_s, _LEAST_S), self._due)

    def _interrupt(self) -> None:
        try:
            if self._pid <= 0:
                raise ProcessLookupError
            os.kill(self._pid, signal.SIGINT)
        except OSError:
            self._hang_up()

    def _read(self) -> float:
        if self._clock is not None:
            with contextlib.suppress(OSError):
                return clock_gettime(self._clock)
        return monotonic()


def _clock(pid: int) -> int | None:
    """Linux's number for the clock that a process runs on, with all its threads; None where there is none."""
    number = ~pid << 3 | 2
    try:
        clock_gettime(number)
    except OSError:
        return None
    return number if pid > 0 else None
