"""One coqidetop in a box: sentences in, goals out, back to earlier sentences, and never longer than it may.

Knows sentences and state ids, not problems (`prover.py`) nor who shares it (`pool.py`).  The time of a call is the
processor time that coqidetop itself has used, so that no outcome changes because the machine is busy.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from agentgym.envs.prover.backend import Goals
from agentgym.envs.prover.coq import xml
from agentgym.errors import SandboxError, TaskError, ToolError
from agentgym.sandboxes.door import Talk

PROGRAM = "coqidetop.opt"
ARGUMENTS = ("-q", "-main-channel", "stdfds", "--xml_format=Ppcmds", "-async-proofs", "off", "-w", "none")
ENV = {"OCAMLRUNPARAM": "s=1M"}
"""A small minor heap: two thirds of the memory go (233 to 142 MB with a few libraries), at the same speed."""
OPEN_S = 300.0
_FULL = "Out of memory"
_GRACE_S = 2.0
_WEIGH_S = 0.2
_STARVED_S = 60.0
_STARVED_TIMES = 30.0


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
        self._meter = _meter(talk.line.pid)
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

    async def go(self, texts: Sequence[str]) -> Goals:
        """Be where exactly `texts` have been run, from where they first differ. Raises TaskError if one is refused."""
        self.back_to(self.common(texts))
        for text in texts[len(self.texts) :]:
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
        if self._meter is not None:
            os.close(self._meter)
            self._meter = None
        await self._talk.close()

    def common(self, texts: Sequence[str]) -> int:
        """How many of `texts` need not be run."""
        same, most = 0, min(len(self.texts), len(texts))
        if self.texts[:most] == list(texts[:most]):
            return most
        while same + 1 < most:  # the first `same` are equal, the first `most` are not
            middle = (same + most) // 2
            if self.texts[same:middle] == list(texts[same:middle]):
                same = middle
            else:
                most = middle
        return same

    def back_to(self, count: int) -> None:
        """Be after the first `count` sentences; Coq is told with the next call."""
        if count < len(self.texts):
            del self.texts[count:], self._ids[count + 1 :]
            self._back = xml.edit_at(self._ids[-1])

    def _after(self, state: int) -> int:
        """How many sentences had been run in `state`."""
        return self._ids.index(state) if state in self._ids else 0

    async def _ask(self, call: bytes, count: int, limit_s: float) -> list[xml.Answer]:
        """The answers to `call`, which comes to `count` of them; first go back, if that is due."""
        back, self._back = self._back, b""
        clock = _Clock(self, limit_s)
        try:
            said = await self._say(back + call, count + bool(back))
        except BaseException as error:
            self.dead = True
            if isinstance(error, EOFError):
                raise await self._death(clock) from None
            raise
        finally:
            self._used = clock.stop()
            self._since_weighed += self._used
        if clock.interrupted:
            await self._recover()
            raise TimedOut(f"it used more than {limit_s:g} s of processor time")
        return said[1:] if back else said

    async def _say(self, data: bytes, count: int) -> list[xml.Answer]:
        self._talk.line.write(data)
        try:
            found = xml.answers(await self._talk.line.until(xml.END, count))
        except ValueError as error:
            raise SandboxError(str(error), "ambiguous") from None
        if len(found) != count:
            raise SandboxError(f"the prover gave {len(found)} answers instead of {count}", "ambiguous")
        return found

    async def _recover(self) -> None:
        """After an interrupt: it may come a call too late, so ask until there is a good answer."""
        clock = _Clock(self, _GRACE_S)
        try:
            for _ in range(3):
                back, told = await self._say(xml.edit_at(self._ids[-1]) + xml.GOAL, 2)
                if back.good and told.good:
                    return
        except EOFError:
            pass
        finally:
            clock.stop()
        await self.close()

    async def _death(self, clock: _Clock) -> Exception:
        """Why the line went dead."""
        done, _ = await asyncio.wait([self._talk.ended], timeout=30)
        if clock.starved:
            return SandboxError(f"the prover got too little of the processor: {clock.starved}")
        if clock.interrupted:
            return TimedOut("it used too much processor time and could not be interrupted; the prover was started anew")
        if not done:
            return SandboxError("the prover hung up and lives", "ambiguous")
        result = self._talk.ended.result()  # a SandboxError, if the box died
        how = f"killed ({result.killed_by})" if result.killed_by else f"exit code {result.exit_code}"
        said = result.stderr[-300:].decode("utf-8", "replace").strip()
        return Died(f"the prover died: {how}{': ' + said if said else ''}")

    def _cpu(self) -> float:
        """Seconds of processor time so far; wall time where the process can not be seen from here."""
        try:
            return int(os.pread(self._meter, 64, 0).split()[0]) / 1e9 if self._meter is not None else monotonic()
        except (OSError, ValueError, IndexError):
            return monotonic()

    def _interrupt(self) -> None:
        pid = self._talk.line.pid
        try:
            if pid <= 0 or self._talk.ended.done():
                raise ProcessLookupError
            os.kill(pid, signal.SIGINT)
        except OSError:
            self._talk.line.abort()


def _meter(pid: int) -> int | None:
    """Where the kernel counts the processor time of a process."""
    try:
        return os.open(f"/proc/{pid}/schedstat", os.O_RDONLY | os.O_CLOEXEC) if pid > 0 else None
    except OSError:
        return None


class _Clock:
    """Interrupts a call when its time is used up, and ends the session if that does not help."""

    def __init__(self, session: Session, limit_s: float) -> None:
        self.interrupted = False
        self.starved = ""
        self._session, self._limit = session, limit_s
        self._cpu, self._began = session._cpu(), monotonic()
        self._patience = _STARVED_S + _STARVED_TIMES * limit_s
        self._timer = asyncio.get_running_loop().call_later(limit_s, self._due)

    def stop(self) -> float:
        """Stop counting. The processor seconds since it began."""
        self._timer.cancel()
        return max(0.0, self._session._cpu() - self._cpu)

    def _due(self) -> None:
        used, passed = self._session._cpu() - self._cpu, monotonic() - self._began
        left = self._limit - used + (_GRACE_S if self.interrupted else 0.0)
        if left <= 0 and self.interrupted:
            self._session._talk.line.abort()
            return
        if left <= 0:
            self.interrupted = True
            self._session._interrupt()
        elif passed > self._patience:
            self.starved = f"{used:.1f} s in {passed:.0f} s"
            self._session._talk.line.abort()
            return
        self._timer = asyncio.get_running_loop().call_later(max(left, 0.05), self._due)
