"""What a run looked at: how much was kept, what was refused by which rule and why. Markdown out of outcomes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Outcome:
    """One thing tried: a package, a pair, a whole release as a task, or a hunk. `rule` is empty if it was kept.

    `usable` is a pair of releases whose tests run: nothing to count, but it has the tests that were left out.
    """

    package: str
    subject: str
    rule: str = ""
    detail: str = ""
    left_out: dict[str, str] = field(default_factory=dict)
    usable: bool = False


def markdown(outcomes: list[Outcome]) -> str:
    """The report: totals by rule, then everything by package."""
    refused = Counter(outcome.rule for outcome in outcomes if outcome.rule)
    tests = Counter(rule for outcome in outcomes for rule in outcome.left_out.values())
    tried = [outcome for outcome in outcomes if not outcome.usable]
    kept = [outcome for outcome in tried if not outcome.rule]
    lines = [
        "# What became of every candidate",
        "",
        f"{len(tried)} looked at, {len(kept)} kept, {len(tried) - len(kept)} refused.",
        "",
        *_table("refused by", "times", refused),
        *_table("tests left out by", "tests", tests),
    ]
    for package in sorted({outcome.package for outcome in outcomes}):
        lines += [f"## {package}", ""]
        for outcome in outcomes:
            if outcome.package == package:
                kept_as = "its tests run" if outcome.usable else "kept"
                verdict = f"refused, {outcome.rule}: {_line(outcome.detail)}" if outcome.rule else kept_as
                lines.append(f"- `{outcome.subject}`: {verdict}{_left_out(outcome)}")
        lines.append("")
    return "\n".join(lines)


def _table(what: str, count: str, rows: Counter[str]) -> list[str]:
    if not rows:
        return []
    return [
        f"| {what} | {count} |",
        "|---|---|",
        *(f"| {name} | {number} |" for name, number in rows.most_common()),
        "",
    ]


def _left_out(outcome: Outcome) -> str:
    counts = Counter(outcome.left_out.values())
    named = "; ".join(
        f"{count} {rule}, as {_line(next(id for id, by in outcome.left_out.items() if by == rule))}"
        for rule, count in counts.items()
    )
    return f" (tests left out: {named})" if named else ""


def _line(text: str) -> str:
    return " ".join(text.split()).encode("unicode_escape").decode()[:300]
