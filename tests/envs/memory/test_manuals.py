"""memory/manuals: pages of the man macros, the package behind them, questions that stand there word for word."""

import gzip

import pytest

from agentgym.envs.memory.manuals import package
from agentgym.envs.memory.manuals.pages import parse
from agentgym.envs.memory.manuals.reader import read
from agentgym.envs.memory.manuals.specs import MANUALS
from agentgym.envs.memory.manuals.tasks import split_of
from agentgym.errors import TaskError, UsageError
from agentgym.runtime import default_cache

PAGE = r"""
.TH TEA 7 2024-05-02 "Kitchen" "Manual"
.SH NAME
tea \- a hot drink
.SH OPTIONS
.TP
.BR \-\-strong ", " \-s
Leave the leaves in for five minutes. More is bitter.
.\" a comment
.TP
.B MILK_FIRST
Pour the milk before the \fItea\fP;
opinions \[dq]differ\[dq].
.nf
not filled | at all
.fi
.PP
See also coffee(7).
"""


def test_a_page_becomes_lines_and_entries():
    page = parse("tea(7)", PAGE)
    assert page.lines == [
        "tea(7): tea - a hot drink",
        "tea(7): --strong, -s: Leave the leaves in for five minutes. More is bitter.",
        'tea(7): MILK_FIRST: Pour the milk before the tea; opinions "differ".',
        "tea(7): See also coffee(7).",
    ]
    assert [(e.name, e.gist, e.line, e.section) for e in page.entries] == [
        ("--strong", "Leave the leaves in for five minutes.", 1, "OPTIONS"),
        ("MILK_FIRST", "Pour the milk before the tea;", 2, "OPTIONS"),
    ]


def test_notes_and_lines_are_read_and_nothing_else():
    assert read("tea(7) | MILK_FIRST | Pour the milk")[0] == ("tea(7)", "MILK_FIRST", "Pour the milk")
    assert read(parse("tea(7)", PAGE).lines[1])[0][:2] == ("tea(7)", "--strong")
    for text in ("", "tea", "tea(7)", "a | b | c", "x" * 100_000, "tea(7) | | "):
        assert read(text) == ()


@pytest.fixture(scope="module")
def tasks_of():
    """Real tasks; the package is fetched once into the cache of this machine."""
    from agentgym.envs.memory.manuals.tasks import ManualsTasks

    return lambda **options: ManualsTasks(MANUALS.configure(**options).config, default_cache())


@pytest.mark.parametrize(
    "options", [{}, {"system": "memory-r1", "tokens": 3_000}, {"answerer": "actor", "tokens": 3_000}]
)
async def test_the_oracle_knows_all_and_cheats_nothing(tasks_of, play, options):
    for split in ("train", "test"):
        tasks = await tasks_of(**options).take(split, 2)
        for name, make in MANUALS.policies.items():
            played = await play(MANUALS.configure(**options), make(), tasks)
            assert {trajectory.success for trajectory in played} == {float(name == "oracle")}, name


async def test_no_page_is_in_two_splits_and_answers_stand_in_the_text(tasks_of):
    for split in ("train", "validation", "test"):
        [task] = await tasks_of(questions=40, tokens=12_000).take(split, 1)
        assert {split_of(page) for page in task.tags} == {split}
        text = "\n".join(task.payload["lines"])
        for raw in task.secret["questions"]:
            sought = raw["query"]["name"] if raw["kind"] == "abstention" else raw["answers"][0]
            assert (sought in text) == (raw["kind"] != "abstention"), raw


async def test_more_text_than_there_is_is_refused_with_how_much_there_is(tasks_of):
    with pytest.raises(TaskError, match=r"have \d+ tokens"):
        await tasks_of().get("validation-9000000-0")


def test_other_text_than_expected_is_refused(tmp_path):
    with pytest.raises(UsageError, match="apt-get install manpages"):
        package.pages(tmp_path, tmp_path / "nowhere")
    folder = tmp_path / "man7"
    folder.mkdir()
    (folder / "capabilities.7.gz").write_bytes(gzip.compress(b"changed"))
    with pytest.raises(UsageError, match="unchanged"):
        package.pages(tmp_path, tmp_path)
