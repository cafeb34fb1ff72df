"""The library's own proofs as transitions: what a policy can be taught before it has found anything itself.

Replayed tactic by tactic, in training files only. What does not replay to its end is left out whole.
"""

from __future__ import annotations

from collections.abc import Iterable

from agentgym.envs.prover import render
from agentgym.envs.prover.backend import State
from agentgym.envs.prover.coq.pool import Pool
from agentgym.envs.prover.coq.prover import CoqProver
from agentgym.envs.prover.environment import problem_of
from agentgym.envs.prover.learning.transitions import Searched, Transition, TransitionStore
from agentgym.errors import UsageError
from agentgym.tasks import Task

FOCUSING = frozenset("{}-+*")
"""Steps that begin so only say what to look at; they are no tactics to be learnt."""


async def replay(pool: Pool, tasks: Iterable[Task], store: TransitionStore, limit_s: float = 10.0) -> None:
    """Put the tactics of each task's own proof into `store`, as round 0; what is there is not replayed again.

    Raises UsageError for a task that is not for training.
    """
    prover = CoqProver(pool)
    for task in tasks:
        if task.split != "train":
            raise UsageError(f"{task.id} is held out ({task.split}): its proof must not be learnt from")
        if (task.id, 0) in store.searched:
            continue
        found = await _proof(prover, task, limit_s)
        proof = tuple(task.secret["steps"]) if found else None
        store.add(found, Searched(theorem=task.id, round=0, proof=proof, tactics=len(found), cpu_s=0.0))


async def _proof(prover: CoqProver, task: Task, limit_s: float) -> list[Transition]:
    """The tactics of one proof; none if it does not end with nothing left."""
    goals = (await prover.open(problem_of(task))).goals
    state, found = State(), []
    for step in task.secret["steps"]:
        result = await prover.run_tac(state, step, limit_s)
        if result.kind not in ("open", "finished"):
            return []
        if step[0] not in FOCUSING:
            before, after = render.goals(goals), render.goals(result.goals)
            found.append(
                Transition(theorem=task.id, before=before, tactic=step, after=after, kind=result.kind, proved=True)
            )
        state, goals = result.state, result.goals
    return found if goals.kind == "finished" else []
