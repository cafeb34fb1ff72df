"""mini-swe-agent's Environment over one of our episodes: a command is a turn, its magic words are a submission.

It lives in the agent's thread and hands every turn to the event loop that the episode belongs to.
"""

from __future__ import annotations

import asyncio
import json
import platform
import re
import shlex
from concurrent.futures import CancelledError, Future
from typing import Any

from agentgym.episode import Episode
from agentgym.errors import PolicyError
from agentgym.types import Action, ToolCall

MAGIC = "COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT"
_STATUS = re.compile(r"\[exit code (\d+)\]\s*(?:Steps remaining: \d+\s*)?\Z")


class Stopped(Exception):
    """The episode is over for a reason of ours: the agent's thread has nothing more to do."""


class BoxEnvironment:
    """What mini-swe-agent calls an environment. `agent` is set once it is made: the words of a turn come from it."""

    def __init__(self, episode: Episode, loop: asyncio.AbstractEventLoop, interrupts: Any) -> None:
        self.config = {"timeout": getattr(episode.env.config, "command_s", None)}
        self.agent: Any = None
        self._episode, self._loop, self._exceptions = episode, loop, interrupts
        self._pending: Future[Any] | None = None
        self._stopped = False
        self._said: Any = None

    def execute(self, action: dict[str, Any], cwd: str = "") -> dict[str, Any]:
        """Run a command in a subshell of the box. Raises Submitted and LimitsExceeded, which are the agent's own.

        As mini-swe-agent promises its model, neither directory nor variables go from one command to the next.
        """
        command = str(action.get("command", ""))
        inner = f"cd {shlex.quote(cwd)}\n{command}" if cwd else command
        output = self._turn(ToolCall(self._id(action), "shell", json.dumps({"command": f"(\n{inner}\n)"})))
        status = _STATUS.search(output)
        code = int(status[1]) if status else -1
        if code == 0 and output.lstrip().split("\n", 1)[0].strip() == MAGIC:
            self._submit(output[: status.start()] if status else output)
        self._end_with_episode()
        return {"output": output, "returncode": code, "exception_info": ""}

    def get_template_vars(self, **more: Any) -> dict[str, Any]:
        """What its templates may say of the machine: nothing of the host's but its architecture."""
        system = {"system": "Linux", "node": "box", "release": "", "version": "", "machine": platform.machine()}
        return {**self.config, **system, **more}

    def serialize(self) -> dict[str, Any]:
        kind = f"{type(self).__module__}.{type(self).__name__}"
        return {"info": {"config": {"environment": self.config, "environment_type": kind}}}

    async def stop(self) -> None:
        """Let a command under way come to its end, which has a limit of its own, and no other begin."""
        self._stopped = True
        if self._pending is not None:
            await asyncio.wrap_future(self._pending)

    def abandon(self) -> None:
        """Let no command begin and have the one under way stopped, which leaves the episode fit to be closed only."""
        self._stopped = True
        if self._pending is not None:
            self._pending.cancel()

    # ---- inside ---------------------------------------------------------------------------------------------------

    def _turn(self, call: ToolCall) -> str:
        """One turn of the episode, and what the tool replied."""
        if self._stopped or self._episode.over:
            raise Stopped
        text, reasoning = self._words()
        self._pending = asyncio.run_coroutine_threadsafe(
            self._episode.play(Action(text, (call,), reasoning)), self._loop
        )
        if self._stopped:
            self._pending.cancel()
        try:
            self._pending.result()
        except CancelledError:
            raise Stopped from None
        replies = [each for each in self._episode.env.observation.messages if each.tool_call_id == call.id]
        if not replies:
            raise PolicyError(f"{self._episode.env.spec.id} gave no reply to a command")
        return replies[-1].text

    def _words(self) -> tuple[str, str]:
        """Text and reasoning of the message under way, for the first of its commands; nothing for the others."""
        said = self.agent.messages[-1] if self.agent is not None and self.agent.messages else {}
        if said is self._said or said.get("role") not in ("assistant", None):
            return "", ""
        self._said = said
        content = said.get("content") or ""
        text = content if isinstance(content, str) else json.dumps(content)
        return text, str(said.get("reasoning_content") or "")

    def _id(self, action: dict[str, Any]) -> str:
        return str(action.get("tool_call_id") or f"command_{self._episode.env.turn}")

    def _submit(self, output: str) -> None:
        """The magic words: what is in the box is handed in. What the agent printed beside them is its own record."""
        submission = "".join(output.lstrip().splitlines(keepends=True)[1:])
        if not self._episode.over:
            self._turn(ToolCall(f"submit_{self._episode.env.turn}", "submit"))
        extra = {"exit_status": "Submitted", "submission": submission}
        raise self._exceptions.Submitted({"role": "exit", "content": submission, "extra": extra})

    def _end_with_episode(self) -> None:
        if self._episode.over:
            extra = {"exit_status": "LimitsExceeded", "submission": ""}
            raise self._exceptions.LimitsExceeded({"role": "exit", "content": "LimitsExceeded", "extra": extra})
