"""memory/bench: the three formats from files, made here in their shapes; what is wrong in a file is told with its place."""

import json

import pytest

from agentgym.envs.memory.bench.specs import BENCH
from agentgym.errors import TaskError, UsageError
from agentgym.testing import check_environment

LOCOMO = {
    "sample_id": "conv-1",
    "conversation": {
        "speaker_a": "Ada",
        "speaker_b": "Bea",
        "session_2_date_time": "1:10 pm on 9 May, 2023",
        "session_2": [{"speaker": "Bea", "dia_id": "D2:1", "text": "I ran a race.\nTwice!", "blip_caption": "a medal"}],
        "session_1_date_time": "1:56 pm on 8 May, 2023",
        "session_1": [{"speaker": "Ada", "dia_id": "D1:1", "text": "I paint lakes."}],
    },
    "qa": [
        {"question": "What does Ada paint?", "answer": "lakes", "evidence": ["D1:1"], "category": 4},
        {"question": "How often did Bea run?", "answer": 2, "category": 2},
        {"question": "What does Bea paint?", "adversarial_answer": "lakes", "category": 5},
    ],
}
LONGMEMEVAL = {
    "question_id": "e47",
    "question_type": "knowledge-update",
    "question": "Where do I live?",
    "answer": "Paris",
    "question_date": "2023/05/30",
    "haystack_dates": ["2023/05/20", "2023/05/21"],
    "haystack_session_ids": ["a", "b"],
    "haystack_sessions": [
        [{"role": "user", "content": "I live in Rome."}, {"role": "assistant", "content": "Nice. " * 900}],
        [{"role": "user", "content": "I moved to Paris.", "has_answer": True}],
    ],
}
MAB = {
    "context": "1. The sky is green.\n\n2. The sky is blue.",
    "questions": ["What colour is the sky?", "And the grass?"],
    "answers": [["blue", "azure"], "green"],
    "metadata": {"source": "factconsolidation_sh_6k"},
}


def written(tmp_path, *rows, name="rows.jsonl"):
    path = tmp_path / name
    path.write_text(json.dumps(list(rows)) if name.endswith(".json") else "\n".join(map(json.dumps, rows)))
    return BENCH.configure(tasks_file=str(path))


async def test_three_formats_become_test_tasks(tmp_path, runtime):
    spec = written(tmp_path, LOCOMO, LONGMEMEVAL, MAB)
    locomo, long, mab = await runtime.tasks(spec).take("test", 10)
    assert locomo.payload["lines"] == [
        "[1:56 pm on 8 May, 2023] Ada: I paint lakes.",
        "[1:10 pm on 9 May, 2023] Bea: I ran a race. Twice! (a photo: a medal)",
    ]
    assert [raw["answers"] for raw in locomo.secret["questions"]] == [["lakes"], ["2"], ["unknown"]]
    assert [raw["kind"] for raw in locomo.secret["questions"]] == ["single-hop", "temporal", "adversarial"]
    assert long.payload["lines"][0] == "[2023/05/20] user: I live in Rome."
    assert max(map(len, long.payload["lines"])) <= 2_000 and len(long.payload["lines"]) == 5
    assert mab.payload["lines"] == ["1. The sky is green.", "2. The sky is blue."]
    assert mab.secret["questions"][0]["answers"] == ["blue", "azure"]
    assert runtime.tasks(spec).size("train") == 0


async def test_the_audit_passes_on_them(tmp_path):
    report = await check_environment(written(tmp_path, LOCOMO, LONGMEMEVAL, MAB, name="rows.json"))
    assert report.problems == [] and report.passed


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"text": "x"}, "neither LoCoMo"),
        ({**LOCOMO, "qa": []}, "qa"),
        ({**LOCOMO, "conversation": {}}, "no session_1"),
        ({**LOCOMO, "conversation": {"session_1": "text"}}, "session_1 is no list"),
        ({**LOCOMO, "conversation": {"session_1": [{"speaker": "Ada"}]}}, "turn 0.*text"),
        ({**LOCOMO, "qa": [{"question": "?", "category": 4}]}, "needs an answer"),
        ({**LOCOMO, "qa": [{"question": "?", "answer": "x", "category": 9}]}, "category"),
        ({**LONGMEMEVAL, "haystack_dates": []}, "0 dates for 2 sessions"),
        ({**LONGMEMEVAL, "haystack_sessions": [[{"role": "user"}]], "haystack_dates": ["x"]}, "content"),
        ({**MAB, "answers": ["blue"]}, "1 answers for 2 questions"),
        ({**MAB, "context": ""}, "context"),
    ],
)
def test_broken_rows_are_refused_with_their_place(tmp_path, row, why, runtime):
    with pytest.raises(TaskError, match=rf"rows\.jsonl, line 2.*{why}"):
        runtime.tasks(written(tmp_path, MAB, row))


def test_a_file_that_is_none_is_refused(tmp_path, runtime):
    with pytest.raises(TaskError, match="can not be read"):
        runtime.tasks(BENCH.configure(tasks_file=str(tmp_path / "nowhere.json")))
    with pytest.raises(TaskError, match="two tasks"):
        runtime.tasks(written(tmp_path, LOCOMO, LOCOMO))


def test_free_text_can_not_be_read_without_a_policy():
    with pytest.raises(UsageError, match="answerer"):
        BENCH.configure(answerer="reader")
