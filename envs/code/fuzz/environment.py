"""Finding inputs for a parser in a box: what is laid out beside the seeds, and what is read at the end."""

from __future__ import annotations

import base64
import errno
import hashlib
import json
from dataclasses import replace

from agentgym.envs.code.environment import NOTES, CodeEnvironment
from agentgym.envs.code.fuzz.config import FuzzConfig
from agentgym.envs.code.fuzz.parsers import program
from agentgym.envs.code.fuzz.tasks import INPUTS
from agentgym.envs.swe.runner import ENVIRONMENT
from agentgym.errors import TaskError
from agentgym.sandboxes.sandbox import WORKSPACE, SandboxSpec

_MAX_MODULE = 4 << 20


class FuzzEnvironment(CodeEnvironment[FuzzConfig]):
    """One branch to reach. The agent has the very program that measures inputs in the end, in a box of its own."""

    async def on_reset(self) -> str:
        told = await super().on_reset()
        payload = self.task.payload
        try:
            found = hashlib.sha256(await self.live.read(payload["path"], _MAX_MODULE)).hexdigest()
        except OSError:
            found = "missing"
        if found != payload["sha256"]:
            raise TaskError(
                f"task {self.task.id} was made for another Python: {payload['path']} is {found} in this box, not "
                f"{payload['sha256']}; take the task set's own tasks, which fit this sandbox"
            )
        job = {"parser": payload["parser"], "target": payload["target"]}
        await self.live.write(f"{WORKSPACE}/coverage.py", program().encode())
        await self.live.write(f"{WORKSPACE}/target.json", json.dumps(job).encode())
        return told

    async def artefacts(self) -> dict[str, str]:
        """Under "inputs" a JSON list of what was submitted, in base64; under "notes" what was left out, and why."""
        await self.kill_strays()
        inputs: list[str] = []
        notes: list[str] = []
        for number in range(self.config.most_inputs):
            path = f"{INPUTS}/{number}"
            try:
                data = await self.live.read(f"{WORKSPACE}/{path}", self.config.input_bytes)
            except FileNotFoundError:
                continue
            except OSError as error:
                long = error.errno == errno.EFBIG
                notes.append(f"{path}: {f'over {self.config.input_bytes} bytes' if long else error.strerror or error}")
                continue
            inputs.append(base64.b64encode(data).decode())
        return {INPUTS: json.dumps(inputs), NOTES: json.dumps(notes)}

    def box_spec(self) -> SandboxSpec:
        return replace(super().box_spec(), env=ENVIRONMENT)
