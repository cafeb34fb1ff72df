"""The verdict: four ordered classes, patches that are no good, foul play, the cache."""

import dataclasses

import pytest

from agentgym.envs.swe import diffs, grading
from agentgym.envs.swe.policies import say
from agentgym.envs.swe.rubric import rubric
from agentgym.envs.swe.specs import RELEASE
from agentgym.envs.swe.verifier import SweVerifier
from agentgym.errors import SandboxError, VerifierError
from agentgym.policy import Scripted
from agentgym.rollout import collect
from agentgym.types import Info, Score
from agentgym.verdict import judge
from agentgym.verifier import Evidence

from .conftest import FIXED, SOURCE, place

ORACLE = diffs.make("mini/core.py", SOURCE, FIXED)
COMMENT = diffs.make("mini/core.py", SOURCE, SOURCE + "# nothing\n")


@pytest.fixture
def verdict(runtime, task, tree, deps):
    """`await verdict(patch)`: values by channel, and the reason of the outcome."""

    async def give(patch, end="submit", verifier=None, **artefacts):
        await place(runtime, task, tree, deps)
        evidence = Evidence(task, {"patch": patch, **artefacts}, (), end)
        scores = await (verifier or SweVerifier()).verify(evidence, runtime)
        return {score.channel: score.value for score in scores}, scores[0].reason

    return give


async def test_the_classes_are_ordered(verdict):
    seen = [
        await verdict(*given)
        for given in ((ORACLE, "turn_limit"), ("", "submit"), (COMMENT, "submit"), (ORACLE, "submit"))
    ]
    assert [values["class"] for values, _ in seen] == [0, 1, 2, 3]
    assert [values["outcome"] for values, _ in seen] == [0, 0, 1, 2]
    assert [values["resolved"] for values, _ in seen] == [0, 0, 0, 1]
    assert [values["completion"] for values, _ in seen] == [0, 1, 1, 1]
    assert [values["modification"] for values, _ in seen] == [0, 0, 1, 1]
    assert seen[3][0]["similarity"] == 1.0 and 0 < seen[2][0]["similarity"] < 1
    assert "test_clamp_low" in seen[2][1] and "turn_limit" in seen[0][1]


async def test_line_ends_are_kept(verdict, tree):
    (tree / "mini/dos.py").write_bytes(b"a = 1\r\nb = 2\r\n")
    values, why = await verdict(diffs.make("mini/dos.py", "a = 1\r\nb = 2\r\n", "a = 1\r\nb = 3\r\n"))
    assert values["class"] == 2 and "does not apply" not in why


async def test_a_broken_other_test_is_no_repair(verdict):
    broken = FIXED.replace("result + value", "result - value")
    values, why = await verdict(diffs.make("mini/core.py", SOURCE, broken))
    assert values["class"] == 2 and "broken: tests/test_core.py::test_total" in why


@pytest.mark.parametrize(
    ("patch", "why"),
    [
        ("complete nonsense", "does not apply"),
        (ORACLE.replace("low:", "lower:"), "does not apply"),
        (ORACLE + ORACLE, "patched twice"),
        (ORACLE[:-20], "does not apply"),
        (diffs.make("mini/core.py/x.py", None, "x = 1\n"), "below a file"),
        (diffs.make("mini", None, "x\n"), "a file and a directory"),
        ("diff --git a/x b/x\nnew file mode 100644\nBinary files /dev/null and b/x differ\n", "binary"),
        ("\0\x01\udcff" * 100, "does not apply"),
    ],
)
async def test_bad_patches_are_scored(verdict, patch, why):
    values, reason = await verdict(patch)
    assert values["class"] == 1 and why in reason


@pytest.mark.slow
@pytest.mark.parametrize(
    "code",
    ["while True: pass", "raise SystemExit", "import os, signal; os.kill(os.getpid(), 9)", "x = 'a' * 10**11", "def ("],
)
async def test_a_candidate_that_hangs_or_dies_is_scored(verdict, code):
    values, why = await verdict(
        diffs.make("mini/core.py", SOURCE, f"{code}\n{SOURCE}"), verifier=SweVerifier(timeout=3, scan=False)
    )
    assert values["class"] == 2 and values["resolved"] == 0 and why


