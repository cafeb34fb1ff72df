"""What needs no learning: every automation there is, once, at the theorem itself; and CoqHammer's `sauto`.

Both are searches of one expansion, so that the same budget, the same clock and the same verdict hold for them.
`sauto` needs Debian's libcoq-hammer and a line more in the header.  That makes each theorem another problem, and an easier
one: what the line loads can be used.  A file that the line itself would load can not be altered so, and is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from agentgym.envs.prover.backend import Goals, Problem
from agentgym.envs.prover.learning.searching import ProposeFor
from agentgym.envs.prover.policies import AUTOMATION
from agentgym.envs.prover.search import Proposal, Propose

HAMMER = "From Hammer Require Import Tactics.\n"


def once(tactics: Sequence[str] = AUTOMATION) -> ProposeFor:
    """Each tactic as one step that solves the goal or fails, the first first. With one expansion: their union."""
    proposals = [Proposal(f"solve [{tactic}].", -float(place)) for place, tactic in enumerate(tactics)]

    def propose_for(problem: Problem) -> Propose:
        async def propose(goals: Goals) -> list[Proposal]:
            return proposals

        return propose

    return propose_for


def with_hammer(problem: Problem) -> Problem:
    """The same statement after a header that loads CoqHammer's tactics."""
    return replace(problem, header=f"{problem.header}\n{HAMMER}")
