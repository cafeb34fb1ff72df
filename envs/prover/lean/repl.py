"""One Lean REPL in a box, spoken to in lean-interact's requests and answers. Knows commands and proof states, no proofs.

The REPL's protocol is JSON with an empty line after each answer.  Lean runs what a tactic tells it to, so it runs in a box
instead of where lean-interact would start it; requests and answers are lean-interact's own types.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any, TypeVar

from lean_interact.interface import BaseREPLQuery, Command, CommandResponse, LeanError, ProofStep, ProofStepResponse
from pydantic import ValidationError

from agentgym.envs.prover.coq.watch import Watch
from agentgym.errors import SandboxError
from agentgym.sandboxes.door import Talk

_END = b"\n\n"
_PAGE = 4096
Answer = TypeVar("Answer", CommandResponse, ProofStepResponse)


class Died(Exception):
    """The process is gone, or was ended for the time it took. Says how; `timed_out` which of the two."""

    def __init__(self, why: str, timed_out: bool) -> None:
        super().__init__(why)
        self.timed_out = timed_out


class Repl:
    """`known`: what its users have in it, environments by header and proof states by problem and path; ends with it."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self._watch = Watch(talk.line.pid, talk.line.abort)
        self.known: dict[Any, int] = {}
        self.dead = False
        self.used_s = 0.0

    async def command(self, text: str, env: int | None, limit_s: float) -> CommandResponse | LeanError:
        """Elaborate commands after environment `env`. Raises Died, SandboxError."""
        return await self._ask(Command(cmd=text, env=env), CommandResponse, limit_s)

    async def tactic(self, text: str, proof_state: int, limit_s: float) -> ProofStepResponse | LeanError:
        """Run one tactic from a proof state, which stays. Raises Died, SandboxError."""
        return await self._ask(ProofStep(tactic=text, proof_state=proof_state), ProofStepResponse, limit_s)

    def memory_bytes(self) -> int:
        """What the process holds now; 0 where that can not be told."""
        try:
            return int(Path(f"/proc/{self._talk.line.pid}/statm").read_text().split()[1]) * _PAGE
        except (OSError, ValueError):
            return 0

    async def close(self) -> None:
        """End the process and its box. Idempotent."""
        self.dead = True
        self._watch.close()
        await self._talk.close()

    async def _ask(self, request: BaseREPLQuery, kind: type[Answer], limit_s: float) -> Answer | LeanError:
        said = json.dumps(request.model_dump(exclude_none=True, by_alias=True), ensure_ascii=False)
        self._watch.start(limit_s)
        try:
            self._talk.line.write(said.encode() + _END)
            answer = json.loads(await self._talk.line.until(_END))
            return LeanError.model_validate(answer) if set(answer) == {"message"} else kind.model_validate(answer)
        except EOFError:
            self.dead = True
            raise await self._death(limit_s) from None
        except (ValueError, ValidationError) as error:
            self.dead = True
            raise SandboxError(f"the Lean REPL broke its protocol: {error}", "ambiguous") from None
        except BaseException:
            self.dead = True
            raise
        finally:
            self.used_s = self._watch.stop()

    async def _death(self, limit_s: float) -> Exception:
        if self._watch.starved:
            return SandboxError(f"Lean got too little of the processor: {self._watch.starved}")
        if self._watch.interrupted:
            return Died(f"it used more than {limit_s:g} s of processor time; Lean was started anew", True)
        done, _ = await asyncio.wait([self._talk.ended], timeout=30)
        if not done:
            return SandboxError("the Lean REPL hung up and lives", "ambiguous")
        result = self._talk.ended.result()
        how = f"killed ({result.killed_by})" if result.killed_by else f"exit code {result.exit_code}"
        return Died(f"Lean died: {how} {result.stderr[-300:].decode('utf-8', 'replace').strip()}".strip(), False)
