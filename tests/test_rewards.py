"""Rubrics: METHODS' oracles for gated accumulation, and what must hold for any rubric and any scores."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentgym import Channel, RewardRecord, Rubric, Score, UsageError
from agentgym.types import ChannelRecord

OUTCOME = Channel("outcome", "outcome", priority=1, threshold=0.0)
PROCESS = Channel("process", "process")
GATED = Rubric((OUTCOME, PROCESS))
DIRECT = Rubric((replace(OUTCOME, threshold=None), PROCESS))


def episode(outcome: float | None, *steps: float) -> list[Score]:
    return [Score("process", value, turn) for turn, value in enumerate(steps)] + [Score("outcome", outcome)]


def channel(record: RewardRecord, name: str) -> ChannelRecord:
    return next(each for each in record.channels if each.name == name)


# ---- what can not be farmed -------------------------------------------------------------------------------------


def test_a_bounded_sum_is_paid_until_it_is_reached() -> None:
    record = Rubric((OUTCOME, replace(PROCESS, weight=2.0, most=0.25)))(episode(1.0, 0.1, 0.1, 0.1, 0.1), 4)
    assert record.turns == pytest.approx([0.2, 0.2, 0.1, 1.0])
    assert record.total == pytest.approx(1.5) and channel(record, "process").value == pytest.approx(0.25)


@given(st.lists(st.floats(-1, 1), max_size=12), st.floats(0, 3))
def test_a_bounded_sum_never_exceeds_its_bound(steps: list[float], most: float) -> None:
    record = Rubric((OUTCOME, replace(PROCESS, most=most)))(episode(1.0, *steps), len(steps))
    assert channel(record, "process").paid <= most + 1e-9
    assert math.fsum(record.turns) == pytest.approx(record.total)


def test_only_sums_have_a_bound() -> None:
    with pytest.raises(UsageError, match="bounds a sum"):
        Channel("outcome", "outcome", most=1.0)


# ---- oracles ----------------------------------------------------------------------------------------------------


def test_steps_count_when_the_outcome_is_above_its_threshold() -> None:
    assert GATED(episode(1.0, 0.1, 0.1), 2).total == pytest.approx(1.2)


def test_steps_pay_nothing_when_the_outcome_fails_but_do_without_gates() -> None:
    scores = episode(0.0, 0.1, 0.1)
    assert GATED(scores, 2).total == 0.0
    assert DIRECT(scores, 2).total == pytest.approx(0.2)


def test_three_priorities_the_middle_one_is_paid_and_closes_the_lowest() -> None:
    rubric = Rubric(
        (
            Channel("outcome", "outcome", priority=2, threshold=0.0),
            Channel("format", "process", priority=1, threshold=0.0),
            Channel("process", "process"),
        )
    )
    record = rubric([Score("outcome", 1.0), Score("format", -0.2, 0), Score("process", 0.5, 0)], 1)
    assert record.total == pytest.approx(0.8)
    assert channel(record, "process").closed_by == ("format",)
    assert channel(record, "format").gate == "open"


def test_group_of_one_success_and_three_failures() -> None:
    sums, outcomes = [0.2, 0.6, 0.4, 0.5], [1.0, 0.0, 0.0, 0.0]
    group = [episode(outcome, steps) for outcome, steps in zip(outcomes, sums, strict=True)]
    assert [GATED(scores, 1).total for scores in group] == pytest.approx([1.2, 0.0, 0.0, 0.0])
    assert [DIRECT(scores, 1).total for scores in group] == pytest.approx([1.2, 0.6, 0.4, 0.5])


def test_software_engineering_levels_open_the_gate_between_empty_patch_and_failing_tests() -> None:
    for level, expected in [(0.0, 0.0), (1.0, 1.3), (2.0, 2.3)]:
        assert GATED(episode(level, 0.3), 1).total == pytest.approx(expected)


def test_all_fail_group_is_flat_under_gates_and_not_without_them() -> None:
    group = [episode(0.0, steps) for steps in (0.2, 0.6, 0.4, 0.5)]
    assert {GATED(scores, 1).total for scores in group} == {0.0}
    assert len({DIRECT(scores, 1).total for scores in group}) == 4


# ---- gates and what is recorded ---------------------------------------------------------------------------------


def test_threshold_is_strict_unless_inclusive() -> None:
    scores = episode(0.5, 1.0)
    strict = Rubric((replace(OUTCOME, threshold=0.5), PROCESS))
    inclusive = Rubric((replace(OUTCOME, threshold=0.5, inclusive=True), PROCESS))
    assert strict(scores, 1).total == pytest.approx(0.5)
    assert inclusive(scores, 1).total == pytest.approx(1.5)


def test_a_closed_channel_says_its_value_what_closed_it_and_why() -> None:
    record = GATED([Score("process", 0.3, 0, reason="well formed"), Score("outcome", 0.0, reason="tests fail")], 1)
    closed = channel(record, "process")
    assert (closed.value, closed.gate, closed.closed_by, closed.paid) == (0.3, "closed", ("outcome",), 0.0)
    assert closed.reasons == ("well formed",)
    assert channel(record, "outcome").reasons == ("tests fail",)


def test_channels_of_one_priority_do_not_gate_each_other() -> None:
    rubric = Rubric((replace(OUTCOME, priority=0), replace(PROCESS, threshold=10.0)))
    assert rubric(episode(0.0, 0.4), 1).total == pytest.approx(0.4)


def test_each_score_is_paid_at_its_turn_and_the_outcome_at_the_last() -> None:
    record = GATED(episode(1.0, 0.1, 0.2, 0.3), 3)
    assert record.turns == pytest.approx([0.1, 0.2, 1.3])


def test_a_score_beyond_the_last_turn_is_paid_at_the_last() -> None:
    assert GATED([Score("process", 0.5, 7), Score("outcome", 1.0)], 2).turns == pytest.approx([0.0, 1.5])


def test_an_episode_without_turns_still_has_one_number_that_is_its_total() -> None:
    record = GATED([Score("outcome", 1.0)], 0)
    assert (record.turns, record.total) == ([1.0], 1.0)


def test_a_factor_multiplies_its_priority_and_below_but_not_above() -> None:
    efficiency = Channel("efficiency", "factor", priority=0)
    rubric = Rubric((OUTCOME, PROCESS, efficiency))
    record = rubric([*episode(1.0, 0.4), Score("efficiency", 0.5)], 1)
    assert record.total == pytest.approx(1.0 + 0.2)
    over_all = Rubric((OUTCOME, PROCESS, replace(efficiency, priority=1)))
    assert over_all([*episode(1.0, 0.4), Score("efficiency", 0.5)], 1).total == pytest.approx(0.7)


def test_a_factor_that_is_missing_changes_nothing() -> None:
    rubric = Rubric((OUTCOME, PROCESS, Channel("efficiency", "factor", priority=1)))
    assert rubric(episode(1.0, 0.4), 1).total == pytest.approx(1.4)


def test_a_metric_is_recorded_and_never_paid() -> None:
    record = Rubric((OUTCOME, Channel("seconds", "metric", weight=5.0)))(
        [Score("outcome", 1.0), Score("seconds", 9.0)], 1
    )
    assert record.total == 1.0
    assert channel(record, "seconds").value == 9.0


@pytest.mark.parametrize(("reduce", "value"), [("sum", 6.0), ("mean", 2.0), ("max", 3.0), ("min", 1.0), ("last", 2.0)])
def test_reduce(reduce: str, value: float) -> None:
    rubric = Rubric((OUTCOME, replace(PROCESS, reduce=reduce)))  # type: ignore[arg-type]
    record = rubric(episode(1.0, 1.0, 3.0, 2.0), 3)
    assert channel(record, "process").value == value
    assert record.total == pytest.approx(1.0 + value)


@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf])
def test_a_missing_or_meaningless_outcome_makes_the_record_invalid_not_zero(value: float | None) -> None:
    record = GATED(episode(value, 0.4), 1)
    assert not record.valid
    assert channel(record, "outcome").gate == "failed"
    assert channel(record, "process").paid == 0.0
    assert record.success == 0.0


def test_missing_zero_counts_as_zero_and_closes_the_gate() -> None:
    rubric = Rubric((replace(OUTCOME, missing="zero"), PROCESS))
    record = rubric(episode(None, 0.4), 1)
    assert record.valid
    assert (channel(record, "outcome").value, record.total) == (0.0, 0.0)


def test_missing_skip_neither_pays_nor_gates() -> None:
    rubric = Rubric((replace(OUTCOME, missing="skip"), PROCESS))
    record = rubric(episode(None, 0.4), 1)
    assert record.valid
    assert record.total == pytest.approx(0.4)


def test_a_required_process_channel_without_scores_makes_the_record_invalid() -> None:
    assert not Rubric((OUTCOME, replace(PROCESS, missing="fail")))([Score("outcome", 1.0)], 1).valid


def test_nan_scores_are_left_out_everywhere() -> None:
    scores = episode(1.0, 0.2, math.nan, 0.3)
    assert GATED(scores, 3).turns == pytest.approx([0.2, 0.0, 1.3])
    assert GATED.immediate(scores) == pytest.approx(0.5)


def test_scores_on_unknown_channels_are_ignored() -> None:
    assert GATED([*episode(1.0, 0.2), Score("typo", 99.0)], 1).total == pytest.approx(1.2)


def test_success_is_the_named_channel_clipped_and_else_the_highest_outcome() -> None:
    partial = Channel("partial", "outcome", priority=5)
    scores = [Score("outcome", 2.0), Score("partial", 0.25)]
    assert Rubric((OUTCOME, partial), success="outcome")(scores, 1).success == 1.0
    assert Rubric((OUTCOME, partial))(scores, 1).success == 0.25
    assert GATED([Score("outcome", -3.0)], 1).success == 0.0


def test_immediate_is_the_weighted_sum_of_process_scores_alone() -> None:
    rubric = Rubric((OUTCOME, replace(PROCESS, weight=2.0)))
    assert rubric.immediate(episode(1.0, 0.2, 0.3)) == pytest.approx(1.0)


def test_two_channels_of_one_name_are_refused() -> None:
    with pytest.raises(UsageError, match="names of their own"):
        Rubric((OUTCOME, OUTCOME))


def test_a_rubric_without_an_outcome_is_refused() -> None:
    with pytest.raises(UsageError, match="success channel"):
        Rubric((PROCESS,))
    with pytest.raises(UsageError, match="'nothing'"):
        Rubric((OUTCOME,), success="nothing")


# ---- properties -------------------------------------------------------------------------------------------------

values = st.floats(-100, 100, allow_nan=False)
names = ["a", "b", "c", "d"]


@st.composite
def rubrics(draw: st.DrawFn) -> Rubric:
    made = [
        Channel(
            name,
            draw(st.sampled_from(["outcome", "process", "factor", "metric"])),
            weight=draw(st.floats(-3, 3)),
            priority=draw(st.integers(0, 3)),
            threshold=draw(st.none() | st.floats(-2, 2)),
            inclusive=draw(st.booleans()),
            reduce=draw(st.sampled_from([None, "sum", "mean", "max", "min", "last"])),
            missing=draw(st.sampled_from([None, "fail", "zero", "skip"])),
        )
        for name in names[: draw(st.integers(1, 4))]
    ]
    return Rubric((*made, Channel("outcome", "outcome", priority=draw(st.integers(0, 4)))), success="outcome")


scores_of = st.lists(
    st.builds(
        Score,
        channel=st.sampled_from([*names, "outcome", "unknown"]),
        value=values | st.none() | st.just(math.nan),
        turn=st.none() | st.integers(0, 6),
    ),
    max_size=12,
)


def direct(rubric: Rubric) -> Rubric:
    return replace(rubric, channels=tuple(replace(each, threshold=None) for each in rubric.channels))


@given(rubrics(), scores_of, st.integers(0, 5))
def test_turns_sum_to_the_total_and_paid_does_too(rubric: Rubric, scores: list[Score], n_turns: int) -> None:
    record = rubric(scores, n_turns)
    assert len(record.turns) == max(n_turns, 1)
    assert math.fsum(record.turns) == pytest.approx(record.total, abs=1e-6)
    assert math.fsum(each.paid for each in record.channels) == pytest.approx(record.total, rel=1e-6, abs=1e-6)
    assert 0.0 <= record.success <= 1.0


@given(rubrics(), scores_of, st.integers(0, 5))
def test_only_an_open_gate_pays(rubric: Rubric, scores: list[Score], n_turns: int) -> None:
    by_name = {each.name: each for each in rubric.channels}
    record = rubric(scores, n_turns)
    values = {each.name: each.value for each in record.channels}
    for each in record.channels:
        if each.gate != "open":
            assert each.paid == 0.0
        for name in each.closed_by:
            assert by_name[name].priority > by_name[each.name].priority
            value = values[name]
            assert value is None or not by_name[name].passes(value)


@given(rubrics(), scores_of, st.integers(1, 5))
def test_without_thresholds_it_is_the_plain_weighted_sum(rubric: Rubric, scores: list[Score], n_turns: int) -> None:
    plain = Rubric(
        tuple(each for each in direct(rubric).channels if each.kind in ("outcome", "process")), success="outcome"
    )
    record = plain(scores, n_turns)
    expected = math.fsum(each.weight * each.value for each in record.channels if each.value is not None)
    assert record.total == pytest.approx(expected, rel=1e-9, abs=1e-6)


@given(rubrics(), scores_of, st.integers(1, 5), st.randoms(use_true_random=False))
def test_the_order_of_channels_and_of_summed_scores_does_not_matter(
    rubric: Rubric, scores: list[Score], n_turns: int, random: object
) -> None:
    summed = replace(rubric, channels=tuple(replace(each, reduce="sum") for each in rubric.channels))
    shuffled_channels, shuffled_scores = list(summed.channels), list(scores)
    random.shuffle(shuffled_channels)  # type: ignore[attr-defined]
    random.shuffle(shuffled_scores)  # type: ignore[attr-defined]
    one = summed(scores, n_turns)
    two = replace(summed, channels=tuple(shuffled_channels))(shuffled_scores, n_turns)
    assert two.total == pytest.approx(one.total, rel=1e-6, abs=1e-6)
    assert (two.success, two.valid) == (one.success, one.valid)
    assert {each.name: each.gate for each in two.channels} == {each.name: each.gate for each in one.channels}


def test_what_channels_earned_is_told_by_turn_before_weights_and_after_gates() -> None:
    rubric = Rubric(
        (
            Channel("right", "outcome", weight=5.0, priority=1, threshold=0.0),
            Channel("step", "process", weight=0.1, most=1.0),
            Channel("speed", "metric"),
        )
    )
    scores = [Score("step", 0.75, turn=0), Score("step", 0.75, turn=2), Score("speed", 9.0)]
    assert rubric.earned([*scores, Score("right", 0.5)], 3) == {"right": [0.0, 0.0, 0.5], "step": [0.75, 0.0, 0.25]}
    assert rubric.earned([*scores, Score("right", 0.0)], 3) == {"right": [0.0] * 3, "step": [0.0] * 3}
    assert rubric.earned(scores, 0) == {"right": [0.0], "step": [0.0]}
