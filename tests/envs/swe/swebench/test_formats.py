"""Instances and predictions, in and out: what is read is what was written, and what is wrong is named by its line."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentgym.envs.swe.swebench import instance as instances
from agentgym.envs.swe.swebench import predictions
from agentgym.envs.swe.swebench.instance import Instance, filled, image_name
from agentgym.envs.swe.swebench.predictions import Prediction
from agentgym.errors import TaskError
from agentgym.types import EpisodeKey, Trajectory

CLASSIC = {
    "repo": "pallets/flask",
    "instance_id": "pallets__flask-5014",
    "base_commit": "7ee9ceb71e868944a46e1ff00b506772a53a4f1d",
    "patch": "diff --git a/src/flask/blueprints.py b/src/flask/blueprints.py\n",
    "test_patch": "diff --git a/tests/test_blueprints.py b/tests/test_blueprints.py\n--- a/x\n+++ b/x\n",
    "problem_statement": "Require a non-empty name for Blueprints",
    "hints_text": "",
    "created_at": "2023-03-04T18:36:21Z",
    "version": "2.3",
    "FAIL_TO_PASS": '["tests/test_blueprints.py::test_empty_name_not_allowed"]',
    "PASS_TO_PASS": '["tests/test_blueprints.py::test_dotted_name_not_allowed"]',
    "environment_setup_commit": "182ce3dd15dfa3537391c3efaf9c3ff407d134d4",
    "difficulty": "<15 min fix",
}


def lines(path, *rows):
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return path


def test_a_classic_row_comes_back_as_it_was(tmp_path):
    [read] = instances.read(lines(tmp_path / "in.jsonl", CLASSIC))
    assert read.FAIL_TO_PASS == ["tests/test_blueprints.py::test_empty_name_not_allowed"]
    assert read.missing == ["image", "eval_script", "log_parser", "eval_type"]
    assert instances.write(tmp_path / "out.jsonl", [read]) == 1
    assert json.loads((tmp_path / "out.jsonl").read_text()) == CLASSIC


def test_lists_and_text_are_the_same(tmp_path):
    row = CLASSIC | {name: json.loads(CLASSIC[name]) for name in ("FAIL_TO_PASS", "PASS_TO_PASS")}
    assert Instance.model_validate(row) == Instance.model_validate(CLASSIC)
    assert instances.read(lines(tmp_path / "list.json", [row])) == instances.read(lines(tmp_path / "x.jsonl", CLASSIC))


def test_a_classic_row_is_filled_for_5x():
    row = filled(Instance.model_validate(CLASSIC))
    assert row.image == "swebench/sweb.eval.x86_64.pallets_1776_flask-5014:latest"
    assert (row.log_parser, row.eval_type, row.missing) == ("parse_log_flask", "pass_and_fail", [])
    assert "pytest -rA tests/test_blueprints.py\n" in row.eval_script
    assert filled(row) == row


@pytest.mark.parametrize("repo", ["django/django", "sympy/sympy", "sphinx-doc/sphinx"])
def test_what_can_not_be_filled_is_said(repo):
    with pytest.raises(TaskError, match=f"{repo} does not run its tests with plain pytest"):
        filled(Instance.model_validate(CLASSIC | {"repo": repo}))


def test_an_unknown_parser_is_told_which_there_are():
    with pytest.raises(TaskError, match=r"no log parser 'parse_log_karma'.*parse_log_django"):
        filled(Instance.model_validate(CLASSIC | {"log_parser": "parse_log_karma"}))


@given(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,40}", fullmatch=True))
def test_image_names_are_what_a_registry_takes(id):
    name = image_name(id)
    assert "__" not in name and name == name.lower()


@pytest.mark.parametrize(
    "bad, said",
    [
        ("{", "line 2, column 2: not JSON"),
        ("[]", "line 2: must be an object, not list"),
        ({**CLASSIC, "instance_id": "two words"}, r"line 2 \('two words'\): field instance_id"),
        ({**CLASSIC, "instance_id": "line\nfeed"}, r"line 2 \('line\\nfeed'\): field instance_id"),
        ({**CLASSIC, "instance_id": "ends\n"}, "field instance_id"),
        ({**CLASSIC, "instance_id": "../up"}, "field instance_id"),
        ({**CLASSIC, "instance_id": ""}, "field instance_id"),
        ({**CLASSIC, "FAIL_TO_PASS": "[1"}, "field FAIL_TO_PASS: Value error, text that is not JSON"),
        ({**CLASSIC, "FAIL_TO_PASS": [1]}, "field FAIL_TO_PASS.0"),
        ({**CLASSIC, "eval_type": "sometimes"}, "field eval_type"),
        ({key: value for key, value in CLASSIC.items() if key != "patch"}, "field patch: Field required"),
        (CLASSIC, "line 2: a second instance is called 'pallets__flask-5014'"),
        ("[" * 100_000, "line 2: not JSON that can be read|line 2, column"),
    ],
)
def test_a_bad_line_is_named(tmp_path, bad, said):
    with pytest.raises(TaskError, match=said):
        instances.read(lines(tmp_path / "in.jsonl", CLASSIC, bad))


def test_files_that_can_not_be_read(tmp_path):
    with pytest.raises(TaskError, match="can not be read: No such file"):
        instances.read(tmp_path / "none.jsonl")
    (tmp_path / "latin.jsonl").write_bytes(b"{}\n\xff\n")
    with pytest.raises(TaskError, match="line 2: not UTF-8 text at byte 0"):
        instances.read(tmp_path / "latin.jsonl")
    (tmp_path / "number.json").write_text("3")
    with pytest.raises(TaskError, match="must hold a list or an object, not int"):
        instances.read(tmp_path / "number.json")


text = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@given(st.dictionaries(text.filter(bool), st.tuples(text, st.none() | text), max_size=5))
def test_predictions_survive_every_form(tmp_path_factory, given_):
    folder = tmp_path_factory.mktemp("predictions")
    made = {
        id: Prediction(instance_id=id, model_name_or_path=name, model_patch=patch)
        for id, (name, patch) in given_.items()
    }
    predictions.write(folder / "p.jsonl", made.values())
    (folder / "list.json").write_text(json.dumps([each.model_dump() for each in made.values()]))
    (folder / "dict.json").write_text(json.dumps({id: each.model_dump() for id, each in made.items()}))
    for name in ("p.jsonl", "list.json", "dict.json"):
        assert predictions.read(folder / name) == made


def test_bad_predictions_are_named(tmp_path):
    good = {"instance_id": "a", "model_name_or_path": "m", "model_patch": None}
    for bad, said in (
        ({"model_patch": ""}, "instance_id"),
        (good | {"model_patch": 3}, "model_patch"),
        (good, "second"),
    ):
        with pytest.raises(TaskError, match=f"line 3.*{said}"):
            predictions.read(lines(tmp_path / "p.jsonl", good, "", bad))


def test_predictions_of_a_store():
    def ended(task, end, sample=0, status="scored", **artefacts):
        key = EpisodeKey("run", task, sample)
        return Trajectory(key, "swe/bench-v0", "", 0, task, [], status, end, artefacts=artefacts)

    made = predictions.of_trajectories(
        [
            ended("a", "submit", patch="diff"),
            ended("a", "submit", sample=1, patch="other"),
            ended("b", "turn_limit", patch="diff"),
            ended("c", "submit", patch=""),
            ended("d", "", status="failed"),
        ],
        "model",
    )
    assert [(each.instance_id, each.model_patch) for each in made] == [("a", "diff"), ("b", None), ("c", "")]
