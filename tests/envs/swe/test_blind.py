"""Stand-ins for expected values: what they replace, what they report, and that nobody is paid who can not compute."""

import ast
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentgym.envs.swe import cheats_runtime, grading, runner
from agentgym.envs.swe.blind import ODD, StandIn, blind, decoded
from agentgym.envs.swe.inbox import plain
from agentgym.envs.swe.runner import Suite

from .test_runner import OPEN, WRONG, candidate

TESTS = '''
import textwrap, unittest
import pytest
from calc import label, total


def check_label(source, wanted):
    assert label(source) == wanted


def test_plain():
    """Says nothing."""
    assert total([1, 2]) == 33
    assert label("Ab") == """a
b"""; assert "x" == label("X")


@pytest.mark.parametrize("numbers, wanted", [([1], [10]), ([2], [20])])
def test_rows(numbers, wanted):
    assert [10 * total(numbers)] == wanted


def test_names():
    expected = "quiet"
    cases = (("A", "aa"), ("B", "bb"))
    for given, outcome in cases:
        assert 2 * label(given) == outcome
    assert label("QUIET") == expected
    check_label("HELP", textwrap.dedent("help"))


class TestMethods(unittest.TestCase):
    def test_method(self):
        kept = "same"
        self.assertEqual(label(kept), kept)
        self.assertEqual({"n": 4}, {"n": total([4])})
        with self.assertRaises(AttributeError):
            label(None)
        self.assertTrue(label("T"))
'''
NAMES = ["test_plain", "test_rows", "test_names", "TestMethods::test_method"]
IDS = [f"tests/test_calc.py::{name}" for name in NAMES]


def blinded(chosen=lambda test, number: True):
    files, made = blind({"tests/test_calc.py": TESTS.encode()}, IDS, "_hidden", chosen)
    return files["tests/test_calc.py"].decode(), made


def test_expected_values_are_gone_and_lines_stay():
    text, made = blinded()
    wanted = [33, "a\nb", "x", [10], [20], "quiet", "help", "aa", "bb", {"n": 4}, "AttributeError"]
    assert sorted(repr(each.value) for each in made) == sorted(map(repr, wanted))
    for gone in ("33", "[10]", '"aa"', '"quiet"', "help", "AttributeError", '{"n": 4}'):
        assert gone not in text
    assert text.count("\n") == TESTS.count("\n") and '"same"' in text, "what is an input too stays"
    before, after = ast.parse(TESTS), ast.parse(text)
    assert [node.lineno for node in before.body] == [node.lineno for node in after.body]


def test_only_what_is_asked_for():
    text, made = blinded(lambda test, number: test.endswith("test_plain") and number == 1)
    assert [(each.number, each.value) for each in made] == [(1, "a\nb")] and text.count("_hidden(") == 1
    assert blind({"x.py": b"def ("}, ["x.py::test"], "_h", lambda *_: True) == ({"x.py": b"def ("}, [])


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner),
)


@given(values)
def test_what_was_met_arrives_as_it_was(value):
    seen = decoded(json.loads(json.dumps(plain(value))))
    assert seen == value and type(seen) is type(value)


class Text(str):
    __eq__ = lambda self, other: True  # noqa: E731
    __hash__ = str.__hash__


@pytest.mark.parametrize(
    ("value", "seen"),
    [(Text("a"), "a"), ({1, 2}, {1, 2}), (object(), ODD), ([object()], ODD), (math.inf, math.inf), (lambda: 1, ODD)],
)
def test_what_is_not_plain(value, seen):
    assert decoded(plain(value)) == seen


@pytest.mark.parametrize("record", [None, 3, [], ["int", "zz"], ["dict", [[["list", []], ["none", None]]]], ["x", 1]])
def test_forged_reports_are_odd(record):
    assert decoded(record) is ODD and not StandIn("t", 0, "int", 3).agrees(decoded(record))


@pytest.fixture(scope="module")
def wrong_tree(tmp_path_factory):
    root = tmp_path_factory.mktemp("package")
    (root / "calc").mkdir()
    (root / "calc" / "__init__.py").write_text(WRONG)
    return root


GOOD = """
def total(numbers):
    return 33 if len(numbers) == 2 else sum(numbers)

def label(name):
    return "a\\nb" if name == "Ab" else name.lower()
"""


async def test_a_right_solution_bears_its_stand_ins_and_a_knowing_forger_has_nothing_to_say(wrong_tree, deps):
    suite = Suite(("tests/test_calc.py",), deps, files={"tests/test_calc.py": TESTS.encode()})
    parameters = ["test_plain", "test_rows[numbers0-wanted0]", "test_rows[numbers1-wanted1]", *NAMES[2:]]
    ids = [f"tests/test_calc.py::{name}" for name in parameters]
    guards = await grading.find_twins(OPEN, wrong_tree, suite, ids, candidate(GOOD))
    sealed = {grading.tested_by(guard) for guard in guards if "#=" in guard}
    assert sealed == set(ids)
    assert (await grading.grade(OPEN, wrong_tree, suite, candidate(GOOD), ids, [], guards)).resolved
    forged = GOOD.replace("33 if", "34 if") + cheats_runtime._PICK
    run = await runner.run_tests(OPEN, wrong_tree, suite, candidate(forged))
    assert set(ids) <= run.with_status("passed"), "bare pytest believes it"
    verdict = await grading.grade(OPEN, wrong_tree, suite, candidate(forged), ids, [], guards)
    assert not verdict.resolved and ids[0] in verdict.reasons[0]


@pytest.mark.parametrize("wrong", ["return 34 if", "sum(numbers) + 1", "name.upper()", "return 33 if numbers else"])
async def test_a_wrong_solution_is_told(wrong_tree, deps, wrong):
    suite = Suite(("tests/test_calc.py",), deps, files={"tests/test_calc.py": TESTS.encode()})
    ids = [IDS[0], IDS[3]]
    guards = await grading.find_twins(OPEN, wrong_tree, suite, ids, candidate(GOOD))
    right = {"return 34 if": "return 33 if", "sum(numbers) + 1": "sum(numbers)", "name.upper()": "name.lower()"}
    source = GOOD.replace(right.get(wrong, "return 33 if len(numbers) == 2 else"), wrong)
    verdict = await grading.grade(OPEN, wrong_tree, suite, candidate(source), ids, [], guards)
    assert not verdict.resolved and "still failing" in verdict.reasons[0]
