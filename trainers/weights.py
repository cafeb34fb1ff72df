"""WeightSync: how trained weights reach a policy that samples elsewhere. What is sampled with them is `policies`' business.

`ReloadingServer` and `AdapterServer` work with any vLLM server (0.31 or newer, VLLM_SERVER_DEV_MODE=1) that sees the
trainer's files: weights are written to a folder, and the server is told to read them.  No NCCL, no second GPU, and as
well on a CPU.  A server that was started anew has forgotten what it was given: `version` tells.
"""

from __future__ import annotations

import http.client
import json
import shutil
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Protocol

from agentgym.errors import PolicyError, UsageError


class WeightSync(Protocol):
    """Raises PolicyError where the policy's server can not be reached or does not do it."""

    def push(self, model: Any, version: int) -> None:
        """Return once the policy samples from the weights that `model` has now, and from no others."""
        ...

    def version(self) -> int | None:
        """Of the weights that the policy samples from now; None: of those that nobody pushed."""
        ...


class InProcess:
    """The policy samples from the very model that is trained: a LocalPolicy, which only forgets its caches."""

    def __init__(self, policy: Any) -> None:
        self._policy = policy
        self._version: int | None = None

    def push(self, model: Any, version: int) -> None:
        self._policy.updated()
        self._version = version

    def version(self) -> int | None:
        return self._version


class _Server:
    """What both kinds share: requests, and generation paused while weights change.

    url: the server's, without /v1. folder: where weights are written, at a path that the server sees, too.
    wait_s: how long a server may be away, for example to start again, before that is an error.
    """

    def __init__(self, url: str, folder: Path, *, wait_s: float = 300.0, timeout_s: float = 600.0) -> None:
        self.url, self.folder = url.rstrip("/"), folder.absolute()
        self._wait_s, self._timeout_s = wait_s, timeout_s

    def push(self, model: Any, version: int) -> None:
        target = self.folder / f"weights-{version}"
        shutil.rmtree(target, ignore_errors=True)  # of an earlier run: all files in it are read
        self.write(model, target)
        self._wait()
        self._ask("/pause?mode=wait", {})  # which drops the prefix cache as well
        try:
            self._load(target)
            self._ask("/update_weight_version", {"new_version": f"{self.folder} {version}"})  # no other run's
        finally:
            self._ask("/resume", {})
        for old in self.folder.glob("weights-*"):
            if old != target:
                shutil.rmtree(old)

    def version(self) -> int | None:
        said = str(json.loads(self._ask("/weight_info"))["weight_version"])
        name, _, number = said.rpartition(" ")
        return int(number) if name == str(self.folder) and number.isdigit() else None

    def write(self, model: Any, target: Path) -> None:
        raise NotImplementedError

    def _load(self, target: Path) -> None:
        raise NotImplementedError

    def _wait(self) -> None:
        """Until the server answers."""
        end = time.monotonic() + self._wait_s
        while True:
            try:
                self._ask("/health")
                return
            except PolicyError as error:
                if time.monotonic() > end:
                    raise PolicyError(
                        f"the server at {self.url} has not been well for {self._wait_s:g} s: start it again; training "
                        f"goes on from its last checkpoint (resume_from_checkpoint). Last: {error}"
                    ) from error
            time.sleep(min(1.0, self._wait_s / 10))

    def _ask(self, path: str, body: dict[str, Any] | None = None) -> str:
        """POST if there is a body."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=self._timeout_s) as answer:
                text: str = answer.read().decode()
                return text
        except urllib.error.HTTPError as error:
            if error.code == 404:
                raise PolicyError(
                    f"the server at {self.url} has no {path}: it takes vLLM 0.31 or newer, started with "
                    "VLLM_SERVER_DEV_MODE=1 (for adapters VLLM_ALLOW_RUNTIME_LORA_UPDATING=1 and --enable-lora, too)"
                ) from error
            said = error.read().decode(errors="replace")[:300]
            raise PolicyError(f"the server at {self.url} refused {path}: {error.code} {said}") from error
        except (OSError, http.client.HTTPException) as error:  # among them: it died while it was to answer
            raise PolicyError(f"the server at {self.url} was lost in {path}: {error!r}") from error


class ReloadingServer(_Server):
    """All weights, as a checkpoint of safetensors that vLLM's workers read in place (`reload_weights`)."""

    def write(self, model: Any, target: Path) -> None:
        write_untied(model, target)

    def _load(self, target: Path) -> None:
        # vLLM's engine dies of a folder that it can not read
        self._ask("/collective_rpc", {"method": "reload_weights", "kwargs": {"weights_path": str(target)}})


class AdapterServer(_Server):
    """A LoRA adapter alone, under `name`, which is then the policy's model; the base stays as it is served."""

    def __init__(self, url: str, folder: Path, name: str, **options: Any) -> None:
        super().__init__(url, folder, **options)
        self._adapter = name

    def write(self, model: Any, target: Path) -> None:
        model.save_pretrained(target)

    def _load(self, target: Path) -> None:
        body = {"lora_name": self._adapter, "lora_path": str(target), "load_inplace": True}
        self._ask("/v1/load_lora_adapter", body)


def write_untied(model: Any, target: Path) -> None:
    """A checkpoint with an output layer of its own, also where it shares its weights with the embedding.

    Served from such a folder, vLLM reloads both; on a CPU it does not where they are tied (0.32).
    Raises UsageError for adapters.
    """
    if hasattr(model, "peft_config"):
        raise UsageError("an adapter is trained: push it alone, with AdapterServer (in a configuration: adapter)")
    state = dict(model.state_dict())
    state["lm_head.weight"] = model.get_output_embeddings().weight.detach().clone()
    tied, model.config.tie_word_embeddings = model.config.tie_word_embeddings, False
    try:
        model.save_pretrained(target, state_dict=state)
    finally:
        model.config.tie_word_embeddings = tied
