"""The release gate of everything that is shipped: on one task here, on many every night."""

from __future__ import annotations

import pytest

from agentgym import registry
from agentgym.testing import AuditReport, check_environment

ELSEWHERE = ("swe/bench-v0", "memory/bench-v0")  # their tasks are the user's: audited on tests' own in tests/envs
UNAUDITED = ("prover/lean-files-v0",)  # the user's Lean, problems without an oracle: played in tests/envs/prover/lean
SHIPPED = [id for id in registry.ids() if not id.startswith(("toy/", "example/")) and id not in ELSEWHERE + UNAUDITED]


def assert_passed(report: AuditReport) -> None:
    assert report.problems == []
    assert report.passed
    assert report.oracle.mean == 1.0
    assert report.cheat.max == 0.0


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("id", SHIPPED)
async def test_it_passes_on_one_task(id: str) -> None:
    assert_passed(await check_environment(id, limit=1))


@pytest.mark.nightly
@pytest.mark.timeout(6 * 3600)
@pytest.mark.parametrize("id", SHIPPED)
async def test_it_passes_on_many_tasks(id: str) -> None:
    assert_passed(await check_environment(id, limit=60))
