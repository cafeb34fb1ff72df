"""Mutations and rewrites: one line, always Python, always undone by a rewrite of the broken line."""

from __future__ import annotations

import ast
import bisect
import calendar
import fractions
import heapq
import inspect
import shlex
import string
import textwrap
from collections import Counter
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentgym.envs.swe.mutate import KINDS, LOSSY, Mutation, apply, sites
from agentgym.envs.swe.rewrites import CAP, candidates, repairable

pytestmark = pytest.mark.slow

MODULES = [bisect, calendar, fractions, heapq, shlex, string, textwrap]
SOURCES = [inspect.getsource(module) for module in MODULES]
EVERY = [(source, mutation) for source in SOURCES for mutation in sites(source)]


def test_there_are_many_of_every_kind() -> None:
    counts = Counter(mutation.kind for _, mutation in EVERY)
    assert set(counts) == KINDS and len(EVERY) > 700


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_sites_are_ordered_unique_and_the_same_each_time(module: ModuleType) -> None:
    source = inspect.getsource(module)
    found = sites(source)
    assert found == sorted(set(found)) == sites(source)


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(EVERY))
def test_a_mutation_changes_one_line_and_leaves_python(case: tuple[str, Mutation]) -> None:
    source, mutation = case
    broken = apply(source, mutation)
    assert ast.dump(ast.parse(broken)) != ast.dump(ast.parse(source))
    pairs = zip(source.split("\n"), broken.split("\n"), strict=True)
    assert [number for number, (a, b) in enumerate(pairs, 1) if a != b] == [mutation.line]
    if mutation.kind not in LOSSY:
        assert source.split("\n")[mutation.line - 1] in candidates(broken, mutation.line, None)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(EVERY))
def test_candidates_are_few_distinct_and_never_the_line_itself(case: tuple[str, Mutation]) -> None:
    source, mutation = case
    found = candidates(source, mutation.line)
    line = source.split("\n")[mutation.line - 1]
    assert found == candidates(source, mutation.line) and len(found) <= CAP
    assert line not in found and len(set(found)) == len(found)
    for text in found:
        ast.parse("\n".join([*source.split("\n")[: mutation.line - 1], text, *source.split("\n")[mutation.line :]]))


def test_the_cap_hardly_ever_hides_the_repair() -> None:
    some = [(source, m) for source, m in EVERY if m.kind not in LOSSY][::31]
    assert sum(repairable(source, m) for source, m in some) / len(some) > 0.98


CASES = [
    ("if a < b:\n    pass", {"if a <= b:", "if a > b:", "if not a < b:"}),
    ("if a and b:\n    pass", {"if a or b:", "if not (a and b):"}),
    ("if not (a or b):\n    pass", {"if not (a and b):", "if a or b:"}),
    ("if (a == b):\n    pass", {"if (a != b):", "if not (a == b):"}),
    ("while not x:\n    pass", {"while x:"}),
    ("x = f(a, b, c)", {"x = f(b, a, c)"}),
    ("x = f(b=1)", {"x = f(b=0)", "x = f(b=2)"}),
    ("x = a not  in b", set()),
    ("x = a not in b", {"x = a in b"}),
    ("x = a is None", {"x = a is not None"}),
    ("x += 1", {"x -= 1", "x += 0", "x += 2"}),
    ("x = '%s' % y", set()),
    ("x = y + 'é' + z  # é", {"x = y + 'é' - z  # é"}),
    ("x = True", {"x = False"}),
    ("x = any(y)", {"x = all(y)"}),
    ("x = y.lstrip()", {"x = y.rstrip()"}),
    ("while True:\n    pass", set()),
    ("x = 99", set()),
    ("x = min(a, b)", {"x = max(a, b)"}),
    ("for x in y:\n    continue", set()),
    ("import a", set()),
    ('"""1 + 1"""', set()),
    ("__version__ = (1, 2)", set()),
    ("if TYPE_CHECKING:\n    x = 1", set()),
    ("def f(x: Literal[1]) -> Literal[2]: ...", set()),
    ("x = f'{a + 1}'", set()),
]


@pytest.mark.parametrize(("source", "wanted"), CASES)
def test_rewrites_of_a_line(source: str, wanted: set[str]) -> None:
    assert set(candidates(source, 1)) == wanted


def test_the_sites_of_a_line_are_those_of_the_module_on_that_line() -> None:
    for source in (inspect.getsource(bisect), "@f(1)\ndef g(x=2,\n      y=3): return 4\n"):
        every = sites(source)
        for line in range(1, source.count("\n") + 2):
            assert sites(source, line) == [mutation for mutation in every if mutation.line == line]


def test_what_is_not_python_has_no_candidates() -> None:
    assert candidates("def (:\n", 1) == [] and candidates("x = 1\n", 7) == []


def test_apply_refuses_what_it_does_not_expect() -> None:
    mutation = sites("x = a < b\n")[0]
    with pytest.raises(ValueError, match="does not hold '<'"):
        apply("y = 1 + 2 + 3\n", mutation)
    with pytest.raises(ValueError, match="no line 9"):
        apply("", Mutation(9, 0, "x", "", "", 0))
