"""Samplers of tasks: the book they read, what each prefers, and that seeds decide."""

from collections import Counter

import pytest

from agentgym.errors import UsageError
from agentgym.trainers.samplers import SAMPLERS, Book, Entry, sampler
from agentgym.trainers.samplers.book import distinct
from agentgym.trainers.samplers.draw import draw
from agentgym.trainers.samplers.tasks import promise
from agentgym.types import ToolCall
from tests.trainers.episodes import episode

TASKS = [f"t{n}" for n in range(20)]


def played(task, *successes, status="scored"):
    return [episode(success, group=task, status=status) for success in successes]


def test_the_book_holds_the_last_group_of_each_task():
    book = Book(["a", "b"])
    book.record([*played("a", 1, 0, 0, 0), *played("a", 1, status="failed")])
    assert (book.entries["a"].pass_rate, book.entries["a"].failures, book.entries["a"].last) == (0.25, 0, 0)
    book.record([*played("a", 0, 0)])
    book.record([*played("a", 0.5, 0.9), *played("b", 1, status="masked")])
    assert (book.entries["a"].pass_rate, book.entries["a"].failures, book.entries["a"].last) == (0, 2, 2)
    assert book.entries["b"] == Entry()
    assert book.step == 3
    with pytest.raises(UsageError, match="no task 'c'"):
        book.record(played("c", 1))


def test_diversity_counts_different_n_grams_of_what_was_said():
    assert distinct(["a b c", "a b c"]) == pytest.approx(0.5)
    assert distinct(["a b", "a c"]) == pytest.approx((3 / 4 + 1) / 2)
    assert distinct(["a b c d e", "a b c x e"]) == pytest.approx((6 / 10 + 6 / 8 + 5 / 6) / 3)
    assert distinct([]) == distinct([""]) == 0
    one, other = played("a", 1, 0)
    one.turns[0].action.calls = (ToolCall("1", "open", "x"),)
    other.turns[0].action.calls = (ToolCall("1", "open", "y"),)
    book = Book(["a"])
    book.record([one, other])
    assert book.entries["a"].diversity == pytest.approx((3 / 4 + 1) / 2)


def test_promise():
    assert promise(Entry(0.5, 0.3)) == pytest.approx(0.26)
    assert promise(Entry(0.25, 0.3)) == pytest.approx(0.21)
    assert promise(Entry(0.0, 0.3)) == promise(Entry(1.0, 0.3)) == pytest.approx(0.06)
    assert promise(Entry()) == pytest.approx(0.2)


def counts(name, book, rounds=200, size=4, **options) -> Counter[str]:
    choose = sampler(name, **options)
    return Counter(task for seed in range(rounds) for task in choose(book, size, seed))


def test_variance_aware_prefers_what_is_neither_solved_nor_hopeless():
    book = Book(TASKS)
    for n, task in enumerate(TASKS):
        book.entries[task] = Entry(0.5 if n < 2 else float(n % 2), 0.0)
    often = counts("variance_aware", book)
    assert min(often["t0"], often["t1"]) > 2 * max(often[task] for task in TASKS[2:])
    assert all(often[task] for task in TASKS)
    assert counts("variance_aware", book, share=0.0)["t0"] < 70


def test_failure_replay_brings_back_what_failed_longest_ago():
    book = Book(TASKS)
    for task, step in (("t7", 5), ("t3", 2), ("t9", 4)):
        book.entries[task] = Entry(0.0, failures=1, last=step)
    batch = sampler("failure_replay", share=0.5)(book, 4, 0)
    assert batch[:2] == ["t3", "t9"] and len(set(batch)) == 4
    assert len(sampler("failure_replay", share=1.0)(book, 4, 0)) == 4


LEVELS = [TASKS[:4], TASKS[4:12], TASKS[12:]]


def curriculum_after(*rates):
    book = Book(TASKS)
    for level, rate in zip(LEVELS, rates, strict=False):
        for task in level:
            book.entries[task] = Entry(rate)
    return set(sampler("curriculum", levels=LEVELS, review=0.25)(book, 4, 1)), book


def test_the_curriculum_goes_on_once_a_level_is_mastered():
    assert curriculum_after()[0] == set(LEVELS[0])
    assert curriculum_after(0.7)[0] == set(LEVELS[0])
    second, _ = curriculum_after(0.9)
    assert len(second & set(LEVELS[1])) == 3 and len(second & set(LEVELS[0])) == 1
    last, book = curriculum_after(0.9, 0.9, 1.0)
    assert len(last & set(LEVELS[2])) == 3
    book.entries["t0"].pass_rate = None  # one of the first was never seen
    assert set(sampler("curriculum", levels=LEVELS)(book, 4, 1)) == set(LEVELS[0])


def test_the_curriculum_fills_up_small_levels_and_says_what_is_missing():
    batch = sampler("curriculum", levels=LEVELS)(Book(TASKS), 6, 1)
    assert set(LEVELS[0]) < set(batch) and len(set(batch)) == 6
    with pytest.raises(UsageError, match="21 different tasks were asked for, the curriculum has 20"):
        sampler("curriculum", levels=LEVELS)(Book(TASKS), 21, 1)
    with pytest.raises(UsageError, match="task 'x' is not in the book"):
        sampler("curriculum", levels=[["x"]])(Book(TASKS), 1, 1)


def test_a_warm_up_is_a_first_stage():
    warm = sampler("curriculum", levels=[TASKS[:4]])
    choose = sampler("stages", plan=[(2, warm)])
    book = Book(TASKS)
    drawn = []
    for step in range(3):
        drawn.append(set(choose(book, 4, step)))
        book.record([])
    assert drawn[:2] == [set(TASKS[:4])] * 2
    assert drawn[2] == set(sampler("uniform")(book, 4, 2)) != set(TASKS[:4])


OPTIONS = {"curriculum": {"levels": LEVELS}, "stages": {"plan": []}}


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_batch_holds_a_task_once_and_hangs_on_the_seed_alone(name):
    choose = sampler(name, **OPTIONS.get(name, {}))
    batches = [choose(Book(TASKS), 4, seed) for seed in range(20)]
    assert batches == [choose(Book(TASKS), 4, seed) for seed in range(20)]
    assert len({tuple(batch) for batch in batches}) > 10
    assert all(len(set(batch)) == 4 for batch in batches)


def test_drawing_is_in_proportion_and_says_when_there_is_too_little():
    first = Counter(draw({"a": 3.0, "b": 1.0, "never": 0.0}, 1, seed)[0] for seed in range(2000))
    assert 0.71 < first["a"] / 2000 < 0.79 and not first["never"]
    with pytest.raises(UsageError, match="2 different tasks were asked for, 1 can be drawn"):
        draw({"a": 1.0, "b": 0.0}, 2, 0)
    with pytest.raises(UsageError, match=r"no task sampler 'variance' .*there are uniform"):
        sampler("variance")
