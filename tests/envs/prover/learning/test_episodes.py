"""Episodes of the environment as transitions: the same as a search's, with what was taken back left out of the proof."""

import json

from agentgym.envs.prover.learning.episodes import transitions
from agentgym.envs.prover.specs import STDLIB
from agentgym.policy import Scripted
from agentgym.rollout import collect
from agentgym.types import Action, Sample, ToolCall

TASK = "Coq.Bool.Bool:orb_true_r"


def call(name, **given):
    return Action(calls=(ToolCall("c", name, json.dumps(given)),))


PLAY = [
    Action("intros c.", sample=Sample(0, [], [1, 2], [-0.5, -0.25])),
    call("tactic", step="nonsense."),
    call("tactic", step="revert c."),
    call("back", steps=1),
    Action("no full stop"),
    call("query", command="Check orb."),
    call("tactic", step="now destruct c."),
]


async def test_an_episode_becomes_transitions(runtime):
    spec = STDLIB.configure(provers=1)
    task = await runtime.tasks(spec).get(TASK)
    for plays, proved in ((PLAY, True), (PLAY[:-1], False)):
        policy = Scripted("p", lambda c, plays=plays: plays[c.turn] if c.turn < len(plays) else call("give_up"))
        [trajectory] = [each async for each in collect(spec, policy, [task], runtime=runtime)]
        found = list(transitions([trajectory], round=3))
        told = [(each.tactic, each.kind, each.proved) for each in found]
        assert told[:4] == [
            ("intros c.", "open", proved),
            ("nonsense.", "error", False),
            ("revert c.", "open", False),
            ("no full stop", "error", False),
        ]
        assert told[4:] == ([("now destruct c.", "finished", True)] if proved else [])
        assert (found[0].logprob, found[0].tokens, found[1].logprob) == (-0.75, 2, None)
        assert found[0].before.startswith("Goal 1 of 1:\n") and found[0].before.endswith("b || true = true")
        assert found[1].before == found[0].after == found[2].before == found[3].before
        assert {each.round for each in found} == {3} and found[1].after == ""
