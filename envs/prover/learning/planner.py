"""Proofs by subgoals: a planner says what to show on the way, search proves each with the earlier ones assumed.

Xin et al., "BFS-Prover-V2" (arXiv 2509.06493).  A plan is a chain of `assert`s.  Several provers work on a subgoal at once;
the first to prove it publishes its steps, and the others go on from there.  When one is stuck, the planner is asked
again and told what is proved.  The planner is any Policy; what it writes is only a statement, and the whole proof gets
the usual verdict.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace

from agentgym.envs.prover import render
from agentgym.envs.prover.backend import Goal, Problem, State
from agentgym.envs.prover.coq.prover import CoqProver
from agentgym.envs.prover.search import Found, Propose, SearchConfig, Steps, Validate, search_from
from agentgym.envs.prover.tasks import ENV
from agentgym.errors import ToolError
from agentgym.policy import Context, Policy
from agentgym.seeds import derive_seed
from agentgym.tasks import Task
from agentgym.types import Message, Observation

ASK = (
    "You plan a proof in Coq. Say which facts to show first, in the order in which they are shown: one Coq proposition a "
    "line, nothing else. Each may use the earlier ones; together they should make the goal easy."
)
_LINE = re.compile(r"^\s*(?:[-*]\s+|\d+[.)]\s+)?(.*?)\.?\s*$")


@dataclass(slots=True, frozen=True)
class PlanConfig:
    """`plans`: how often the planner is asked; `subgoals`: how many of a plan count. `search`: for one subgoal.

    `opening`: steps before any plan, so that a plan can speak of the theorem's variables; those that fail are left out.
    """

    search: SearchConfig = field(default_factory=SearchConfig)
    plans: int = 3
    subgoals: int = 8
    opening: tuple[str, ...] = ("intros.",)


@dataclass(slots=True)
class Planned:
    """`found` adds up all searches. `proven`: the subgoals that were, in order; `reused`: how often one was not searched."""

    found: Found
    plans: int = 0
    proven: list[str] = field(default_factory=list)
    reused: int = 0


class ProgressCache:
    """What has been proved on the way to one theorem: steps by the goal that they close, shared by all its provers."""

    def __init__(self) -> None:
        self._steps: dict[Goal, Steps] = {}

    def __len__(self) -> int:
        return len(self._steps)

    def steps(self, goal: Goal) -> Steps | None:
        return self._steps.get(goal)

    def publish(self, goal: Goal, steps: Steps) -> None:
        """The first to prove a goal is heard."""
        self._steps.setdefault(goal, steps)

    def forget(self) -> None:
        """After a verdict against it: something here is not what it seemed."""
        self._steps.clear()


async def prove(
    prover: CoqProver,
    problem: Problem,
    planner: Policy,
    provers: Sequence[Propose],
    validate: Validate,
    config: PlanConfig | None = None,
) -> Planned:
    """Plan and search until there is a proof that `validate` accepts, or no plan is left. Raises what these raise."""
    work = _Work(prover, problem, provers, config or PlanConfig())
    await work.open()
    stuck = ""
    while work.planned.plans < work.config.plans and work.planned.found.proof is None:
        plan = await _ask(planner, work, stuck)
        work.planned.plans += 1
        path, stuck = await work.follow(plan)
        if path is None:
            continue
        if await validate(path):
            work.planned.found.proof = path
        else:
            work.planned.found.refused += 1
            work.progress.forget()
            work.planned.proven.clear()
            stuck = "The proof was refused as a whole."
    return work.planned


def lines(text: str, most: int) -> list[str]:
    """The statements of a planner's answer: one a line, without bullets, numbers, fences and full stops."""
    found = [_LINE.sub(r"\1", line) for line in text.splitlines() if not line.strip().startswith("```")]
    return [line for line in found if line][:most]


