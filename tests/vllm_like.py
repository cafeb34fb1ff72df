"""A server that answers as vLLM 0.32 does, as far as we ask it, with a small model behind it: token ids in and out, and
the development endpoints that change its weights. `python vllm_like.py FOLDER PORT` serves a model's folder. No tests.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from agentgym.policies.sampler import Request, Sampler


def completion(model: Any, request: dict[str, Any]) -> dict[str, Any]:
    """The fields that vLLM's `/v1/completions` gives under return_token_ids, sampled from `model`."""
    sampler = Sampler(
        model,
        frozenset(request["stop_token_ids"]),
        max_new_tokens=request["max_tokens"],
        temperature=request["temperature"],
    )
    seeds = [request["seed"] + index for index in range(request["n"])]
    made = sampler.generate([Request(tuple(request["prompt"]), seed) for seed in seeds])
    choices = [
        {
            "index": index,
            "text": "",
            "logprobs": {"token_logprobs": each.logprobs, "tokens": [], "text_offset": [], "top_logprobs": None},
            "finish_reason": "stop" if each.stopped else "length",
            "stop_reason": each.ids[-1] if each.stopped else None,
            "token_ids": each.ids,
            "prompt_token_ids": request["prompt"],
        }
        for index, each in enumerate(made)
    ]
    return {"id": "x", "object": "text_completion", "created": 0, "model": "m", "choices": choices}


class Engine:
    """One request at a time. `paused` stands between requests and sampling, as vLLM's does."""

    def __init__(self, folder: str) -> None:
        from transformers import AutoModelForCausalLM

        self._load = lambda path: AutoModelForCausalLM.from_pretrained(path, dtype="float32")
        self.model = self._load(folder)
        self.version, self.pushes = "default", 0
        self._running = threading.Event()
        self._running.set()
        self._lock = threading.Lock()

    def take(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        if path == "/v1/completions":
            self._running.wait(60)
            with self._lock:
                return completion(self.model, body)
        if path == "/collective_rpc" and body["method"] == "reload_weights":
            assert not self._running.is_set(), "weights change while requests are answered"
            self.model, self.pushes = self._load(body["kwargs"]["weights_path"]), self.pushes + 1
        elif path == "/update_weight_version":
            self.version = body["new_version"]
        elif path == "/pause":
            self._running.clear()
            with self._lock:
                pass
        elif path == "/resume":
            self._running.set()
        elif path == "/weight_info":
            return {"weight_version": self.version, "pushes": self.pushes}
        elif path != "/health":
            raise LookupError(path)
        return {}


def serve(folder: str, port: int) -> None:
    engine = Engine(folder)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            try:
                status, said = 200, engine.take(urlsplit(self.path).path, json.loads(self.rfile.read(length) or b"{}"))
            except LookupError:
                status, said = 404, {}
            body = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    server.serve_forever()


class Child:
    """A process of its own that serves `folder`; it can be killed and started again at the same address."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.folder, self.url = folder, f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, __file__, str(self.folder), str(self.port)]
        self.process = subprocess.Popen(command, env={**os.environ, "OMP_NUM_THREADS": "1"})

    def kill(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def ask(self, path: str) -> dict[str, Any]:
        with urllib.request.urlopen(self.url + path, timeout=10) as answer:
            return json.loads(answer.read())

    def wait(self) -> None:
        end = time.monotonic() + 120
        while True:
            try:
                self.ask("/health")
                return
            except OSError:
                assert time.monotonic() < end, "the child did not begin to serve"
                assert self.process is not None and self.process.poll() is None, "the child died"
                time.sleep(0.1)


@contextmanager
def child(folder: Path):
    made = Child(folder)
    made.start()
    try:
        made.wait()
        yield made
    finally:
        made.kill()


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
