"""The step API by hand: five-tuple, rewards, limits, errors, snapshots, closing. Machinery, not any world."""

from __future__ import annotations

import asyncio
import concurrent.futures
import multiprocessing
import pickle
from typing import Any

import pytest

import agentgym
from agentgym import (
    Action,
    Config,
    Environment,
    EnvSpec,
    Message,
    Observation,
    Runtime,
    SandboxError,
    StateRef,
    Task,
    TaskError,
    TaskList,
    Text,
    UsageError,
    VerifierError,
    tool,
)
from tests.toys import (
    Counter,
    FakeFlakyVerifier,
    FakeSilentVerifier,
    NativeCounter,
    act,
    call,
    counter,
    counter_spec,
    drifting,
    native,
    task,
)

WIN = [act("add"), act("add"), act("add"), act("submit")]


def make(spec: EnvSpec = counter, runtime: Runtime | None = None, **options: Any) -> Environment[Any]:
    return agentgym.make(spec, runtime=runtime or Runtime(), **options)


async def started(spec: EnvSpec = counter, **options: Any) -> Environment[Any]:
    env = make(spec, **options)
    await env.reset(task=task())
    return env


def texts(observation: Observation) -> list[str]:
    return [message.text for message in observation.messages]


# ---- the five-tuple ---------------------------------------------------------------------------------------------


async def test_reset_returns_the_first_observation_as_a_user_message() -> None:
    observation, info = await make().reset(task=task(), seed=0)
    assert observation == Observation((Message("user", "Reach 3."),))
    assert info.end is None


async def test_step_returns_gymnasiums_five() -> None:
    env = await started()
    observation, reward, terminated, truncated, info = await env.step(act("add", '{"n": 2}'))
    assert observation.messages == (Message("tool", "2", (), "c0"),)
    assert (reward, terminated, truncated) == (pytest.approx(0.1), False, False)
    assert [(score.channel, score.value, score.turn, score.call, score.reason) for score in info.scores] == [
        ("progress", 0.1, 0, "c0", "added 2")
    ]
    assert info.calls == (agentgym.CallResult("c0", "add", True),)
    assert info.data == {"value": 2}
    assert info.timing is not None
    assert info.timing["step_s"] >= 0
    assert info.record is None


async def test_rewards_of_a_hand_driven_episode_sum_to_the_records_total() -> None:
    env = await started()
    results = [await env.step(action) for action in WIN]
    info = results[-1][4]
    assert info.record is not None
    assert (info.record.success, info.record.total) == (1.0, pytest.approx(1.3))
    assert sum(result[1] for result in results) == pytest.approx(info.record.total)
    assert [result[2] for result in results] == [False, False, False, True]
    assert (info.end, env.ended, env.answer) == ("submitted", "submitted", "3")


async def test_the_last_step_takes_back_what_a_closed_gate_does_not_pay() -> None:
    env = await started()
    results = [await env.step(action) for action in (act("add"), act("add"), act("submit"))]
    assert [result[1] for result in results] == pytest.approx([0.1, 0.1, -0.2])
    assert results[-1][4].record.total == 0.0


async def test_the_world_is_closed_before_the_verdict() -> None:
    seen: list[bool] = []

    class Watching(FakeFlakyVerifier):
        async def verify(self, evidence: Any, runtime: Runtime) -> list[Any]:
            seen.append(env.open)  # type: ignore[attr-defined]
            return await super().verify(evidence, runtime)

    env = await started(counter_spec(verifier=Watching(0)))
    await env.step(act("submit"))
    assert seen == [False]


async def test_verdict_false_leaves_the_verdict_out_and_the_world_open() -> None:
    env = await started(verdict=False)
    *_, (_, reward, terminated, _, info) = [await env.step(action) for action in WIN]
    assert (reward, terminated, info.record) == (0.0, True, None)
    assert env.open  # type: ignore[attr-defined]
    assert await env.artefacts() == {"value": "3"}


async def test_a_verdict_that_can_not_be_had_raises_and_leaves_the_environment_dead() -> None:
    env = await started(counter_spec(verifier=FakeSilentVerifier()))
    with pytest.raises(VerifierError, match="outcome"):
        await env.step(act("submit"))
    with pytest.raises(UsageError, match="dead"):
        await env.step("more")


