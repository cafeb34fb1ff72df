"""One coqidetop in a box: sentences in, goals out, back to earlier sentences, and never longer than it may.

Knows sentences and state ids, not problems (`prover.py`) nor who shares it (`pool.py`) nor what time is (`watch.py`).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from agentgym.envs.prover.backend import Goals
from agentgym.envs.prover.coq import xml
from agentgym.envs.prover.coq.watch import GRACE_S, Watch
from agentgym.errors import SandboxError, TaskError, ToolError
from agentgym.sandboxes.door import Talk

PROGRAM = "coqidetop.opt"
ARGUMENTS = ("-q", "-main-channel", "stdfds", "--xml_format=Ppcmds", "-async-proofs", "off", "-w", "none")
ENV = {"OCAMLRUNPARAM": "s=1M"}
"""A small minor heap: two thirds of the memory go (233 to 142 MB with a few libraries), at the same speed."""
OPEN_S = 300.0
_FULL = "Out of memory"
_WEIGH_S = 0.2


class TimedOut(Exception):
    """The call used up its time and was interrupted; the session is where it was before."""


class Died(Exception):
    """The process is gone, through what it was asked to do. Says how."""


@dataclass(slots=True)
class Run:
    """What came of one sentence. `goals` is None if it failed, with `message` for why; the tip moved only if it did not."""

    goals: Goals | None
    message: str
    cpu_s: float


class Session:
    """`texts` are the sentences that have been run, each with the state id after it in `_ids`."""

    def __init__(self, talk: Talk, module: str, root: int = 1) -> None:
        self.module = module
        self.texts: list[str] = []
        self._ids = [root]
        self._talk = talk
        self._back = b""
        self._start: Sequence[str] = ()
        self._watch = Watch(talk.line.pid, talk.line.abort)
        self._used = self._since_weighed = 0.0
        self.dead = False

    @classmethod
    async def over(cls, talk: Talk, module: str) -> Session:
        """A session over a coqidetop that has just been started for `module`. Raises SandboxError."""
        session = cls(talk, module)
        try:
            await session._ask(xml.INIT, 1, OPEN_S)
        except (TimedOut, Died) as error:
            await talk.close()
            raise SandboxError(f"{PROGRAM} did not start: {error}") from None
        return session

    async def go(self, start: Sequence[str], path: Sequence[str] = ()) -> Goals:
        """Be where `start` and then `path` have been run and no more. Raises TaskError if a sentence is refused."""
        self.back_to(self.common(start, path))
        for text in [*start, *path][len(self.texts) :]:
            added, *_ = await self._ask(xml.add(text, self._ids[-1]), 1, OPEN_S)
            if not added.good:
                raise TaskError(f"{self.module}: Coq does not read {text[:200]!r}: {added.message}")
            self._ids.append(added.state)
            self.texts.append(text)
        (answer,) = await self._ask(xml.GOAL, 1, OPEN_S)
        if not answer.good:
            message, failed = answer.message, self._after(answer.state)
            self.back_to(failed)
            raise TaskError(f"{self.module}: Coq refuses sentence {failed} of the header: {message}")
        self._start = start
        return answer.goals or Goals()

    async def run(self, text: str, limit_s: float) -> Run:
        """Run one sentence at the tip. Raises TimedOut, Died."""
        added, told = await self._ask(xml.add(text, self._ids[-1]) + xml.GOAL, 2, limit_s)
        used = self._used
        notes = "\n".join(added.messages + told.messages)
        if not added.good:
            return Run(None, added.message, used)
        if not told.good:
            self._back = xml.edit_at(self._ids[-1])
            self.dead = _FULL in told.message  # its heap does not shrink: the next tactic would fail for it, too
            return Run(None, told.message, used)
        self._ids.append(added.state)
        self.texts.append(text)
        return Run(told.goals or Goals(), notes, used)

    async def query(self, text: str, limit_s: float) -> str:
        """What Coq says to `text`, which changes nothing. Raises TimedOut, Died, and ToolError with Coq's own message."""
        (answer,) = await self._ask(xml.query(text, self._ids[-1]), 1, limit_s)
        if not answer.good:
            raise ToolError(answer.message)
        return "\n".join(answer.messages)

    def memory_bytes(self) -> int:
        """What the process holds now; 0 where that can not be told."""
        try:
            return int(Path(f"/proc/{self._talk.line.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        except (OSError, ValueError):
            return 0

    def has_outgrown(self, limit_bytes: int) -> bool:
        """Whether it holds more than that. Looked at now and then: what takes memory takes time."""
        if self._since_weighed < _WEIGH_S:
            return False
        self._since_weighed = 0.0
        return self.memory_bytes() > limit_bytes

    async def close(self) -> None:
        self.dead = True
        self._watch.close()
        await self._talk.close()

    def began_with(self, start: Sequence[str]) -> bool:
        """Whether all of `start` has been run: this very sequence, which need then not be compared."""
        return start is self._start

    def common(self, start: Sequence[str], path: Sequence[str] = ()) -> int:
        """How many sentences of `start` and then `path` need not be run."""
        if self.began_with(start):
            return len(start) + _same(self.texts[len(start) :], path)
        return _same(self.texts, [*start, *path])

    def back_to(self, count: int) -> None:
        """Be after the first `count` sentences; Coq is told with the next call."""
        if count < len(self.texts):
            del self.texts[count:], self._ids[count + 1 :]
            self._back = xml.edit_at(self._ids[-1])
            if count < len(self._start):
                self._start = ()

    def _after(self, state: int) -> int:
        """How many sentences had been run in `state`."""
        return self._ids.index(state) if state in self._ids else 0

    async def _ask(self, call: bytes, count: int, limit_s: float) -> list[xml.Answer]:
        """The answers to `call`, which comes to `count` of them; first go back, if that is due."""
        back, self._back = self._back, b""
        self._watch.start(limit_s)
        try:
            said = await self._say(back + call, count + bool(back))
        except BaseException as error:
            self.dead = True
            if isinstance(error, EOFError):
                raise await self._death() from None
            raise
        finally:
            self._used = self._watch.stop()
            self._since_weighed += self._used
        if self._watch.interrupted:
            await self._recover()
            raise TimedOut(f"it used more than {limit_s:g} s of processor time")
        return said[1:] if back else said

    async def _say(self, data: bytes, count: int) -> list[xml.Answer]:
        self._talk.line.write(data)
        try:
            return xml.answers(await self._talk.line.until(xml.END, count), count)
        except ValueError as error:
            raise SandboxError(str(error), "ambiguous") from None

    async def _recover(self) -> None:
        """After an interrupt: it may come a call too late, so ask until there is a good answer."""
        self._watch.start(GRACE_S)
        try:
            for _ in range(3):
                back, told = await self._say(xml.edit_at(self._ids[-1]) + xml.GOAL, 2)
                if back.good and told.good:
                    return
        except EOFError:
            pass
        finally:
            self._watch.stop()
        await self.close()

    async def _death(self) -> Exception:
        """Why the line went dead."""
        done, _ = await asyncio.wait([self._talk.ended], timeout=30)
        if self._watch.starved:
            return SandboxError(f"the prover got too little of the processor: {self._watch.starved}")
        if self._watch.interrupted:
            return TimedOut("it used too much processor time and could not be interrupted; the prover was started anew")
        if not done:
            return SandboxError("the prover hung up and lives", "ambiguous")
        result = self._talk.ended.result()  # a SandboxError, if the box died
        how = f"killed ({result.killed_by})" if result.killed_by else f"exit code {result.exit_code}"
        said = result.stderr[-300:].decode("utf-8", "replace").strip()
        return Died(f"the prover died: {how}{': ' + said if said else ''}")


def _same(run: Sequence[str], wanted: Sequence[str]) -> int:
    """How many sentences two lists begin with in common."""
    same, most = 0, min(len(run), len(wanted))
    if list(run[:most]) == list(wanted[:most]):
        return most
    while same + 1 < most:  # the first `same` are equal, the first `most` are not
        middle = (same + most) // 2
        if list(run[same:middle]) == list(wanted[same:middle]):
            same = middle
        else:
            most = middle
    return same
