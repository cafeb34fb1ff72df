"""Sites: the small server answers whatever is sent to it, and a program comes up, has a copy of its folder, and goes."""

from __future__ import annotations

import asyncio
import os
import sys

import pytest

from agentgym.envs.web.http import Response, Server
from agentgym.envs.web.site.program import ProgramSite
from agentgym.errors import SandboxError

SERVE = (sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "--directory", "{folder}", "{port}")


def listed(folder):
    return {"files": " ".join(sorted(path.name for path in folder.iterdir()))}


async def get(origin, raw):
    host, _, port = origin.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(raw)
    writer.write_eof()
    said = await asyncio.wait_for(reader.read(), 30)
    writer.close()
    return said.decode()


@pytest.fixture
async def echo():
    def handler(request):
        if request.path == "/broken":
            raise RuntimeError
        return Response(f"{request.method} {request.path} {dict(request.query)} {dict(request.form)}")

    server = await Server.open(handler)
    yield server.origin
    await server.close()
    await server.close()


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"GET /a%20b?x=1&x=2&y= HTTP/1.1\r\n\r\n", "GET /a b {'x': '2', 'y': ''} {}"),
        (b"POST /f HTTP/1.1\r\nContent-Length: 7\r\n\r\nq=%C3%A9", "HTTP/1.1 200"),
        (b"GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n", "GET /2"),
        (b"GET /broken HTTP/1.1\r\n\r\n", "HTTP/1.1 500"),
        (b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\n\r\n", "HTTP/1.1 414"),
        (b"POST / HTTP/1.1\r\nContent-Length: 9999999\r\n\r\n", "HTTP/1.1 413"),
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 413"),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 413"),
        (b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n\xff\xfe", "HTTP/1.1 400"),
        (b"GET http://[ HTTP/1.1\r\n\r\n", "HTTP/1.1 "),
        (b"\x00\xff\r\n\r\n", "HTTP/1.1 "),
        (b"GET / HTTP/1.1\r\n", ""),
    ],
)
async def test_whatever_is_sent_is_answered(echo, raw, said):
    assert said in await get(echo, raw)
    assert "GET /again" in await get(echo, b"GET /again HTTP/1.1\r\n\r\n")


async def test_each_episode_has_its_own_copy_and_nothing_is_left(tmp_path):
    template = tmp_path / "template"
    template.mkdir()
    (template / "page.html").write_text("hello")
    one = await ProgramSite.open(SERVE, template, listed)
    other = await ProgramSite.open(SERVE, template, listed)
    (one.folder / "new").touch()
    assert await one.facts() == {"files": "new page.html"} and await other.facts() == {"files": "page.html"}
    assert one.origin != other.origin and "hello" in await get(one.origin, b"GET /page.html HTTP/1.0\r\n\r\n")
    folders, pids = [one.folder, other.folder], [one._process.pid, other._process.pid]
    for site in (one, other, one):
        await site.close()
    assert not any(folder.exists() for folder in folders)
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


async def test_a_program_that_does_not_come_up_says_why(tmp_path):
    with pytest.raises(SandboxError, match="no_such_module"):
        await ProgramSite.open((sys.executable, "-m", "no_such_module"), tmp_path, listed)