# ---- calls ------------------------------------------------------------------------------------------------------


async def test_every_call_gets_one_reply_with_its_id_in_order() -> None:
    env = await started()
    calls = (call("add", id="x"), call("nonsense", id="y"), call("add", "{", id="z"), call("look", id="w"))
    observation, *_, info = await env.step(Action("thinking", calls))
    assert [message.tool_call_id for message in observation.messages] == ["x", "y", "z", "w"]
    assert [message.role for message in observation.messages] == ["tool"] * 4
    assert [(result.id, result.ok) for result in info.calls] == [("x", True), ("y", False), ("z", False), ("w", True)]


async def test_calls_after_the_end_are_answered_but_not_executed() -> None:
    env = await started(verdict=False)
    observation, *_, info = await env.step(Action("", (call("submit", id="a"), call("add", id="b"))))
    assert "not executed" in texts(observation)[1]
    assert not info.calls[1].ok
    assert env.value == 0  # type: ignore[attr-defined]


async def test_an_unknown_tool_is_answered_with_those_there_are() -> None:
    observation, *_ = await (await started()).step(act("ad"))
    assert "there is no tool 'ad'" in texts(observation)[0]
    assert "add, look, submit" in texts(observation)[0]


async def test_a_tool_error_is_the_reply_and_costs_the_turn() -> None:
    env = await started()
    observation, _, terminated, _, info = await env.step(act("refuse"))
    assert texts(observation) == ["error: not like this"]
    assert (info.calls[0].ok, info.calls[0].error, info.effective) == (False, "not like this", False)
    assert (terminated, env.turn) == (False, 1)


async def test_an_unexpected_exception_in_a_tool_is_an_observation_and_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    env = await started()
    observation, *_, info = await env.step(act("crash"))
    assert "crash failed: ZeroDivisionError: a bug of the author" in texts(observation)[0]
    assert not info.calls[0].ok
    assert "toy/counter-v0: crash failed" in caplog.text
    assert (await env.step(act("add")))[4].calls[0].ok


async def test_a_sandbox_error_gets_out_and_leaves_only_close() -> None:
    env = await started()
    with pytest.raises(SandboxError, match="the box is gone"):
        await env.step(act("crash", '{"kind": "box"}'))
    for use in (lambda: env.step("x"), lambda: env.reset(task=task()), env.snapshot, env.fork):
        with pytest.raises(UsageError, match="dead"):
            await use()
    await env.close()
    assert not env.open  # type: ignore[attr-defined]


async def test_a_limit_that_a_tool_meets_truncates_with_its_reason() -> None:
    env = await started(verdict=False)
    observation, _, terminated, truncated, info = await env.step(act("crash", '{"kind": "limit"}'))
    assert (terminated, truncated, info.end) == (False, True, "budget")
    assert texts(observation) == ["error: the budget is spent"]


async def test_a_reply_can_be_ok_without_effect() -> None:
    *_, info = await (await started()).step(act("look"))
    assert (info.calls[0].ok, info.calls[0].effective, info.effective) == (True, False, False)


async def test_long_output_is_clipped_to_head_and_tail() -> None:
    env = await started(counter_spec(limits={"output_chars": 100}))
    observation, *_ = await env.step(act("flood", '{"size": 5000}'))
    assert len(texts(observation)[0]) < 200
    assert "4900 characters left out" in texts(observation)[0]


# ---- text, turns, tools -----------------------------------------------------------------------------------------


async def test_text_without_calls_is_nudged_towards_the_tools() -> None:
    observation, reward, terminated, truncated, info = await (await started()).step("I think it is 3")
    assert observation.messages[0].role == "user"
    assert "No tool was called" in texts(observation)[0]
    assert "submit" in texts(observation)[0]
    assert (reward, terminated, truncated, info.calls) == (0.0, False, False, ())


class Noting(Counter):
    """Adds what `note` says to every turn."""

    note: Any = None

    async def on_turn(self) -> Any:
        self.heard = self.results
        return type(self).note


