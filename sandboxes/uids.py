"""A user id of its own for each fork server on this host, so that what the kernel counts by user is nobody else's.

Held as an abstract Unix socket of that name: exclusive among all drivers on the host, and let go by the kernel when
the driver dies, however it dies.  No files, nothing to sweep.
"""

from __future__ import annotations

import errno
import itertools
import os
import socket

from agentgym.errors import SandboxError

FIRST = 1_900_000_000
"""Above what distributions, containers and directory services hand out, below 2**31."""
COUNT = 1 << 14


class Uid:
    """One user id, ours until `close`."""

    def __init__(self) -> None:
        start = os.getpid() * 61 % COUNT  # drivers begin far apart, so they seldom meet
        for offset in itertools.islice(itertools.chain(range(start, COUNT), range(start)), COUNT):
            claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            try:
                claim.bind(f"\0agentgym-uid-{FIRST + offset}")
            except OSError as error:
                claim.close()
                if error.errno != errno.EADDRINUSE:
                    raise
                continue
            self.number, self._claim = FIRST + offset, claim
            return
        raise SandboxError(f"{COUNT} fork servers are alive on this host already: no user id is left")

    def close(self) -> None:
        self._claim.close()
