"""The graph and the tracer, on a module made here: distances worked out by hand, inputs that hang or kill."""

import base64
import json
import subprocess
import sys
import types

import pytest

from agentgym.envs.code.fuzz.parsers import program

TOY = """def parse(text):
    if text:
        if text[0] == "a":
            inner(text)
        return 1
    return 2


def inner(text):
    if "b" in text:
        return 3
    while "h" in text:
        pass
    if "k" in text:
        import os
        os._exit(9)
    if "x" in text:
        raise KeyError(text)
    try:
        int(text)
    except ValueError:
        return 4
"""


@pytest.fixture
def measured(tmp_path):
    """`measured(target, *inputs)`: what the program says of inputs for the toy module, run outside of any box."""
    (tmp_path / "toy.py").write_text(TOY)

    def run(target, *inputs):
        toy = "\nHARNESSES['toy'] = ('toy', lambda text: __import__('toy').parse(text))\n"
        head, tail = program().split("\nif __name__ ==")
        job = {"parser": "toy", "inputs": [base64.b64encode(text.encode()).decode() for text in inputs]}
        done = subprocess.run(
            [sys.executable, "-B", "-c", f"{head}{toy}\nif __name__ =={tail}"],
            input=json.dumps([{**job, "target": target} if target else job]),
            capture_output=True,
            text=True,
            env={"PYTHONPATH": str(tmp_path)},
            check=True,
        )
        return json.loads(done.stdout)[0]["inputs"]

    return run


def distances(results):
    return [result["distance"] for result in results]


def test_distances(measured):
    """To the arc 10 -> 11: the branch's own line is 1 away; line 3 leads to it by lines 4 (the call) and 9 (the entry), line 2 by 3."""
    assert distances(measured([10, 11], "ab", "a", "c", "")) == [0, 1, 4, 5]


def test_an_arc_is_more_than_its_lines(measured):
    """Both lines of 5 -> 6 exist, but no bytecode leads from one to the other."""
    assert distances(measured([2, 6], "", "a")) == [0, 1]


def test_endings(measured):
    results = measured([10, 11], "ab", "ax", "ah", "ak", "a1")
    endings = [result["ending"] for result in results]
    assert endings == ["returned", "raised KeyError", "hangs", "dies", "returned"]
    assert results[2]["distance"] is None and results[3]["distance"] is None


def test_branches_are_choices(measured):
    """A survey counts an arc only where there was another way."""
    ((ending, arcs),) = measured(None, "a1")
    assert ending == "returned" and [10, 12] in arcs and [2, 3] in arcs and [3, 4] in arcs
    assert [5, 6] not in arcs and not any(start == 5 for start, _ in arcs)


def test_the_program_imports_nothing_of_ours():
    module = types.ModuleType("program")
    exec(compile(program(), "program", "exec"), module.__dict__)
    assert "agentgym" not in {name.partition(".")[0] for name in vars(module)}
