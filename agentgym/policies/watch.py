"""Watch: for how long at least one of something has been under way. No clock of a whole run, no logging."""

from __future__ import annotations

from time import perf_counter


class Watch:
    """A context manager that may be entered again while it is open: time that overlaps counts once.

    For one thread, or the coroutines of one event loop. `seconds` does not yet hold what is still under way.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self._open = 0
        self._since = 0.0

    def __enter__(self) -> Watch:
        if not self._open:
            self._since = perf_counter()
        self._open += 1
        return self

    def __exit__(self, *exc: object) -> None:
        self._open -= 1
        if not self._open:
            self.seconds += perf_counter() - self._since