@pytest.fixture
def noting() -> type[Noting]:
    return type("Noting", (Noting,), {})


async def test_on_turn_adds_its_note_to_the_last_message_and_sees_the_results(noting: type[Noting]) -> None:
    noting.note = "two turns left"
    env = await started(counter_spec(entry=noting))
    observation, *_ = await env.step(act("add"))
    assert texts(observation) == ["1\n\ntwo turns left"]
    assert [result.name for result in env.heard] == ["add"]  # type: ignore[attr-defined]


async def test_on_turn_can_replace_the_observation(noting: type[Noting]) -> None:
    noting.note = Observation((Message("user", "a new chapter"),), fresh=True)
    env = await started(counter_spec(entry=noting))
    observation, *_ = await env.step(act("add"))
    assert observation.fresh
    assert texts(observation) == ["a new chapter"]
    assert env.observation == observation


async def test_an_observation_of_the_authors_own_is_never_changed_by_a_note(noting: type[Noting]) -> None:
    constant = Observation((Message("user", "said often"),))

    async def on_text(self: Any, text: str) -> Observation:
        return constant

    noting.on_text, noting.note = on_text, "note"  # type: ignore[method-assign, assignment]
    env = await started(counter_spec(entry=noting))
    for _ in range(2):
        observation, *_ = await env.step("hello")
        assert texts(observation) == ["said often\n\nnote"]
    assert constant == Observation((Message("user", "said often"),))


async def test_allow_narrows_the_tools_from_the_next_observation_on() -> None:
    env = await started()
    observation, *_ = await env.step(Action("", (call("lock", id="a"), call("look", id="b"))))
    assert observation.tools == ("look",)
    observation, *_, info = await env.step(act("add"))
    assert "this is not the time for tool 'add'" in texts(observation)[0]
    assert "these can be called: look" in texts(observation)[0]
    assert not info.calls[0].ok
    await env.reset(task=task())
    assert env.observation.tools is None


class Choosy(Counter):
    async def on_reset(self) -> Observation:  # type: ignore[override]
        await super().on_reset()
        return Observation((Message("user", "only look"),), tools=("look",))


async def test_tools_named_in_an_observation_are_enforced() -> None:
    env = await started(counter_spec(entry=Choosy))
    assert not (await env.step(act("add")))[4].calls[0].ok
    assert (await env.step(act("look")))[4].calls[0].ok
    assert env.observation.tools == ("look",)


class Parts(Environment[Config]):
    async def on_reset(self) -> tuple[Message, ...]:
        return (Message("system", "s"), Message("user", (Text("a"), agentgym.Blob("image/png", b"x"))))

    @tool
    def draw(self) -> tuple[Any, ...]:
        """Draw."""
        return (Text("a" * 100), agentgym.Blob("image/png", b"y" * 100))


async def test_messages_and_parts_pass_and_only_their_text_is_clipped() -> None:
    spec = counter_spec(entry=Parts, config=Config(), limits={"output_chars": 20})
    env = make(spec, verdict=False)
    observation, _ = await env.reset(task=task())
    assert [message.role for message in observation.messages] == ["system", "user"]
    observation, *_ = await env.step(act("draw"))
    text, blob = observation.messages[0].content
    assert "characters left out" in text.text  # type: ignore[union-attr]
    assert blob.data == b"y" * 100  # type: ignore[union-attr]


# ---- limits -----------------------------------------------------------------------------------------------------


async def test_the_turn_limit_truncates_and_is_scored() -> None:
    env = await started(counter_spec(limits={"turns": 2}))
    await env.step(act("add"))
    _, _, terminated, truncated, info = await env.step(act("add"))
    assert (terminated, truncated, info.end, env.truncated) == (False, True, "turn_limit", True)
    assert info.record is not None
    with pytest.raises(UsageError, match="the episode is over"):
        await env.step(act("add"))


async def test_ending_in_the_last_turn_is_not_a_truncation() -> None:
    env = await started(counter_spec(limits={"turns": 1}))
    _, _, terminated, truncated, info = await env.step(act("submit"))
    assert (terminated, truncated, info.end) == (True, False, "submitted")


