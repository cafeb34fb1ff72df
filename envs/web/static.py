"""A loopback server for a folder of pages, with a policy on scripts: what its pages bring runs, what is typed into them does not.

It answers GET and nothing else, from memory. Sites with a server of their own do not need it.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
from contextlib import suppress
from functools import lru_cache
from mimetypes import guess_type
from pathlib import Path
from urllib.parse import unquote, urlsplit

_INLINE = re.compile(r"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", re.S | re.I)
_HEAD_S, _MAX_HEAD = 60.0, 16_384


class StaticSite:
    """Serves `folder` at `origin` until `close`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self.origin = ""
        self._page = lru_cache(maxsize=1_024)(self._read)

    @classmethod
    async def open(cls, folder: Path) -> StaticSite:
        site = cls(folder)
        site._server = await asyncio.start_server(site._serve, "127.0.0.1", 0, limit=_MAX_HEAD)
        site.origin = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"
        return site

    async def close(self) -> None:
        """Stop serving. Idempotent."""
        if self._server is not None:
            self._server.close()
            for writer in list(self._open):
                writer.close()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        with suppress(ConnectionError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            while head := await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), _HEAD_S):
                method, _, rest = head.decode("latin-1").partition(" ")
                writer.write(self._page(rest.partition(" ")[0]) if method == "GET" else _answer(405, b"", ""))
                await writer.drain()
        self._open.discard(writer)
        writer.close()

    def _read(self, target: str) -> bytes:
        path = (self._folder / unquote(urlsplit(target).path).lstrip("/")).resolve()
        if not path.is_relative_to(self._folder) or not path.is_file():
            return _answer(404, b"", "")
        body = path.read_bytes()
        kind = guess_type(path.name)[0] or "application/octet-stream"
        extra = f"Content-Security-Policy: {_policy(body)}\r\n" if kind == "text/html" else ""
        kind += "; charset=utf-8" if kind.startswith("text/") else ""
        return _answer(200, body, f"Content-Type: {kind}\r\nCache-Control: max-age=86400\r\n{extra}")


def _policy(page: bytes) -> str:
    """Scripts: files of this site and what stands in the page as it is; no handlers in attributes, no eval."""
    inline = (match[1].replace("\r\n", "\n") for match in _INLINE.finditer(page.decode(errors="replace")))
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in inline
    )
    return f"script-src 'self' {hashes}; object-src 'none'; base-uri 'none'; form-action 'self'; frame-src 'self'"


def _answer(status: int, body: bytes, headers: str) -> bytes:
    said = {200: "OK", 404: "Not Found", 405: "Method Not Allowed"}[status]
    return f"HTTP/1.1 {status} {said}\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body
