"""The demo's report as text. Pure: numbers in, Markdown out; `write` puts both forms into the run's folder."""

from __future__ import annotations

from pathlib import Path

from agentgym.evals.metrics import Rate
from agentgym.trainers.demo.measure import Arm
from agentgym.trainers.demo.run import DemoReport

_NAMES = {"before": "warm start", "after": "GRPO, gated rewards", "control": "imitation continued, equal CPU time"}


def write(report: DemoReport) -> Path:
    """`report.json` and `report.md` in the run's folder; the path of the latter."""
    (report.folder / "report.json").write_text(report.model_dump_json(indent=1))
    path = report.folder / "report.md"
    path.write_text(markdown(report))
    return path


def markdown(report: DemoReport) -> str:
    arms = [report.before, report.after, report.control]
    blind = report.blind
    verdict = "rose with intervals apart" if report.rose else "did NOT rise with intervals apart"
    seconds = ", ".join(f"{name} {value:.0f} s" for name, value in report.seconds.items())
    return "\n".join(
        [
            f"# {report.env}: what a small model learned",
            "",
            f"{report.before.episodes} held-out episodes an arm, sampled at temperature 1; 95 % Wilson intervals.",
            "",
            table(arms),
            "",
            f"Completion and modification {verdict}. GRPO's weights are those of step {report.grpo_step}, which validation chose.",
            "",
            f"Blind search over the same candidates ({blind.candidates:.1f} a line): one drawn at random resolves "
            f"{blind.once:.3f}; trying all of them with the tests at hand, {blind.exhaustive:.3f}. A resolve rate or a "
            "share of right first edits that is no better than drawing at random is protocol, not insight.",
            "",
            f"Time: {seconds}; together {sum(report.seconds.values()):.0f} s.",
            f"Files: {report.folder}",
            "",
        ]
    )


def table(arms: list[Arm]) -> str:
    rows = [
        "| model | completion | modification | resolve | first edit right | by chance | reward | turns |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for arm in arms:
        cells = [_NAMES.get(arm.name, arm.name), *(_told(r) for r in (arm.completion, arm.modification, arm.resolve))]
        chance = "-" if arm.first_edit_chance is None else f"{arm.first_edit_chance:.3f}"
        cells += [_told(arm.first_edit), chance, f"{arm.reward:.2f}", f"{arm.turns:.1f}"]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def _told(rate: Rate | None) -> str:
    return "-" if rate is None else f"{rate.mean:.3f} [{rate.low:.3f}, {rate.high:.3f}]"