class _Work:
    """One theorem's chain of subgoals: where it begins, what is proved, what it has cost."""

    def __init__(self, prover: CoqProver, problem: Problem, provers: Sequence[Propose], config: PlanConfig) -> None:
        self.prover, self.problem, self.provers, self.config = prover, problem, provers, config
        self.progress = ProgressCache()
        self.planned = Planned(Found(None))
        self.start = State()

    async def open(self) -> None:
        self.start = (await self.prover.open(self.problem)).state
        for step in self.config.opening:
            self.start = await self._run(self.start, step) or self.start

    async def follow(self, plan: Sequence[str]) -> tuple[Steps | None, str]:
        """The whole proof along a plan; or None, and where it got stuck."""
        state = self.start
        for number, statement in enumerate(plan, 1):
            asserted = await self._run(state, f"assert (step_{number} : {statement}).")
            focused = asserted and await self._run(asserted, "{")
            if focused is None:
                return None, f"Coq does not read this as a proposition: {statement}"
            proved = await self._close(focused)
            after = proved and await self._run(proved, "}")
            if after is None:
                return None, f"No proof was found of: {statement}"
            if statement not in self.planned.proven:
                self.planned.proven.append(statement)
            state = after
        ended = await self._close(state)
        return (ended.path, "") if ended else (None, "The subgoals were proved; the goal was not proved from them.")

    async def _close(self, state: State) -> State | None:
        """The state after all that is focused in `state` was proved."""
        goals = self.prover.goals(state).here
        known = self.progress.steps(goals[0]) if len(goals) == 1 else None
        if known is not None and (reached := await self._replay(state, known)) is not None:
            self.planned.reused += 1
            return reached
        steps = await self._race(state)
        if steps is None:
            return None
        if len(goals) == 1:
            self.progress.publish(goals[0], steps)
        return await self._replay(state, steps)

    async def _race(self, state: State) -> Steps | None:
        """All provers search at once; the steps of the first to end with any."""

        async def believed(proof: Steps) -> bool:
            return True  # the verdict is on the whole

        async def search(propose: Propose) -> Found:
            mine = self.prover.fork()
            return await search_from(mine, self.problem, state, propose, believed, self.config.search)

        racing = {asyncio.create_task(search(propose)) for propose in self.provers}
        try:
            while racing:
                ended, racing = await asyncio.wait(racing, return_when=asyncio.FIRST_COMPLETED)
                founds = [task.result() for task in ended]
                for found in founds:
                    self._pay(found)
                if winner := next((found.proof for found in founds if found.proof is not None), None):
                    return winner[len(state.path) :]
            return None
        finally:
            for task in racing:
                task.cancel()
            await asyncio.gather(*racing, return_exceptions=True)

    async def _replay(self, state: State, steps: Steps) -> State | None:
        for step in steps:
            reached = await self._run(state, step)
            if reached is None:
                return None
            state = reached
        return state

    async def _run(self, state: State, step: str) -> State | None:
        """The state after one step that is no search; None if Coq refuses it."""
        try:
            result = await self.prover.run_tac(state, step, self.config.search.tactic_s)
        except ToolError:
            return None
        self.planned.found.tactics += 1
        self.planned.found.cpu_s += result.cpu_s
        return result.state if result.ok else None

    def _pay(self, found: Found) -> None:
        total = self.planned.found
        self.planned.found = replace(
            total,
            expansions=total.expansions + found.expansions,
            tactics=total.tactics + found.tactics,
            cpu_s=total.cpu_s + found.cpu_s,
            tokens=total.tokens + found.tokens,
        )


async def _ask(planner: Policy, work: _Work, stuck: str) -> list[str]:
    proven = "\n".join(work.planned.proven)
    parts = [
        ASK,
        f"The theorem:\n{work.problem.statement}",
        f"What is left to prove now:\n{render.goals(work.prover.goals(work.start))}",
        f"Proved already, and free to use again:\n{proven}" if proven else "",
        f"The last plan failed. {stuck} Plan anew." if stuck else "",
    ]
    message = Message("user", "\n\n".join(part for part in parts if part))
    shown = Observation((message,), fresh=True, actor="planner")
    task = Task(work.problem.name, ENV, asdict(work.problem))
    context = Context([message], (), shown, task, actor="planner", turn=work.planned.plans)
    context.seed = derive_seed("planner", work.problem.name, work.planned.plans)
    return lines((await planner.act(context))[0].text, work.config.subgoals)
