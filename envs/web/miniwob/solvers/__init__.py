"""What a page of MiniWoB++ takes, written down: for each page that has one, the next action from what an agent can see.

Solvers see the instruction, the page as it is shown, and what they did before, and nothing else.
"""

from __future__ import annotations

from agentgym.envs.web.miniwob.solvers import clicking, forms, mail, pointing, searching
from agentgym.envs.web.miniwob.solvers.scene import Solver

SOLVERS: dict[str, Solver] = {
    **forms.SOLVERS,
    **mail.SOLVERS,
    **searching.SOLVERS,
    **pointing.SOLVERS,
    **clicking.SOLVERS,
}