async def test_a_tool_over_its_time_truncates_and_the_agent_is_told() -> None:
    env = await started(counter_spec(limits={"call_s": 0.02}), verdict=False)
    observation, _, terminated, truncated, info = await env.step(act("wait", '{"seconds": 30}'))
    assert (terminated, truncated, info.end) == (False, True, "call_time")
    assert "took longer than 0.02 s" in texts(observation)[0]


async def test_an_episode_over_its_wall_time_truncates() -> None:
    env = await started(counter_spec(limits={"episode_s": 0.01}), verdict=False)
    _, _, _, truncated, info = await env.step(act("wait", '{"seconds": 0.03}'))
    assert (truncated, info.end) == (True, "wall_time")


def test_wall_time_masks_and_everything_else_scores_unless_the_spec_says() -> None:
    assert counter.masks("wall_time")
    assert not counter.masks("turn_limit")
    turned = counter_spec(on_truncate={"wall_time": "score", "turn_limit": "mask"})
    assert not turned.masks("wall_time")
    assert turned.masks("turn_limit")


# ---- misuse, cancellation, closing ------------------------------------------------------------------------------


async def test_step_before_reset_says_what_to_do() -> None:
    with pytest.raises(UsageError, match="new: call reset first"):
        await make().step("x")


async def test_calls_are_not_re_entrant() -> None:
    env = await started()
    first = asyncio.create_task(env.step(act("wait", '{"seconds": 0.05}')))
    await asyncio.sleep(0)
    for use in (lambda: env.step("x"), env.snapshot, lambda: env.reset(task=task())):
        with pytest.raises(UsageError, match="busy"):
            await use()
    assert (await first)[4].calls[0].ok


async def test_a_cancelled_step_leaves_the_environment_dead() -> None:
    env = await started()
    step = asyncio.create_task(env.step(act("wait", '{"seconds": 30}')))
    await asyncio.sleep(0.01)
    step.cancel()
    with pytest.raises(asyncio.CancelledError):
        await step
    with pytest.raises(UsageError, match="dead"):
        await env.step("x")


async def test_a_broken_task_raises_out_of_reset() -> None:
    env = make()
    with pytest.raises(TaskError, match="'t0' is broken"):
        await env.reset(task=task(broken=True))
    with pytest.raises(UsageError, match="dead"):
        await env.reset(task=task())


class Closing(Counter):
    """Counts its closings; `slow` seconds each, `fails` with what is given."""

    slow = 0.0
    fails: Exception | None = None

    async def on_close(self) -> None:
        self.closings = getattr(self, "closings", 0) + 1
        await asyncio.sleep(self.slow)
        if self.fails:
            raise self.fails
        await super().on_close()


async def test_close_is_idempotent_and_final() -> None:
    env = await started(counter_spec(entry=Closing))
    await env.close()
    await env.close()
    assert env.closings == 1  # type: ignore[attr-defined]
    with pytest.raises(UsageError, match="closed: make a new one"):
        await env.reset(task=task())


async def test_close_finishes_under_cancellation() -> None:
    env = await started(counter_spec(entry=Closing))
    env.slow = 0.05  # type: ignore[attr-defined]
    closing = asyncio.create_task(env.close())
    await asyncio.sleep(0.01)
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    assert not env.open  # type: ignore[attr-defined]


async def test_close_gives_up_at_its_deadline(caplog: pytest.LogCaptureFixture) -> None:
    env = await started(counter_spec(entry=Closing, limits={"close_s": 0.02}))
    env.slow = 30.0  # type: ignore[attr-defined]
    await asyncio.wait_for(env.close(), 5)
    assert "on_close did not end within 0.02 s" in caplog.text


async def test_a_failing_on_close_is_logged_not_raised(caplog: pytest.LogCaptureFixture) -> None:
    env = await started(counter_spec(entry=Closing))
    env.fails = RuntimeError("no door")  # type: ignore[attr-defined]
    await env.close()
    assert "no door" in caplog.text


async def test_an_environment_that_was_never_reset_has_nothing_to_close() -> None:
    env = make(counter_spec(entry=Closing))
    await env.close()
    assert not hasattr(env, "closings")


