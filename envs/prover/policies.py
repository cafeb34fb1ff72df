"""Scripted policies: the library's own proof, giving up, guessing, and the union of what automation there is."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from agentgym.policy import Context, Scripted
from agentgym.types import Action, ToolCall

AUTOMATION = (
    *("easy", "auto", "eauto", "tauto", "intuition", "congruence", "lia", "firstorder"),
    *("intros; lia", "auto with *", "intros; subst; simpl; auto", "intros; simpl in *; intuition congruence"),
    *("intros; subst; simpl in *; intuition auto with *", "intros; repeat split; auto"),
)
"""One step each, at the theorem itself: the baseline that a prover has to beat. Those that their file does not load fail."""
_GUESSES = (
    *(
        "intros.",
        "simpl.",
        "split.",
        "left.",
        "right.",
        "constructor.",
        "reflexivity.",
        "assumption.",
        "subst.",
        "red.",
    ),
    *("induction 1.", "destruct 1.", "symmetry.", "f_equal.", "-", "{", "}", "exact I.", "intro x.", "discriminate."),
)


def call(context: Context, name: str, **given: Any) -> Action:
    """One assistant message with one call."""
    return Action(calls=(ToolCall(f"call_{context.turn}", name, json.dumps(given)),))


def steps(name: str, plan: Callable[[Context], Sequence[str]]) -> Scripted:
    """A privileged policy that runs the steps of a plan one a turn, then gives up."""

    def play(context: Context) -> Action:
        planned = plan(context)
        if context.turn < len(planned):
            return call(context, "tactic", step=planned[context.turn])
        return call(context, "give_up")

    return Scripted(name, play, privileged=True)


def oracle() -> Scripted:
    """The library's own proof."""
    return steps("oracle", lambda context: context.task.secret["steps"])


def noop() -> Scripted:
    """Gives up at once."""
    return Scripted("noop", lambda context: call(context, "give_up"))


def automation() -> Scripted:
    """Tries what automation Coq has, one after another; what fails leaves the theorem as it was."""
    return steps("automation", lambda context: [f"solve [{tactic}]." for tactic in AUTOMATION])


def random_player(turns: int = 8) -> Scripted:
    """Guesses tactics that need no knowledge, now and then takes one back or asks something."""

    def play(context: Context) -> Action:
        rng = Random(context.seed)
        if context.turn >= turns:
            return call(context, "give_up")
        kind = rng.random()
        if kind < 0.1:
            return call(context, "back", steps=rng.randint(1, 3))
        if kind < 0.2:
            return call(context, "query", command="Search bool.")
        return call(context, "tactic", step=rng.choice(_GUESSES))

    return Scripted("random", play)
