"""Our grading against swebench 5.0.2's own, asked case by case: the same report, or neither believes the log."""

from collections import Counter
from random import Random

import pytest

from agentgym.envs.swe.swebench.eval_script import END, START, with_exit_code
from agentgym.envs.swe.swebench.grading import grade
from agentgym.envs.swe.swebench.parsers import PARSERS, LogError
from tests.envs.swe.swebench import logs

A, B, CUT = "t.py::a", "t.py::b", "t.py::p[log(photon"


def framed(*lines, code=None, after=""):
    tail = f">>>>> Test Exit Code: {code}\n" if code is not None else ""
    return "\n".join([f"+ : '{START}'", *lines, f"+ : '{END}'"]) + "\n" + tail + after


TABLE = {
    "all pass": (framed(f"PASSED {A}", f"PASSED {B}", code=0), True),
    "xfail counts as a pass": (framed(f"XFAIL {A}", f"XFAIL {B}", code=0), True),
    "a skipped test is kept": (framed(f"PASSED {A}", f"SKIPPED {B}"), True),
    "a skipped test is not repaired": (framed(f"SKIPPED {A}", f"PASSED {B}"), False),
    "one fails": (framed(f"PASSED {A}", f"FAILED {B} - x", code=1), False),
    "one errs": (framed(f"ERROR {A}", f"PASSED {B}", code=1), False),
    "one is missing": (framed(f"PASSED {B}"), False),
    "the kept one is missing": (framed(f"PASSED {A}"), False),
    "nothing": (framed(), False),
    "an empty log": ("", False),
    "no start": (framed(f"PASSED {A}", f"PASSED {B}").replace(START, ""), False),
    "no end": (framed(f"PASSED {A}", f"PASSED {B}").replace(END, ""), False),
    "no markers at all": (f"PASSED {A}\nPASSED {B}\n", False),
    "results outside the markers": (framed(after=f"PASSED {A}\nPASSED {B}\n"), True),
    "the patch did not apply": (framed(f"PASSED {A}", f"PASSED {B}") + ">>>>> Patch Apply Failed", False),
    "the reset failed": (framed(f"PASSED {A}", f"PASSED {B}") + ">>>>> Reset Failed", False),
    "the tests erred": (framed(f"PASSED {A}", f"PASSED {B}") + ">>>>> Tests Errored", False),
    "the tests timed out": (framed(f"PASSED {A}", f"PASSED {B}") + ">>>>> Tests Timed Out", False),
    "non-zero exit without a failure": (framed(f"PASSED {A}", f"PASSED {B}", code=1), False),
    "non-zero exit with another test's failure": (framed(f"PASSED {A}", f"PASSED {B}", "FAILED z", code=1), True),
    "non-zero exit, all skipped": (framed(f"SKIPPED {A}", f"SKIPPED {B}", code=5), False),
    "killed": (framed(code=137, after="Killed\n"), False),
    "the last status counts": (framed(f"FAILED {A}", f"PASSED {A}", f"PASSED {B}"), True),
    "carriage returns": (framed(f"PASSED {A}", f"PASSED {B}").replace("\n", "\r\n"), True),
    "colours": (framed(f"\x1b[32mPASSED\x1b[0m {A}", f"\x1b[32mPASSED\x1b[0m {B}"), True),
    "a status that is no word is not counted": (framed(f"PASSED {A}", f"ERROR: {B}"), True),
    "both of them no words": (framed(f"PASSEDx {A}", f"PASSEDx {B}"), True),
    "markers twice": (framed(f"PASSED {A}", f"PASSED {B}") + framed(f"FAILED {A}"), True),
}
CUTS = {
    "cut, one that passes": (framed("PASSED t.py::p[log(photon / s)]"), True),
    "cut, two that agree": (framed("PASSED t.py::p[log(photon / s)]", "XFAIL t.py::p[log(photon * s)]"), True),
    "cut, two that do not": (framed("PASSED t.py::p[log(photon / s)]", "FAILED t.py::p[log(photon * s)]"), False),
    "cut, none": (framed("PASSED t.py::q"), False),
    "cut, skipped first": (framed("SKIPPED t.py::p[log(photon 1]", "FAILED t.py::p[log(photon 2]"), False),
}


