"""FakeOpenAIServer: an endpoint on this machine that answers from a script, faults included."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Answer:
    """One scripted HTTP answer; `body` is sent as it is if it is text, else as JSON."""

    status: int = 200
    body: Any = ""
    headers: dict[str, str] = field(default_factory=dict)


def completion(text: str | None = "", calls: list[tuple[str, str]] | None = None, **choice: Any) -> dict[str, Any]:
    """A chat completion of one choice."""
    message: dict[str, Any] = {"role": "assistant", "content": text}
    if calls:
        message["tool_calls"] = [
            {"id": f"call_{i}", "type": "function", "function": {"name": name, "arguments": arguments}}
            for i, (name, arguments) in enumerate(calls)
        ]
    return {
        "id": "x",
        "object": "chat.completion",
        "created": 0,
        "model": "fake",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop", **choice}],
    }


def failure(status: int, message: str = "no") -> Answer:
    """An error in OpenAI's form, which asks for the next try at once."""
    return Answer(status, {"error": {"message": message, "type": "fake"}}, {"retry-after-ms": "1"})


class FakeOpenAIServer:
    """Gives the scripted answers in order, the last one for ever; keeps every request."""

    def __init__(self, *answers: Answer | dict[str, Any]) -> None:
        self.answers = [each if isinstance(each, Answer) else Answer(200, each) for each in answers]
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.clients: set[Any] = set()
        self.url = ""
        self._lock = threading.Lock()

    def take(self, request: dict[str, Any], headers: dict[str, str]) -> Answer:
        with self._lock:
            self.requests.append(request)
            self.headers.append(headers)
            return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


class AnsweringServer(FakeOpenAIServer):
    """Answers every request by what a function makes of it."""

    def __init__(self, answer: Callable[[dict[str, Any]], Answer]) -> None:
        super().__init__()
        self._answer = answer

    def take(self, request: dict[str, Any], headers: dict[str, str]) -> Answer:
        with self._lock:
            self.requests.append(request)
            return self._answer(request)


@contextmanager
def serving(*answers: Answer | dict[str, Any]) -> Iterator[FakeOpenAIServer]:
    """A FakeOpenAIServer that listens on the loopback until the end of the block."""
    with listening(FakeOpenAIServer(*answers)) as fake:
        yield fake


@contextmanager
def listening(fake: FakeOpenAIServer) -> Iterator[FakeOpenAIServer]:
    """The same for a server that is made already."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            headers = {name.lower(): value for name, value in self.headers.items()}
            fake.clients.add(self.client_address)
            answer = fake.take(json.loads(self.rfile.read(length)), headers)
            body = (answer.body if isinstance(answer.body, str) else json.dumps(answer.body)).encode()
            self.send_response(answer.status)
            for name, value in {"Content-Type": "application/json", **answer.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    fake.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