async def test_what_was_left_out_is_named(verdict):
    values, why = await verdict(ORACLE + diffs.make("conftest.py", None, "x = 1\n"), notes='["big.bin: binary"]')
    assert values["resolved"] == 1 and "big.bin: binary" in why and "conftest.py (a test)" in why


async def test_verdicts_are_kept_by_content(verdict, monkeypatch):
    runs = []
    grade = grading.grade

    async def counted(*args, **kwargs):
        runs.append(1)
        return await grade(*args, **kwargs)

    monkeypatch.setattr(grading, "grade", counted)
    first, second = await verdict(ORACLE), await verdict(ORACLE)
    assert first == second and len(runs) == 1
    await verdict(ORACLE, verifier=SweVerifier(cache=False))
    assert len(runs) == 2
    await verdict(COMMENT)
    assert len(runs) == 3


async def test_a_failing_box_is_no_verdict(runtime, task, tree, deps, monkeypatch):
    await place(runtime, task, tree, deps)

    async def broken(*args, **kwargs):
        raise SandboxError("the daemon is gone")

    evidence = Evidence(task, {"patch": ORACLE}, (), "submit")
    monkeypatch.setattr(grading, "grade", broken)
    with pytest.raises(VerifierError, match="daemon"):
        await judge(evidence, SweVerifier(), RELEASE.rubric, runtime, retries=0)
    monkeypatch.undo()
    assert (await judge(evidence, SweVerifier(), RELEASE.rubric, runtime)).record.success == 1, "nothing wrong was kept"


async def test_a_box_that_dies_twice_under_the_tests_is_the_candidates_doing(verdict, monkeypatch):
    async def dies(*args, **kwargs):
        raise SandboxError("gone", "ambiguous")

    monkeypatch.setattr(grading, "grade", dies)
    values, why = await verdict(ORACLE)
    assert values["class"] == 2 and "twice" in why


def test_the_gate_closes_and_opens():
    process = [Score("format", 1.0, 0), Score("edit", 1.0, 0), Score("file", 1.0, 1)]

    def total(outcome, **options):
        scores = [*process, Score("outcome", outcome), Score("resolved", float(outcome == 2))]
        return rubric(**options)(scores, 3).total

    assert total(0.0) == 0.0
    assert total(1.0) == pytest.approx(1.17) and total(2.0) == pytest.approx(2.17)
    assert total(0.0, gated=False) == pytest.approx(0.17)
    assert total(0.0, gated=False, process_weight=5) == pytest.approx(0.85)


async def test_a_whole_episode_pays_what_its_record_says(make, call, deps):
    env = await make(dataclasses.replace(RELEASE, verifier=SweVerifier(values=(-1, 0, 1, 5))), deps=deps, verdict=True)
    await call(env, "edit_line", path="mini/core.py", line=6, text="    if value < low:")
    text, *_ = await call(env, "shell", command="python3 -m pytest -q tests 2>&1 | tail -1")
    assert "4 passed" in text
    *_, info = await call(env, "submit")
    assert isinstance(info, Info) and info.record is not None
    assert info.record.success == 1 and info.record.total == pytest.approx(5 + 3 * 0.02 + 0.05 + 0.10)
    await env.close()


async def test_a_box_lost_to_infrastructure_is_no_reward(runtime, task, tree, deps):
    """Retried on a fresh box, then failed with its cause: never a scored 0."""
    await place(runtime, task, tree, deps)

    async def pull_the_plug(context):
        for box in list(runtime._open):
            await box.close()
        return say(context, ("shell", {"command": "ls"}))

    (done,) = [one async for one in collect(RELEASE, Scripted("plug", pull_the_plug), [task], runtime=runtime)]
    assert done.status == "failed" and done.record is None and "dead" in done.cause
