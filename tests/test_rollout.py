"""`collect`: three outcomes and whose fault, retries, groups, resuming, stopping."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

import agentgym
from agentgym import (
    Action,
    Context,
    EnvSpec,
    PolicyError,
    Runtime,
    SandboxError,
    Store,
    Task,
    TooManyFailures,
    Trajectory,
    UsageError,
    VerifierError,
    collect,
)
from agentgym.policies.openai import OpenAIPolicy
from agentgym.rollout import FailureLimit
from agentgym.seeds import derive_seed
from tests.servers import Answer, completion, failure, serving
from tests.toys import (
    Counter,
    FakeFlakyVerifier,
    FakeSilentVerifier,
    act,
    counter,
    counter_spec,
    duo,
    scripted,
    solve,
    task,
    tasks,
)


async def run(policy: Any = None, spec: Any = counter, jobs: Any = None, **options: Any) -> list[Trajectory]:
    runtime = options.pop("runtime", None) or Runtime()
    made = collect(spec, policy or scripted(), jobs or tasks(1), runtime=runtime, **options)
    return [trajectory async for trajectory in made]


class Tracked(Counter):
    """Counts what is open; `breaks` says in how many resets of a task the box fails, and how."""

    open_now = 0
    opened = 0
    breaks: dict[str, int] = {}  # noqa: RUF012 - shared on purpose
    error: Exception = SandboxError("the daemon is gone")

    async def on_reset(self) -> str:
        Tracked.open_now += 1
        Tracked.opened += 1
        self.mine = True
        if Tracked.breaks.get(self.task.id, 0) > 0:
            Tracked.breaks[self.task.id] -= 1
            raise Tracked.error
        return await super().on_reset()

    async def on_close(self) -> None:
        if getattr(self, "mine", False):
            Tracked.open_now -= 1
            self.mine = False


@pytest.fixture
def tracked() -> EnvSpec:
    Tracked.open_now = Tracked.opened = 0
    Tracked.breaks, Tracked.error = {}, SandboxError("the daemon is gone")
    return counter_spec(entry=Tracked)


# ---- outcomes ---------------------------------------------------------------------------------------------------


async def test_every_task_gets_its_group_and_members_share_task_and_world() -> None:
    trajectories = await run(jobs=tasks(3), group_size=4, run="r", seed=3)
    keys = sorted((each.key.task, each.key.sample) for each in trajectories)
    assert keys == [(f"t{i}", sample) for i in range(3) for sample in range(4)]
    assert {each.status for each in trajectories} == {"scored"}
    assert {each.group for each in trajectories if each.key.task == "t1"} == {"t1"}
    assert {each.key.run for each in trajectories} == {"r"}
    assert len({each.task_hash for each in trajectories if each.key.task == "t1"}) == 1


async def test_members_of_a_group_meet_the_same_world() -> None:
    trajectories = await run(
        scripted(lambda context: act("roll") if context.turn == 0 else act("submit")), group_size=4
    )
    assert len({each.answer for each in trajectories}) == 1


async def test_the_three_outcomes(tracked: EnvSpec) -> None:
    async def play(context: Context) -> Action:
        if context.task.id == "t1":
            await asyncio.sleep(30)
        return solve(context)

    Tracked.breaks = {"t2": 99}
    spec = counter_spec(entry=Tracked, limits={"episode_s": 0.2})
    trajectories = {each.key.task: each for each in await run(scripted(play), spec, tasks(3))}
    assert [trajectories[id].status for id in ("t0", "t1", "t2")] == ["scored", "masked", "failed"]
    assert trajectories["t1"].end == "wall_time"
    assert trajectories["t2"].cause == "SandboxError: the daemon is gone"
    assert trajectories["t2"].record is None
    assert Tracked.open_now == 0


async def test_infrastructure_is_retried_on_a_fresh_environment(tracked: EnvSpec) -> None:
    Tracked.breaks = {"t0": 1}
    (trajectory,) = await run(spec=tracked)
    assert (trajectory.status, trajectory.success, trajectory.key.attempt) == ("scored", 1.0, 1)
    assert (Tracked.opened, Tracked.open_now) == (2, 0)


async def test_after_the_retries_it_has_failed_with_its_cause(tracked: EnvSpec) -> None:
    Tracked.breaks = {"t0": 99}
    (trajectory,) = await run(spec=tracked, retries=2)
    assert (trajectory.status, trajectory.key.attempt) == ("failed", 2)
    assert (Tracked.opened, Tracked.open_now) == (3, 0)


async def test_what_nobody_can_attribute_is_retried_once_and_then_the_agents(tracked: EnvSpec) -> None:
    Tracked.error = SandboxError("killed", fault="ambiguous")
    Tracked.breaks = {"t0": 1, "t1": 99}
    once, twice = sorted(await run(spec=tracked, jobs=tasks(2), retries=0), key=lambda each: each.key.task)
    assert (once.status, once.success, once.key.attempt) == ("scored", 1.0, 1)
    assert (twice.status, twice.end, twice.success, twice.key.attempt) == ("scored", "box_died", 0.0, 1)
    assert Tracked.open_now == 0


async def test_a_verdict_is_retried_without_playing_again(tracked: EnvSpec) -> None:
    verifier = FakeFlakyVerifier(1)
    (trajectory,) = await run(spec=counter_spec(entry=Tracked, verifier=verifier))
    assert (trajectory.status, trajectory.success) == ("scored", 1.0)
    assert (verifier.calls, Tracked.opened) == (2, 1)


async def test_no_verdict_is_failed_and_never_zero() -> None:
    (trajectory,) = await run(spec=counter_spec(verifier=FakeSilentVerifier()))
    assert (trajectory.status, trajectory.record) == ("failed", None)
    assert trajectory.cause.startswith("VerifierError")
    assert (len(trajectory.turns), trajectory.artefacts) == (4, {"value": "3"})


@pytest.mark.parametrize("error", [PolicyError("endpoint"), RuntimeError("bug"), asyncio.CancelledError("stray")])
async def test_one_bad_episode_does_not_stop_the_batch(tracked: EnvSpec, error: BaseException) -> None:
    def play(context: Context) -> Action:
        if context.task.id == "t1" and context.turn == 1:
            raise error
        return solve(context)

    trajectories = {each.key.task: each for each in await run(scripted(play), tracked, tasks(4), concurrency=2)}
    assert [trajectories[f"t{i}"].status for i in range(4)] == ["scored", "failed", "scored", "scored"]
    assert trajectories["t1"].cause == f"{type(error).__name__}: {error}"
    assert len(trajectories["t1"].turns) == 1
    assert Tracked.open_now == 0


async def test_a_broken_task_fails_alone() -> None:
    trajectories = {each.key.task: each for each in await run(jobs=[task("bad", broken=True), *tasks(2)])}
    assert trajectories["bad"].status == "failed"
    assert trajectories["bad"].cause == "TaskError: task 'bad' is broken"
    assert {trajectories[id].status for id in ("t0", "t1")} == {"scored"}


async def test_a_world_that_fails_to_close_does_not_stop_the_batch() -> None:
    class FakeStuck(Counter):
        async def on_close(self) -> None:
            raise RuntimeError("no door")

    assert [each.status for each in await run(spec=counter_spec(entry=FakeStuck), jobs=tasks(2))] == ["scored"] * 2


# ---- failures -----------------------------------------------------------------------------------------------------


async def test_too_many_failures_stop_the_run_with_the_last_cause(tracked: EnvSpec) -> None:
    Tracked.breaks = {f"t{i}": 99 for i in range(50)}
    seen: list[Trajectory] = []
    with pytest.raises(TooManyFailures, match="3 of 3 episodes failed, the last with: SandboxError: the daemon"):
        async for each in collect(
            tracked, scripted(), tasks(50), runtime=Runtime(), concurrency=2, failures=FailureLimit(0.5, 3)
        ):
            seen.append(each)
    assert len(seen) == 3
    assert Tracked.opened < 50
    assert Tracked.open_now == 0


async def test_a_small_share_of_failures_does_not_stop_the_run(tracked: EnvSpec) -> None:
    Tracked.breaks = {"t1": 99, "t5": 99}
    trajectories = await run(spec=tracked, jobs=tasks(12), failures=FailureLimit(0.5, 2), concurrency=1)
    assert [each.status for each in trajectories].count("failed") == 2
    assert len(trajectories) == 12


# ---- misuse -----------------------------------------------------------------------------------------------------


async def test_misuse_is_told_before_any_episode() -> None:
    with pytest.raises(UsageError, match="no environment"):
        await run(spec="toy/nonsense-v0")
    with pytest.raises(UsageError, match="actors without a policy: pong"):
        await run({"ping": scripted()}, duo)


async def test_a_factory_can_make_the_environments() -> None:
    runtime = Runtime()
    made: list[Any] = []

    def factory() -> Any:
        made.append(agentgym.make(counter, runtime=runtime, verdict=False, target=1))
        return made[-1]

    trajectories = await run(spec=factory, jobs=tasks(2), runtime=runtime)
    assert len(made) == 2
    assert {each.status for each in trajectories} == {"scored"}


async def test_tasks_may_come_lazily_and_endlessly() -> None:
    given = 0

    async def endless() -> AsyncIterator[Task]:
        nonlocal given
        while True:
            given += 1
            yield task(f"t{given}")

    stream = collect(counter, scripted(), endless(), runtime=Runtime(), concurrency=2)
    got = [(await anext(stream)).key.task for _ in range(5)]
    await stream.aclose()  # type: ignore[attr-defined]
    assert len(set(got)) == 5
    assert given < 20


async def test_an_error_of_the_task_source_reaches_the_caller() -> None:
    def broken() -> Any:
        yield task()
        raise agentgym.TaskError("tasks.jsonl, line 2: no payload")

    with pytest.raises(agentgym.TaskError, match="line 2"):
        await run(jobs=broken())


# ---- concurrency and cancellation ---------------------------------------------------------------------------------


async def test_episodes_overlap_up_to_the_concurrency_and_not_beyond() -> None:
    running = most = 0
    met = asyncio.Event()

    async def play(context: Context) -> Action:
        nonlocal running, most
        running += 1
        most = max(most, running)
        if running == 3:
            met.set()
        await asyncio.wait_for(met.wait(), 5)  # nobody goes on before three are at it at the same time
        await asyncio.sleep(0)
        running -= 1
        return act("submit")

    trajectories = await run(scripted(play), jobs=tasks(9), concurrency=3)
    assert {each.status for each in trajectories} == {"scored"}
    assert most == 3


async def test_trajectories_come_as_they_end_not_in_order() -> None:
    async def play(context: Context) -> Action:
        if context.task.id == "t0":
            await asyncio.sleep(0.1)
        return act("submit")

    assert [each.key.task for each in await run(scripted(play), jobs=tasks(3), concurrency=3)][-1] == "t0"


async def test_closing_the_generator_cancels_what_runs_and_closes_every_world(tracked: EnvSpec) -> None:
    cancelled = 0

    async def play(context: Context) -> Action:
        nonlocal cancelled
        if context.task.id != "t0":
            try:
                await asyncio.sleep(30)
            except asyncio.CancelledError:
                cancelled += 1
                raise
        return solve(context)

    stream = collect(tracked, scripted(play), tasks(4), runtime=Runtime(), concurrency=4)
    assert (await anext(stream)).key.task == "t0"
    assert Tracked.open_now == 3
    await stream.aclose()  # type: ignore[attr-defined]
    assert (cancelled, Tracked.open_now) == (3, 0)
    assert not [each for each in asyncio.all_tasks() if each.get_name().startswith("collect-")]


async def test_cancelling_the_consumer_closes_every_world(tracked: EnvSpec) -> None:
    all_open = asyncio.Event()

    async def play(context: Context) -> Action:
        if Tracked.open_now == 3:
            all_open.set()
        await asyncio.sleep(30)
        return Action()

    consumer = asyncio.create_task(run(scripted(play), tracked, tasks(3)))
    await all_open.wait()
    consumer.cancel()
    with pytest.raises(asyncio.CancelledError):
        await consumer
    for _ in range(100):
        if Tracked.open_now == 0:
            break
        await asyncio.sleep(0.01)
    assert Tracked.open_now == 0


async def test_a_slow_consumer_holds_the_episodes_back(tracked: EnvSpec) -> None:
    stream = collect(tracked, scripted(), tasks(100), runtime=Runtime(), concurrency=2)
    await anext(stream)
    await asyncio.sleep(0.1)
    assert Tracked.opened < 20
    await stream.aclose()  # type: ignore[attr-defined]


# ---- store --------------------------------------------------------------------------------------------------------


async def test_each_trajectory_is_stored_before_it_is_yielded(tmp_path: Path) -> None:
    store = Store(tmp_path)
    async for trajectory in collect(counter, scripted(), tasks(3), runtime=Runtime(), store=store, concurrency=1):
        lines = store.path.read_text().splitlines()
        assert trajectory.key.task in [json.loads(line)["key"]["task"] for line in lines]


async def test_a_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    stream = collect(
        counter, scripted(), tasks(4), runtime=Runtime(), store=Store(tmp_path), group_size=2, concurrency=1
    )
    first = [await anext(stream) for _ in range(3)]
    await stream.aclose()  # type: ignore[attr-defined]
    stored = {(each.key.task, each.key.sample) for each in Store(tmp_path)}
    rest = await run(jobs=tasks(4), store=Store(tmp_path), group_size=2)
    assert stored >= {(each.key.task, each.key.sample) for each in first}
    assert not stored & {(each.key.task, each.key.sample) for each in rest}
    assert len(Store(tmp_path)) == 8
    assert await run(jobs=tasks(4), store=Store(tmp_path), group_size=2) == []


async def test_failed_episodes_are_played_again_when_resumed(tmp_path: Path, tracked: EnvSpec) -> None:
    Tracked.breaks = {"t1": 2}
    await run(spec=tracked, jobs=tasks(3), store=Store(tmp_path))
    (again,) = await run(spec=tracked, jobs=tasks(3), store=Store(tmp_path))
    assert (again.key.task, again.status) == ("t1", "scored")
    assert [each.status for each in Store(tmp_path)] == ["scored"] * 3


async def test_a_larger_group_adds_the_members_that_are_missing(tmp_path: Path) -> None:
    await run(store=Store(tmp_path), group_size=2)
    added = await run(store=Store(tmp_path), group_size=4)
    assert sorted(each.key.sample for each in added) == [2, 3]


# ---- an endpoint ----------------------------------------------------------------------------------------------------

SOLUTION = [completion(None, [("add", "{}")])] * 3 + [completion(None, [("submit", "{}")])]


async def with_endpoint(*answers: Any, **options: Any) -> list[Trajectory]:
    with serving(*answers) as server:
        policy = OpenAIPolicy("fake", base_url=server.url, api_key="x", max_retries=2)
        try:
            return await run(policy, concurrency=1, **options)
        finally:
            await policy.close()


async def test_a_model_behind_an_endpoint_that_stumbles_solves_the_task() -> None:
    (trajectory,) = await with_endpoint(SOLUTION[0], failure(429), SOLUTION[1], failure(500), *SOLUTION[2:])
    assert (trajectory.status, trajectory.success, len(trajectory.turns)) == ("scored", 1.0, 4)


async def test_broken_tool_arguments_of_a_model_are_answered_and_cost_a_turn() -> None:
    (trajectory,) = await with_endpoint(completion(None, [("add", '{"n": ')]), *SOLUTION)
    assert (trajectory.success, len(trajectory.turns)) == (1.0, 5)
    assert "Invalid JSON" in trajectory.turns[0].info.calls[0].error


@pytest.mark.parametrize("answer", [failure(500), failure(429), Answer(200, "<html>")])
async def test_an_endpoint_that_is_down_fails_the_episode_and_is_never_a_zero(answer: Answer) -> None:
    (trajectory,) = await with_endpoint(SOLUTION[0], answer)
    assert (trajectory.status, trajectory.record, len(trajectory.turns)) == ("failed", None, 1)
    assert trajectory.cause.startswith("PolicyError: openai:fake")


async def test_a_context_overflow_truncates_and_is_scored() -> None:
    (trajectory,) = await with_endpoint(SOLUTION[0], failure(400, "maximum context length is 64 tokens"))
    assert (trajectory.status, trajectory.end, trajectory.truncated) == ("scored", "context", True)
    assert trajectory.success == 0.0


async def test_policy_seeds_differ_within_a_group_and_repeat_between_runs() -> None:
    seeds: list[list[int]] = []
    for _ in range(2):
        seen: list[int] = []

        def play(context: Context, seen: list[int] = seen) -> Action:
            seen.append(context.seed)
            return act("submit")

        await run(scripted(play), group_size=3, seed=4, concurrency=1)
        seeds.append(seen)
    assert seeds[0] == seeds[1] == [derive_seed("policy", 4, "t0", sample, 0) for sample in range(3)]


async def test_a_verifier_error_of_the_environment_itself_is_not_a_zero() -> None:
    class FakeBlind(Counter):
        async def artefacts(self) -> dict[str, str]:
            raise VerifierError("the artefacts can not be read")

    (trajectory,) = await run(spec=counter_spec(entry=FakeBlind))
    assert trajectory.status == "failed"
