"""The oracle of `web/miniwob-v0`: not privileged. It acts on what any agent sees; pages without a solver it leaves alone."""

from __future__ import annotations

from agentgym.envs.web.miniwob.policies import say
from agentgym.envs.web.miniwob.solvers import SOLVERS
from agentgym.envs.web.miniwob.solvers.scene import WAIT, Call, Scene, Stuck
from agentgym.envs.web.reading import calls_of, page_of, rows_of
from agentgym.policy import Context, Scripted
from agentgym.types import Action


def oracle() -> Scripted:
    """One call a turn, but for repeated keys."""
    return Scripted("oracle", _play)


def _play(context: Context) -> Action:
    return say(context, *next_calls(context))


def next_calls(context: Context) -> list[Call]:
    """What the page's solver would do now; waiting, if it knows nothing."""
    solver = SOLVERS.get(context.task.payload["page"])
    goal = context.messages[0].text.partition("\n")[0]
    try:
        calls = (
            solver(Scene(goal, page_of(context), rows_of(context.messages[0].text), calls_of(context)))
            if solver
            else WAIT
        )
        return calls if isinstance(calls, list) else [calls]
    except (Stuck, StopIteration, IndexError, KeyError, ValueError):
        return [WAIT]