def test_the_table(theirs, instance):
    cases = [(instance(), log, wanted, name) for name, (log, wanted) in TABLE.items()]
    cut = instance(FAIL_TO_PASS=[CUT], PASS_TO_PASS=[])
    cases += [(cut, log, wanted, name) for name, (log, wanted) in CUTS.items()]
    cases += [(instance(FAIL_TO_PASS=[]), framed(f"PASSED {B}"), True, "nothing to repair")]
    cases += [(instance(eval_type="fail_only"), log, None, f"fail only: {name}") for name, (log, _) in TABLE.items()]
    compare(theirs, [(each, "a patch", log) for each, log, _, _ in cases])
    for each, log, wanted, name in cases:
        if wanted is not None:
            assert grade(each, "a patch", log).resolved is wanted, name


def test_no_patch_and_an_empty_one(theirs, instance):
    passing = framed(f"PASSED {A}", f"PASSED {B}")
    compare(theirs, [(instance(), None, passing), (instance(), "", passing)])
    assert not grade(instance(), None, passing).resolved
    assert grade(instance(), "", passing).resolved


@pytest.mark.slow
def test_logs_put_together_at_random(theirs, instance):
    rng, cases = Random(20261121), []
    for _ in range(6000):
        each = instance(
            log_parser=rng.choice(sorted(PARSERS)),
            eval_type="pass_and_fail" if rng.random() < 0.8 else "fail_only",
            FAIL_TO_PASS=logs.ids(rng),
            PASS_TO_PASS=logs.ids(rng),
        )
        cases.append((each, rng.choice(("a patch", "a patch", "")), logs.log(rng)))
    resolved = compare(theirs, cases)
    assert 300 < resolved < 5700, "the cases do not tell much"


@pytest.mark.slow
def test_every_parser_on_random_logs(theirs):
    rng = Random(5)
    cases = [(name, logs.body(rng)) for name in sorted(PARSERS) for _ in range(500)]
    kinds: Counter[str] = Counter()
    for (name, log), answer in zip(cases, theirs(parse=cases)["parse"], strict=True):
        try:
            ours = {"statuses": [list(pair) for pair in PARSERS[name](log).items()]}
        except LogError:
            ours = {"error": None}
        if "error" in answer:
            answer["error"] = None
        assert ours == answer, (name, log)
        kinds[name] += bool(ours.get("statuses"))
    assert min(kinds.values()) > 50, kinds


@pytest.mark.nightly
def test_the_whole_package_agrees_and_makes_the_same_script(theirs_whole, instance):
    script = f"#!/bin/bash\nset -uxo pipefail\ncd /testbed\n: '{START}'\npytest -rA\n: '{END}'\ngit checkout x\n"
    rng = Random(6)
    cases = [(instance(eval_script=script, FAIL_TO_PASS=logs.ids(rng)), "a patch", logs.log(rng)) for _ in range(500)]
    asked = [(each.row(), {"instance_id": each.instance_id, "model_patch": patch}, log) for each, patch, log in cases]
    compare(theirs_whole, cases)
    assert theirs_whole(grade=asked[:1])["grade"][0]["script"] == with_exit_code(script)
    scripts = ["#!/bin/bash\necho no markers\n", f"x\n{END}\n{END}\n", "", "\n\nset -uxo pipefail\n", script * 2]
    asked = [
        (instance(eval_script=each or " ").row(), {"instance_id": "owner__name-1", "model_patch": ""}, "")
        for each in scripts
    ]
    answers = theirs_whole(grade=asked)["grade"]
    assert [answer["script"] for answer in answers] == [with_exit_code(each or " ") for each in scripts]


def compare(theirs, cases):
    """Assert that both give the same report for every case; how many are resolved."""
    asked = [
        (each.row(), {"instance_id": each.instance_id, "model_name_or_path": "m", "model_patch": patch}, log)
        for each, patch, log in cases
    ]
    for (each, patch, log), answer in zip(cases, theirs(grade=asked)["grade"], strict=True):
        ours = grade(each, patch, log)
        if "error" in answer:  # it stumbles over the log: no report, which counts as not resolved
            assert not ours.believed and not ours.resolved, (each, log, answer)
        else:
            assert ours.row() == answer["report"], (each, log)
    return sum(grade(*case).resolved for case in cases)