@pytest.mark.parametrize("ends", [False, True])
async def test_reset_closes_the_world_of_the_episode_before(ends: bool) -> None:
    env = await started(counter_spec(entry=Closing), verdict=False)
    await env.step(act("submit") if ends else act("add"))
    await env.reset(task=task("t1"))
    assert env.closings == 1  # type: ignore[attr-defined]
    assert (env.turn, env.turns, env.ended, env.answer) == (0, [], None, None)


# ---- seeds ------------------------------------------------------------------------------------------------------


async def roll(id: str, seed: int) -> str:
    env = make()
    await env.reset(task=task(id), seed=seed)
    return texts((await env.step(act("roll")))[0])[0]


async def test_the_random_source_depends_on_task_and_seed_alone() -> None:
    assert await roll("t0", 1) == await roll("t0", 1)
    assert len({await roll("t0", 1), await roll("t0", 2), await roll("t1", 1)}) == 3


async def test_without_a_task_reset_picks_a_train_task_by_seed() -> None:
    picked = []
    for seed in (0, 1, 2, 3, 0):
        env = make()
        await env.reset(seed=seed)
        picked.append(env.task.id)
    assert picked[0] == picked[-1]
    assert len(set(picked)) > 1
    assert all(id.startswith("t") for id in picked)


async def test_no_train_tasks_is_a_task_error() -> None:
    env = make(counter_spec(id="toy/empty-v0", tasks=lambda config, runtime: TaskList([])))
    with pytest.raises(TaskError, match="no train tasks"):
        await env.reset()


async def test_same_actions_give_the_same_observations_and_hashes() -> None:
    runs = []
    for _ in range(2):
        env = await started(verdict=False)
        seen = [(await env.step(action))[0] for action in (act("roll"), act("add"), act("look"))]
        runs.append((seen, await env.state_hash()))
    assert runs[0] == runs[1]


# ---- snapshot, restore, fork ------------------------------------------------------------------------------------

both = pytest.mark.parametrize("spec", [counter, native], ids=["replay", "native"])


@both
async def test_restore_comes_back_to_the_very_point(spec: EnvSpec) -> None:
    env = await started(spec)
    await env.step(act("add", '{"n": 5}'))
    await env.step(act("lock"))
    ref, here, turns = await env.snapshot(), await env.state_hash(), len(env.turns)
    await env.step(act("look"))
    observation = await env.restore(ref)
    assert await env.state_hash() == here
    assert (env.turn, len(env.turns)) == (2, turns)
    assert (texts(observation), observation.tools) == (["locked"], ("look",))
    await env.release(ref)


@both
async def test_a_snapshot_can_be_restored_again_and_elsewhere(spec: EnvSpec) -> None:
    env = await started(spec)
    await env.step(act("add", '{"n": 5}'))
    ref = await env.snapshot()
    other = make(spec)
    for target in (env, other, env):
        await target.restore(ref)
        observation, *_ = await target.step(act("add"))
        assert texts(observation) == ["6"]


@both
async def test_forks_go_on_apart(spec: EnvSpec) -> None:
    env = await started(spec)
    await env.step(act("add"))
    branch = await env.fork()
    await branch.step(act("add", '{"n": 10}'))
    assert texts((await env.step(act("look")))[0]) == ["1"]
    assert texts((await branch.step(act("look")))[0]) == ["11"]
    assert [len(each.turns) for each in (env, branch)] == [2, 3]


@both
async def test_a_branch_draws_the_same_random_numbers(spec: EnvSpec) -> None:
    env = await started(spec)
    await env.step(act("roll"))
    branch = await env.fork()
    assert texts((await branch.step(act("roll")))[0]) == texts((await env.step(act("roll")))[0])


@both
async def test_rewards_of_a_branch_still_sum_to_its_total(spec: EnvSpec) -> None:
    env = await started(spec)
    paid = (await env.step(act("add")))[1]
    branch = await env.fork()
    results = [await branch.step(action) for action in (act("add"), act("add"), act("submit"))]
    assert paid + sum(result[1] for result in results) == pytest.approx(results[-1][4].record.total)


