"""What a proof assistant is to everything else here: open a problem, run tactics from states, know what came of them.

Not a verdict: `finished` says what a session believed, in which an agent's text has run; `verify` decides, elsewhere.
The words are LeanDojo's (open, run_tac, state); states are values, so that a search keeps as many as it likes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Literal

from agentgym.seeds import content_hash

Kind = Literal["open", "finished", "given_up", "error", "timeout", "crash"]


@dataclass(slots=True, frozen=True)
class Problem:
    """A theorem and all that comes before it. Its identity is all of it: another header is another problem.

    `module`: the name of the file that `header` is the beginning of, such as "Coq.Arith.Even".
    """

    module: str
    header: str
    statement: str
    name: str


@dataclass(slots=True, frozen=True)
class Goal:
    """`hypotheses`: lines "name : type", as the prover prints them."""

    hypotheses: tuple[str, ...]
    conclusion: str

    def __str__(self) -> str:
        return "\n".join([*self.hypotheses, "-" * 28, self.conclusion])


@dataclass(slots=True, frozen=True)
class Goals:
    """What is left to prove. `here` is focused; `elsewhere` waits behind bullets and braces."""

    here: tuple[Goal, ...] = ()
    elsewhere: tuple[Goal, ...] = ()
    shelved: tuple[Goal, ...] = ()
    given_up: tuple[Goal, ...] = ()

    @property
    def count(self) -> int:
        """How many goals there are, those given up included."""
        return len(self.here) + len(self.elsewhere) + len(self.shelved) + len(self.given_up)

    @property
    def kind(self) -> Kind:
        if self.here or self.elsewhere or (self.shelved and not self.given_up):
            return "open"
        return "given_up" if self.given_up else "finished"

    @property
    def hash(self) -> str:
        """SHA-256 of what is left to prove, however it was reached."""
        layers = (self.here, self.elsewhere, self.shelved, self.given_up)
        return content_hash([[[list(goal.hypotheses), goal.conclusion] for goal in layer] for layer in layers])


@dataclass(slots=True, frozen=True)
class State:
    """A point in the proof of a problem: the steps that lead there. A value: it holds nothing and is never released."""

    path: tuple[str, ...] = ()


@dataclass(slots=True)
class StepResult:
    """What came of a tactic. `state` and `goals` are those before it unless it is open, finished or given_up.

    `cpu_s` is the prover's own processor time, which does not depend on what else the machine does.
    """

    kind: Kind
    state: State
    goals: Goals
    message: str = ""
    cpu_s: float = 0.0
    wall_s: float = 0.0

    @property
    def ok(self) -> bool:
        return self.kind in ("open", "finished", "given_up")


@dataclass(slots=True)
class Verdict:
    """Whether a proof is one. `assumptions`: what it rests on, by name; `why` it is none."""

    ok: bool
    assumptions: tuple[str, ...] = ()
    why: str = ""
    allowed: tuple[str, ...] = field(default=(), repr=False)


class Prover(ABC):
    """One prover at work on one problem. Not re-entrant. Forks are states: run from whichever you like.

    The tactic's own doing (an error, a loop, a blown memory, a killed prover) is a StepResult.  Raises SandboxError for
    what is not, TaskError for a problem whose header or statement the prover refuses.
    """

    @abstractmethod
    async def open(self, problem: Problem) -> StepResult:
        """Go to the start of `problem`'s proof."""

    @abstractmethod
    async def run_tac(self, state: State, text: str, limit_s: float) -> StepResult:
        """Run exactly one sentence from `state`, for at most `limit_s` seconds of the prover's processor time.

        Raises ToolError if `text` is no single sentence that a proof may hold.
        """

    @abstractmethod
    async def query(self, state: State, text: str, limit_s: float) -> str:
        """What the prover answers to one question (Search, Check, Print, About, Locate) in `state`."""

    @abstractmethod
    def goals(self, state: State) -> Goals:
        """What is left in a state that has been seen. Raises ToolError for any other."""

    @abstractmethod
    def fork(self) -> Prover:
        """Another prover that knows the same states."""
