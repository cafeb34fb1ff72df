"""One stored episode as a person reads it: what was seen, said, called and answered, and what it was worth."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.rule import Rule

from agentgym.types import Action, Observation, RewardRecord, Trajectory, Turn

_LONGEST = 2_000
_COLOURS = {"system": "dim", "user": "cyan", "tool": "green", "assistant": "magenta"}


def show(console: Console, trajectory: Trajectory) -> None:
    """Print the whole episode."""
    key = trajectory.key
    console.print(Rule(f"{trajectory.spec} · {key.task} · sample {key.sample}"))
    for index, turn in enumerate(trajectory.turns):
        _show_observation(console, turn.observation)
        _show_action(console, turn.action, index)
        _show_outcome(console, turn)
    if trajectory.final is not None:
        _show_observation(console, trajectory.final)
    cause = f": {escape(trajectory.cause)}" if trajectory.cause else ""
    console.print(f"[bold]{trajectory.status}[/], ended by {trajectory.end or 'failure'}{cause}")
    if trajectory.record is not None:
        _show_record(console, trajectory.record)


def _show_observation(console: Console, observation: Observation) -> None:
    if observation.fresh:
        console.print("[dim]— a fresh context —[/]")
    for message in observation.messages:
        _text(console, message.role, message.text or "[binary content]", _COLOURS[message.role])


def _show_action(console: Console, action: Action, index: int) -> None:
    if action.reasoning:
        _text(console, f"turn {index}, thinks", action.reasoning, "dim")
    if action.text:
        _text(console, f"turn {index}, says", action.text, "magenta")
    for call in action.calls:
        _text(console, f"turn {index}, calls", f"{call.name} {call.arguments}", "bold magenta")


def _show_outcome(console: Console, turn: Turn) -> None:
    for score in turn.info.scores:
        why = f" ({score.reason})" if score.reason else ""
        console.print(f"  [yellow]score[/] {escape(score.channel)} = {score.value}{escape(why)}")
    for result in turn.info.calls:
        if not result.ok:
            console.print(f"  [red]{escape(result.name)} failed[/]")


def _show_record(console: Console, record: RewardRecord) -> None:
    console.print(f"success [bold]{record.success:g}[/], reward {record.total:.4g}")
    for channel in record.channels:
        value = "missing" if channel.value is None else f"{channel.value:.4g}"
        gate = f", gate {channel.gate} by {', '.join(channel.closed_by)}" if channel.gate == "closed" else ""
        reasons = f" ({'; '.join(channel.reasons)[:300]})" if channel.reasons else ""
        said = f"  {channel.name} ({channel.kind}): {value}, paid {channel.paid:.4g}{gate}{reasons}"
        console.print(escape(said), soft_wrap=True)


def _text(console: Console, who: str, text: str, style: str) -> None:
    if len(text) > _LONGEST:
        text = f"{text[: _LONGEST // 2]}\n[… {len(text) - _LONGEST} characters …]\n{text[-_LONGEST // 2 :]}"
    printable = "".join(c if c.isprintable() or c in "\n\t" else "�" for c in text)
    console.print(f"[{style}]{who}[/]")
    console.print(Padding(escape(printable), (0, 0, 0, 2)))
