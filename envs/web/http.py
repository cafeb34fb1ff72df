"""A small HTTP/1.1 server on loopback for sites that are a Python function. What it answers is the function's business."""

from __future__ import annotations

import asyncio
import html
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import parse_qsl, unquote, urlsplit

_WAIT_S, _MAX_HEAD, _MAX_BODY, _MAX_FIELDS = 60.0, 16_384, 65_536, 200
log = logging.getLogger("agentgym")


@dataclass(slots=True, frozen=True)
class Request:
    """`query` and `form` have the last value of each name. `path` is decoded."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True, frozen=True)
class Response:
    body: str | bytes = ""
    status: int = 200
    kind: str = "text/html; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)


def see_other(place: str) -> Response:
    """Go on at `place` with GET: what a form should be answered with."""
    return Response("", 303, headers={"Location": place})


Handler = Callable[[Request], Response]


class Server:
    """Serves `handler` at `origin` until `close`. Nothing that is sent to it can raise."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self.origin = ""

    @classmethod
    async def open(cls, handler: Handler) -> Server:
        server = cls(handler)
        server._server = await asyncio.start_server(server._serve, "127.0.0.1", 0, limit=_MAX_HEAD)
        server.origin = f"http://127.0.0.1:{server._server.sockets[0].getsockname()[1]}"
        return server

    async def close(self) -> None:
        """Stop serving. Idempotent."""
        if self._server is not None:
            self._server.close()
            for writer in list(self._open):
                writer.close()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        with suppress(ConnectionError, TimeoutError, asyncio.IncompleteReadError):
            while True:
                response, last = await self._next(reader)
                writer.write(_bytes(response, last))
                await writer.drain()
                if last:
                    break
        self._open.discard(writer)
        writer.close()

    async def _next(self, reader: asyncio.StreamReader) -> tuple[Response, bool]:
        """Read one request and answer it; whether the connection has to end."""
        try:
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), _WAIT_S)
        except asyncio.LimitOverrunError:
            return _refusal(414, "that address is too long"), True
        start, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower().strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > _MAX_BODY or "transfer-encoding" in headers:
            return _refusal(413, "that is too much"), True
        body = await asyncio.wait_for(reader.readexactly(int(length)), _WAIT_S)
        return self._answer(start, body), False

    def _answer(self, start: str, body: bytes) -> Response:
        method, _, rest = start.partition(" ")
        parts = urlsplit("http://site" + rest.partition(" ")[0])
        try:
            query, form = _fields(parts.query), _fields(body.decode()) if method == "POST" else {}
        except ValueError:
            return _refusal(400, "that form can not be read")
        try:
            return self._handler(Request(method, unquote(parts.path), query, form))
        except Exception:
            log.exception("the site failed on %.200r", start)
            return _refusal(500, "something went wrong")


def _fields(text: str) -> dict[str, str]:
    return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=_MAX_FIELDS))


def _refusal(status: int, text: str) -> Response:
    return Response(f"<!doctype html><title>{status}</title><h1>{html.escape(text)}</h1>", status)


def _bytes(response: Response, last: bool) -> bytes:
    body = response.body if isinstance(response.body, bytes) else response.body.encode(errors="replace")
    headers = {"Content-Type": response.kind, "Content-Length": str(len(body)), **response.headers}
    if last:
        headers["Connection"] = "close"
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {response.status} {HTTPStatus(response.status).phrase}\r\n{lines}\r\n".encode() + body
