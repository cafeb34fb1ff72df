"""Writing code in a box: the files of a task laid out, the tools of a workspace, the declared files read at the end.

A task's payload holds "statement" (text), "files" (path: text) and "submit" (paths); its secret may hold "solution"
(path: text, what the oracle submits).  What is right is a verifier's business (`verifier.py`).
"""

from __future__ import annotations

import errno
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, TypeVar

from agentgym.envs.code.boxes import require
from agentgym.envs.code.config import CodeConfig
from agentgym.envs.swe.toolset import FULL
from agentgym.envs.swe.workbench import Workbench
from agentgym.errors import TaskError
from agentgym.sandboxes.sandbox import WORKSPACE, SandboxSpec

C = TypeVar("C", bound=CodeConfig)
NOTES = "notes"
_CLOSING = "The files are in {where}. Submit {files} there: call submit when you are done."


class CodeEnvironment(Workbench[C]):
    """One task of writing code. A subclass names the programs that its boxes must have.

    programs: what the box must be able to start, by the Debian package that brings it.
    """

    programs: ClassVar[Mapping[str, str]] = {}

    @classmethod
    async def open_shared(cls, config: C, runtime: Any) -> SandboxSpec:
        """What the boxes stand on. Raises UsageError, saying what to install, if it lacks a program."""
        return await require(cls.programs, runtime)

    async def on_reset(self) -> str:
        payload = self.task.payload
        if lacking := {"statement", "files", "submit"} - payload.keys():
            raise TaskError(f"task {self.task.id}: its payload lacks {', '.join(sorted(lacking))}")
        await self.open_box()
        for path, text in payload["files"].items():
            await self.live.write(f"{WORKSPACE}/{path}", text.encode())
        self.allow(*FULL)
        closing = _CLOSING.format(where=WORKSPACE, files=" and ".join(payload["submit"]))
        turns = self.spec.limits.turns
        left = [] if turns is None else [f"Steps remaining: {turns}"]
        return "\n\n".join([payload["statement"], closing, *left])

    async def artefacts(self) -> dict[str, str]:
        """The submitted files by path; under "notes", a JSON list of what could not be submitted and why."""
        await self.kill_strays()
        found: dict[str, str] = {}
        notes: list[str] = []
        for path in self.task.payload["submit"]:
            text, why = await self._submitted(path)
            if text is None:
                notes.append(f"{path}: {why}")
            else:
                found[path] = text
        return {**found, NOTES: json.dumps(notes)}

    def box_spec(self) -> SandboxSpec:
        ground: SandboxSpec = self.shared
        return replace(ground, limits=self.box_limits())

    async def _submitted(self, path: str) -> tuple[str | None, str]:
        most = self.config.submit_bytes
        try:
            return (await self.live.read(f"{WORKSPACE}/{path}", most)).decode(), ""
        except FileNotFoundError:
            return None, "missing"
        except UnicodeDecodeError:
            return None, "not UTF-8 text"
        except OSError as error:
            return None, f"longer than {most} bytes" if error.errno == errno.EFBIG else str(error.strerror or error)
