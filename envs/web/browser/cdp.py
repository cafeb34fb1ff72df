"""The Chrome DevTools Protocol over a pair of pipes: calls with deadlines, events to listeners. It knows no method by name.

Over pipes (not a port) nobody else on the machine can reach the browser, and it ends when this process does.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from agentgym.errors import AgentGymError, SandboxError

Json = dict[str, Any]
Listener = Callable[[str, Json], None]
_CHUNK = 1 << 18


class CallFailed(AgentGymError):
    """The browser refused a call: a page that is gone, an element that is gone, a bad argument."""


class Late(AgentGymError):
    """A call was not answered before its deadline: the page is busy, hangs, or will not load."""


class Pipe:
    """One browser at the other end. Not thread-safe; belongs to the loop that it was made in.

    Raises SandboxError from every call once the browser is gone.
    """

    def __init__(self, read: int, write: int) -> None:
        """Takes ownership of both descriptors."""
        self._read, self._write = read, write
        self._loop = asyncio.get_running_loop()
        self._calls: dict[int, asyncio.Future[Json]] = {}
        self._listeners: dict[str, Listener] = {}
        self._last = 0
        self._partial = bytearray()
        self._unsent: deque[memoryview] = deque()
        self.closed = False
        os.set_blocking(read, False)
        os.set_blocking(write, False)
        self._loop.add_reader(read, self._receive)

    def listen(self, session: str, listener: Listener) -> None:
        """Give events of `session` ("": the browser's own) to `listener`, which must not block or raise."""
        self._listeners[session] = listener

    def forget(self, session: str) -> None:
        self._listeners.pop(session, None)

    def send(self, method: str, params: Json, session: str, limit_s: float) -> asyncio.Future[Json]:
        """Put a call on its way; await what comes back. Calls sent in a row run in that order, without waiting between."""
        answer: asyncio.Future[Json] = self._loop.create_future()
        if self.closed:
            answer.set_exception(SandboxError("the browser has died"))
            return answer
        self._last += 1
        id = self._last
        self._calls[id] = answer
        message: Json = {"id": id, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        timer = self._loop.call_later(limit_s, self._give_up, id, method, limit_s)

        def end(_: object) -> None:
            timer.cancel()
            self._calls.pop(id, None)

        answer.add_done_callback(end)
        self._send(json.dumps(message).encode() + b"\0")
        return answer

    def close(self) -> None:
        """Every call under way fails. Idempotent."""
        if self.closed:
            return
        self.closed = True
        self._loop.remove_reader(self._read)
        self._loop.remove_writer(self._write)
        os.close(self._read)
        os.close(self._write)
        for answer in list(self._calls.values()):
            if not answer.done():
                answer.set_exception(SandboxError("the browser has died"))
                answer.exception()  # a call that nobody waits for is no mistake
        for listener in list(self._listeners.values()):
            listener("closed", {})

    def _give_up(self, id: int, method: str, limit_s: float) -> None:
        answer = self._calls.get(id)
        if answer is not None and not answer.done():
            answer.set_exception(Late(f"{method} was not answered within {limit_s:g} s"))
            answer.exception()

    def _send(self, data: bytes) -> None:
        if self._unsent:
            self._unsent.append(memoryview(data))
            return
        rest = self._write_some(memoryview(data))
        if rest is not None:
            self._unsent.append(rest)
            self._loop.add_writer(self._write, self._drain)

    def _drain(self) -> None:
        while self._unsent:
            rest = self._write_some(self._unsent[0])
            if rest is not None:
                self._unsent[0] = rest
                return
            if not self.closed:
                self._unsent.popleft()
        if not self.closed:
            self._loop.remove_writer(self._write)

    def _write_some(self, data: memoryview) -> memoryview | None:
        """What of `data` the pipe would not take yet."""
        try:
            sent = os.write(self._write, data)
        except BlockingIOError:
            return data
        except OSError:
            self._unsent.clear()
            self.close()
            return None
        return data[sent:] if sent < len(data) else None

    def _receive(self) -> None:
        try:
            data = os.read(self._read, _CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.close()
            return
        *whole, rest = data.split(b"\0")
        if whole:
            self._partial += whole[0]
            whole[0] = bytes(self._partial)
            self._partial.clear()
        self._partial += rest
        for text in whole:
            self._dispatch(json.loads(text))

    def _dispatch(self, message: Json) -> None:
        if "id" not in message:
            listener = self._listeners.get(message.get("sessionId", ""))
            if listener is not None:
                listener(message["method"], message.get("params", {}))
            return
        answer = self._calls.get(message["id"])
        if answer is None or answer.done():
            return
        if "error" in message:
            answer.set_exception(CallFailed(message["error"].get("message", "the browser refused")))
            answer.exception()
        else:
            with suppress(asyncio.InvalidStateError):
                answer.set_result(message.get("result", {}))