async def test_native_state_is_owned_and_released() -> None:
    NativeCounter.saved.clear()
    env = await started(native)
    ref = await env.snapshot()
    assert len(NativeCounter.saved) == 1
    await env.release(ref)
    await env.release(ref)
    assert not NativeCounter.saved
    await (await env.fork()).close()
    assert not NativeCounter.saved


async def test_a_released_native_reference_still_restores_by_replay() -> None:
    env = await started(native)
    await env.step(act("add", '{"n": 4}'))
    ref = await env.snapshot()
    await env.release(ref)
    await env.restore(ref)
    assert env.value == 4  # type: ignore[attr-defined]


async def test_an_environment_that_can_not_be_forked_says_so() -> None:
    env = await started(counter_spec(forking="none"))
    with pytest.raises(UsageError, match="can not be forked"):
        await env.fork()


async def test_a_fork_that_fails_closes_the_branch_and_drops_the_state() -> None:
    NativeCounter.saved.clear()
    closed: list[Any] = []

    class FakeUnloadable(NativeCounter):
        async def load(self, native: Any) -> None:
            raise SandboxError("no box for the branch")

        async def on_close(self) -> None:
            closed.append(self)

    env = await started(counter_spec(entry=FakeUnloadable, forking="native"))
    with pytest.raises(SandboxError):
        await env.fork()
    assert len(closed) == 1
    assert closed[0] is not env
    assert not NativeCounter.saved
    assert (await env.step(act("add")))[4].calls[0].ok


async def test_a_diverging_replay_is_caught() -> None:
    env = await started(drifting)
    await env.step(act("add"))
    ref = await env.snapshot()
    with pytest.raises(UsageError, match="replaying 1 actions of t0 diverged"):
        await env.restore(ref)
    with pytest.raises(UsageError, match="dead"):
        await env.step(act("add"))


async def test_a_replay_that_ends_too_early_has_diverged() -> None:
    env = make(verdict=False)
    ref = StateRef(task(), 0, (act("submit"), act("add")))
    with pytest.raises(UsageError, match="diverged"):
        await env.restore(ref)


def replay_elsewhere(pickled: bytes) -> tuple[str | None, int]:
    """Runs in another process: restore the reference and step once more."""

    async def main() -> tuple[str | None, int]:
        env = make(native)
        await env.restore(pickle.loads(pickled))
        await env.step(act("add"))
        return await env.state_hash(), env.turn

    return asyncio.run(main())


async def test_a_reference_crosses_processes_and_replays_there() -> None:
    env = await started(native)
    await env.step(act("add", '{"n": 7}'))
    await env.step(act("roll"))
    ref = await env.snapshot()
    pickled = pickle.dumps(ref)
    assert pickle.loads(pickled) == ref
    assert pickle.loads(pickled).native is None
    await env.step(act("add"))
    spawn = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=spawn) as pool:
        elsewhere = await asyncio.get_running_loop().run_in_executor(pool, replay_elsewhere, pickled)
    assert elsewhere == (await env.state_hash(), 3)


# ---- shared resources -------------------------------------------------------------------------------------------


class Sharing(Counter):
    opened: list[Any] = []  # noqa: RUF012 - shared on purpose

    @classmethod
    async def open_shared(cls, config: Any, runtime: Any) -> object:
        await asyncio.sleep(0.01)
        cls.opened.append(config)
        return object()


async def test_shared_resources_are_opened_once_for_a_configuration() -> None:
    Sharing.opened.clear()
    runtime, spec = Runtime(), counter_spec(entry=Sharing)
    envs = [make(spec, runtime) for _ in range(5)] + [make(spec, runtime, target=9)]
    await asyncio.gather(*(env.reset(task=task()) for env in envs))
    assert len(Sharing.opened) == 2
    assert len({id(env.shared) for env in envs[:5]}) == 1
    assert envs[5].shared is not envs[0].shared


def test_public_tasks_hide_their_secret() -> None:
    whole = Task("t", "toy/counter-v0", {"a": 1}, secret={"truth": 3})
    assert whole.public() == Task("t", "toy/counter-v0", {"a": 1})
    assert whole.public().hash != whole.hash
