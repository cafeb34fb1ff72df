"""What is an answer, and what it is worth: worked out by hand on one program and its twin."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentgym.envs.code.vuln.answer import Answer, BadAnswer, read_answer
from agentgym.envs.code.vuln.specs import VULN
from agentgym.envs.code.vuln.tasks import VulnTasks
from agentgym.envs.code.vuln.verifier import VulnVerifier
from agentgym.verifier import Evidence

TASKS = VulnTasks(VULN.config, None)


@pytest.fixture
async def twins():
    """A flawed program and its repaired twin, as tasks."""
    first, second = await TASKS.get("train-0"), await TASKS.get("train-1")
    return (first, second) if first.secret["vulnerable"] else (second, first)


async def scores(task, answer, end="submit"):
    text = answer if isinstance(answer, str) else json.dumps(answer)
    given = await VulnVerifier().verify(Evidence(task, {"answer.json": text, "notes": "[]"}, (), end), None)
    return {score.channel: score.value for score in given}


def right(task):
    return json.loads(task.secret["solution"]["answer.json"])


async def test_the_right_answer_gets_everything(twins):
    for task in twins:
        assert await scores(task, right(task)) == {"prediction": 1, "location": 1, "reason": 1, "solved": 1}


async def test_the_right_answer_about_the_twin_gets_nothing(twins):
    for task, twin in (twins, twins[::-1]):
        assert set((await scores(task, right(twin))).values()) == {0}


async def test_a_verdict_without_the_place_is_right_and_not_solved(twins):
    for task in twins:
        bare = {"vulnerable": task.secret["vulnerable"]}
        assert await scores(task, bare) == {"prediction": 1, "location": 0, "reason": 0, "solved": 0}
        far = {**right(task), "line": right(task)["line"] + 40}
        assert (await scores(task, far))["solved"] == 0


async def test_the_dangerous_operation_counts_as_the_place_only_where_it_is_reached(twins):
    flawed, repaired = twins
    file, line, _ = flawed.secret["places"][1]
    assert (await scores(flawed, {**right(flawed), "file": f"./{file}", "line": [line, line + 1]}))["solved"] == 1
    assert (await scores(repaired, {**right(repaired), "file": file, "line": line}))["solved"] == 0


async def test_a_reason_names_what_matters_and_little_else(twins):
    task = twins[0]
    answer, symbols = right(task), task.secret["symbols"]
    assert (await scores(task, {**answer, "reason": ""}))["reason"] == pytest.approx(0.4)
    assert (await scores(task, {**answer, "cwe": "CWE-1", "reason": symbols[0]}))["reason"] == pytest.approx(0.3)
    everything = " ".join(" ".join(task.payload["files"].values()).split())[:1900]
    assert (await scores(task, {**answer, "reason": everything}))["reason"] <= 0.7


async def test_what_is_not_submitted_is_not_read(twins):
    assert set((await scores(twins[0], right(twins[0]), end="turn_limit")).values()) == {0}


BAD = [
    *("", "{", "null", "[]", "true", '"vulnerable"', "{}", '{"vulnerable": 1}', '{"vulnerable": "true"}', "[" * 7000),
    *('{"vulnerable": true, "vulnerable": true}', '{"vulnerable": null}', '{"vulnerable": [true]}', "NaN", "\ud800"),
]
BAD_FIELDS = [
    *({"line": 0}, {"line": -1}, {"line": True}, {"line": 1.0}, {"line": [1]}, {"line": [1, 2, 3]}, {"line": [1, 4]}),
    *({"line": [2, 1]}, {"line": "1"}, {"line": float("inf")}, {"cwe": "22"}, {"cwe": "CWE-22 CWE-89"}, {"cwe": 22}),
    *({"cwe": ["CWE-22"]}, {"reason": "x" * 2001}, {"file": ""}, {"line": None}, {"score": 1}, {"cwe": "CWE-٢٢"}),
]


@pytest.mark.parametrize("text", BAD)
def test_what_is_no_answer_is_refused(text):
    with pytest.raises(BadAnswer):
        read_answer(text)


@pytest.mark.parametrize("change", BAD_FIELDS, ids=str)
def test_bad_fields_are_refused(change):
    good = {"vulnerable": True, "cwe": "CWE-22", "file": "a.py", "line": 3, "reason": "because"}
    assert read_answer(json.dumps(good)) == Answer(True, 22, "a.py", (3, 3), "because")
    with pytest.raises(BadAnswer):
        read_answer(json.dumps({**good, **change}))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["vulnerable", "line", "cwe", "file"]), inner),
)


@given(st.text() | JSON.map(json.dumps))
def test_nothing_else_is_ever_raised(text):
    try:
        assert isinstance(read_answer(text), Answer)
    except BadAnswer as error:
        assert str(error)
