"""A loopback server for a folder of pages, with a policy on scripts: what its pages bring runs, what is typed into them does not.

It answers GET and nothing else, from memory. Sites with a server of their own do not need it.
"""

from __future__ import annotations

import base64
import hashlib
import re
from functools import lru_cache
from mimetypes import guess_type
from pathlib import Path

from agentgym.envs.web.http import Request, Response, Server

_MOST_MISSING = 100
_INLINE = re.compile(r"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", re.S | re.I)


class StaticSite:
    """Serves `folder` at `origin` until `close`. `missing`: what was asked for and is not there."""

    def __init__(self, server: Server, missing: list[str]) -> None:
        self._server, self.origin, self.missing = server, server.origin, missing

    @classmethod
    async def open(cls, folder: Path) -> StaticSite:
        page = lru_cache(maxsize=1_024)(lambda path: _page(folder.resolve(), path))
        missing: list[str] = []

        def answer(request: Request) -> Response:
            response = page(request.path) if request.method == "GET" else Response(status=405)
            if response.status != 200 and len(missing) < _MOST_MISSING:
                missing.append(request.path)
            return response

        return cls(await Server.open(answer), missing)

    async def close(self) -> None:
        """Stop serving. Idempotent."""
        await self._server.close()


def _page(folder: Path, path: str) -> Response:
    file = (folder / path.lstrip("/")).resolve()
    if not file.is_relative_to(folder) or not file.is_file():
        return Response(status=404)
    body = file.read_bytes()
    kind = guess_type(file.name)[0] or "application/octet-stream"
    headers = {"Cache-Control": "max-age=86400"}
    if kind == "text/html":
        headers["Content-Security-Policy"] = _policy(body)
    return Response(body, kind=f"{kind}; charset=utf-8" if kind.startswith("text/") else kind, headers=headers)


def _policy(page: bytes) -> str:
    """Scripts: files of this site and what stands in the page as it is; no handlers in attributes, no eval."""
    inline = (match[1].replace("\r\n", "\n") for match in _INLINE.finditer(page.decode(errors="replace")))
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in inline
    )
    return f"script-src 'self' {hashes}; object-src 'none'; base-uri 'none'; form-action 'self'; frame-src 'self'"
