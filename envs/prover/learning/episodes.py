"""Stored episodes of prover environments as transitions: the same tactics, however they were come by."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from agentgym.envs.prover.backend import Kind
from agentgym.envs.prover.environment import RULES
from agentgym.envs.prover.learning.transitions import Transition
from agentgym.types import Action, Observation, Trajectory

_LEFT = re.compile(r"^(?:Goal 1 of \d+:|No goal is focused\.|No goals left\.)", re.M)
_REFUSED = re.compile(r"(error|timeout|crash): ")


def transitions(trajectories: Iterable[Trajectory], round: int = 0) -> Iterator[Transition]:
    """Every tactic of every episode. Positives are those that were not taken back before a proof that was verified."""
    for trajectory in trajectories:
        yield from _Replayed(trajectory, round).transitions()


@dataclass(slots=True)
class _Replayed:
    """One episode read again: `path` has the places of the tactics that stand, `left` what they leave."""

    trajectory: Trajectory
    round: int
    found: list[Transition] = field(default_factory=list)
    path: list[int] = field(default_factory=list)
    before: list[str] = field(default_factory=list)
    left: str = ""

    def transitions(self) -> list[Transition]:
        turns = self.trajectory.turns
        for place, turn in enumerate(turns):
            if place == 0:
                self.left = _left(_text(turn.observation)) or ""
            last = place + 1 == len(turns)
            answer = self.trajectory.final if last else turns[place + 1].observation
            for name, arguments, reply in _calls(turn.action, answer):
                self._take(name, arguments, reply, turn.action)
        if self.trajectory.success == 1.0:
            for place in self.path:
                self.found[place] = self.found[place].model_copy(update={"proved": True})
        return self.found

    def _take(self, name: str, arguments: dict[str, Any], reply: str, action: Action) -> None:
        if name == "back":
            steps = arguments.get("steps", 1)
            if isinstance(steps, int) and steps > 0 and self.path:
                self.left = self.before[-steps] if steps < len(self.path) else self.before[0]
                del self.path[-steps:], self.before[-steps:]
        elif name == "tactic" and isinstance(arguments.get("step"), str):
            self._tactic(arguments["step"], reply, action)

    def _tactic(self, step: str, reply: str, action: Action) -> None:
        refused, after = _REFUSED.match(reply), _left(reply)
        kind: Kind = "open"
        if refused or after is None:
            kind, after = (refused[1] if refused else "error"), ""  # type: ignore[assignment]
        elif after == "No goals left.":
            kind = "finished"
        sample = action.sample if len(action.calls) <= 1 else None
        self.found.append(
            Transition(
                theorem=self.trajectory.key.task,
                before=self.left,
                tactic=step,
                after=after,
                kind=kind,
                logprob=sum(sample.logprobs) if sample else None,
                tokens=max(1, len(sample.ids)) if sample else 1,
                round=self.round,
            )
        )
        if kind in ("open", "finished"):
            self.path.append(len(self.found) - 1)
            self.before.append(self.left)
            self.left = after


def _calls(action: Action, answer: Observation | None) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Name, arguments and reply of each call; a text is a tactic."""
    messages = answer.messages if answer else ()
    if not action.calls:
        yield "tactic", {"step": action.text}, "\n".join(message.text for message in messages)
    replies = {message.tool_call_id: message.text for message in messages}
    for call in action.calls:
        try:
            arguments = json.loads(call.arguments)
        except ValueError:
            continue
        if isinstance(arguments, dict):
            yield call.name, arguments, replies.get(call.id, "")


def _text(observation: Observation) -> str:
    return "\n".join(message.text for message in observation.messages)


def _left(text: str) -> str | None:
    """What `text` says is left to prove; None if it says nothing of that."""
    shown = _LEFT.search(text)
    return text[shown.start() :].split(f"\n\n{RULES}")[0] if shown else None
