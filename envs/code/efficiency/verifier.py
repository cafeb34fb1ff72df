"""The verdict on a program: first whether it is right on hidden inputs, then what it costs against the reference.

After ACECode (arXiv 2412.17264), whose constants are not known: all numbers here are ours.  Program and reference are
measured by the same meter in the same fresh box, one after the other; the results are compared in the driver.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from agentgym.envs.code.efficiency.tasks import FILE, FUNCTION, meter_text
from agentgym.envs.code.verifier import Bench, CodeVerifier, Judgement, trouble
from agentgym.errors import VerifierError
from agentgym.sandboxes.sandbox import Sandbox
from agentgym.tasks import Task

SLACK = 1.0
_PYTHON = ("python3", "-s", "-S", "-P", "-c")
_MOST_OUTPUT = 4 << 20


class EfficiencyVerifier(CodeVerifier):
    """Metrics: "correct" in {0, 1}, and "ratio", the cost over the reference's (only of correct programs).

    Wrong is worth 0. Right is worth `right` and, times the rest up to 1, (1 + slack) * reference / cost, at most 1; it is
    solved if the cost is at most (1 + slack) times the reference's.  A program is stopped at `budget` times the
    reference's cost or at `most` units, or after `timeout` seconds: then it is not right.
    """

    name: ClassVar[str] = "efficiency"

    def __init__(
        self,
        slack: float = SLACK,
        *,
        right: float = 0.2,
        budget: int = 200,
        most: int = 8_000_000,
        timeout: float = 60.0,
    ) -> None:
        self._slack, self._right, self._budget, self._most, self._timeout = slack, right, budget, most, timeout

    async def judge(self, task: Task, files: Mapping[str, str], bench: Bench) -> Judgement:
        async with bench.open_box(bench.spec) as box:
            reference, why = await self._measure(box, task, next(iter(task.secret["solution"].values())), 1 << 40)
            if why:
                raise VerifierError(f"the reference of {task.id} can not be measured: {why}")
            budget = max(min(self._budget * reference["cost"], self._most), 4 * reference["cost"])
            mine, why = await self._measure(box, task, files[FILE], budget)
        if not why and mine["results"] != reference["results"]:
            wrong = sum(a != b for a, b in zip(mine["results"], reference["results"], strict=True))
            why = f"wrong on {wrong} of {len(reference['results'])} hidden inputs"
        if why:
            return Judgement(0.0, 0.0, why, {"correct": 0.0})
        ratio = mine["cost"] / reference["cost"]
        share = min(1.0, (1 + self._slack) / ratio)
        reason = f"right at {ratio:.2f} times the reference's cost"
        outcome = self._right + (1 - self._right) * share
        return Judgement(outcome, float(share == 1.0), reason, {"correct": 1.0, "ratio": ratio})

    async def _measure(self, box: Sandbox, task: Task, source: str, budget: int) -> tuple[dict[str, Any], str]:
        """What the meter says of a program, and why that is no measurement ("" if it is one)."""
        calls = task.secret["calls"]
        job = {"source": source, "function": FUNCTION, "calls": calls, "budget": budget}
        done = await box.exec(
            [*_PYTHON, meter_text()],
            cwd="/",
            env={"PYTHONHASHSEED": "0"},
            stdin=json.dumps(job).encode(),
            timeout=self._timeout,
            max_output=_MOST_OUTPUT,
        )
        if why := trouble(done, self._timeout):
            return {}, why
        try:
            told: dict[str, Any] = json.loads(done.stdout)
        except ValueError:
            return {}, "the program broke the meter's output"
        if told["error"]:
            return {}, str(told["error"])
        complete = len(told["results"]) == len(calls) and isinstance(told["cost"], int) and told["cost"] > 0
        return told, "" if complete else "the program broke the meter"
