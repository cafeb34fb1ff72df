"""A run's report, for people (Markdown) and for machines (JSON). It reads a run's folder and computes nothing itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from agentgym.evals.metrics import Rate, Summary, summarise
from agentgym.store import Store, read_json

SCHEMA = 1


def report(folder: Path) -> dict[str, Any]:
    """The report of the run in `folder` as JSON-able data. Raises UsageError if there is no run."""
    manifest = read_json(folder / "manifest.json")
    summary = summarise(Store(folder))
    return {
        "schema": SCHEMA,
        "run": str(folder),
        "env": manifest["environment"]["id"],
        "spec_hash": manifest["environment"]["hash"],
        "policy": manifest["policy"],
        "sandbox": manifest["sandbox"],
        "seed": manifest["seed"],
        **{key: manifest["config"][key] for key in ("split", "suite", "samples") if key in manifest["config"]},
        **summary.model_dump(mode="json"),
    }


def write_report(folder: Path) -> dict[str, Any]:
    """Write `report.json` and `report.md` into a run's folder; the report."""
    content = report(folder)
    (folder / "report.json").write_text(json.dumps(content, indent=1) + "\n")
    (folder / "report.md").write_text(markdown(content))
    return content


def markdown(content: dict[str, Any]) -> str:
    """A report as a page of Markdown."""
    summary = Summary.model_validate({key: content[key] for key in Summary.model_fields})
    lines = [
        f"# {content['env']} — {content['policy']}",
        "",
        f"{summary.episodes} episodes of {summary.tasks} tasks, seed {content['seed']}"
        + (f", sandbox {content['sandbox']['backend']}" if content["sandbox"] else "")
        + f": {summary.scored} scored, {summary.masked} masked, {summary.failed} failed.",
        "",
        "| measure | value |",
        "|---|---|",
        f"| success | {percent(summary.success)} |",
        *(f"| pass@{k} | {value:.1%} |" for k, value in summary.pass_at.items() if k > 1),
        f"| reward | {number(summary.reward)} |",
        f"| turns | {number(summary.turns)} |",
        f"| tool calls that failed | {'–' if summary.call_errors is None else format(summary.call_errors, '.1%')} |",
        *(f"| ended by {name} | {count} |" for name, count in summary.ends.items()),
        *(["", "| channel | mean | paid | gate closed |", "|---|---|---|---|"] if summary.channels else []),
        *(
            f"| {name} | {number(channel.mean)} | {number(channel.paid)} | {channel.closed}/{channel.n} |"
            for name, channel in summary.channels.items()
        ),
    ]
    return "\n".join(lines) + "\n"


def percent(rate: Rate | None) -> str:
    """A rate with its interval, for people."""
    return "–" if rate is None else f"{rate.mean:.1%} [{rate.low:.1%}, {rate.high:.1%}] (n = {rate.n})"


def number(value: float | None) -> str:
    """A number for people; a dash for none."""
    return "–" if value is None else f"{value:.3g}"
