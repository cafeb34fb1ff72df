"""Episode: contexts of actors, seeds, limits of the policy, forks, and how an episode ends as a Trajectory."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

import agentgym
from agentgym import (
    Action,
    Context,
    EnvSpec,
    Episode,
    EpisodeKey,
    LimitExceeded,
    Limits,
    Message,
    Observation,
    Policy,
    PolicyError,
    Runtime,
    RuntimeLimits,
    Sample,
    SandboxError,
    Trajectory,
    UsageError,
    VerifierError,
)
from agentgym.seeds import derive_seed
from tests.toys import Counter, FakeSilentVerifier, act, counter, counter_spec, duo, native, scripted, solve, task


class Recorder:
    """Plays `play` and keeps what it was told (copies, for the engine's lists grow)."""

    name = "recorder"

    def __init__(self, play: Any = solve, privileged: bool = False) -> None:
        self.play = play
        self.privileged = privileged
        self.seen: list[Context] = []

    async def act(self, context: Context, n: int = 1) -> list[Action]:
        context.messages, context.tokens = list(context.messages), list(context.tokens)
        self.seen.append(context)
        return [self.play(context)] * n


async def start(policy: Any, spec: EnvSpec = counter, runtime: Runtime | None = None, **more: Any) -> Episode:
    env = agentgym.make(spec, runtime=runtime or Runtime(), verdict=False)
    return await Episode.start(env, policy, task(), **more)


async def play(policy: Any, spec: EnvSpec = counter, **more: Any) -> Trajectory:
    episode = await start(policy, spec, **more)
    while not await episode.turn():
        pass
    return await episode.finish()


async def test_a_solved_episode_is_a_scored_trajectory() -> None:
    key = EpisodeKey("run-1", "t0", sample=2, attempt=1)
    trajectory = await play(scripted(), key=key, seed=5)
    assert (trajectory.status, trajectory.end, trajectory.truncated) == ("scored", "submitted", False)
    assert (trajectory.success, trajectory.answer) == (1.0, "3")
    assert (trajectory.key, trajectory.group, trajectory.seed) == (key, "t0", 5)
    assert (trajectory.spec, trajectory.spec_hash) == (counter.id, counter.hash)
    assert trajectory.task_hash == task().hash
    assert trajectory.artefacts == {"value": "3"}
    assert trajectory.record is not None
    assert trajectory.record.total == pytest.approx(1.3)
    assert len(trajectory.record.turns) == len(trajectory.turns) == 4
    assert [score.channel for score in trajectory.scores] == ["progress"] * 3 + ["outcome"]


async def test_the_box_is_closed_before_the_verdict_and_after_the_artefacts() -> None:
    order: list[str] = []

    class Watched(Counter):
        async def artefacts(self) -> dict[str, str]:
            order.append("artefacts")
            return await super().artefacts()

        async def on_close(self) -> None:
            order.append("close")

    class WatchedVerifier(FakeSilentVerifier):
        async def verify(self, evidence: Any, runtime: Runtime) -> list[Any]:
            order.append("verdict")
            return [agentgym.Score("outcome", 1.0)]

    await play(scripted(), counter_spec(entry=Watched, verifier=WatchedVerifier()))
    assert order == ["artefacts", "close", "verdict"]


async def test_the_policy_sees_the_whole_conversation_and_which_part_is_new() -> None:
    policy = Recorder()
    await play(policy)
    second = policy.seen[1]
    assert [message.role for message in second.messages] == ["user", "assistant", "tool"]
    assert second.messages[1].tool_calls[0].name == "add"
    assert [context.new for context in policy.seen] == [0, 2, 4, 6]
    assert [context.turn for context in policy.seen] == [0, 1, 2, 3]
    assert [tool.name for tool in second.tools] == list(Counter.toolbox)


async def test_only_allowed_tools_are_offered() -> None:
    policy = Recorder(lambda context: act("lock") if context.turn == 0 else act("look"))
    episode = await start(policy)
    await episode.turn()
    await episode.turn()
    assert [tool.name for tool in policy.seen[1].tools] == ["look"]


@pytest.mark.parametrize("privileged", [False, True])
async def test_only_privileged_policies_see_the_secret(privileged: bool) -> None:
    policy = Recorder(privileged=privileged)
    await (await start(policy)).turn()
    assert policy.seen[0].task == (task() if privileged else task().public())


async def test_policy_seeds_depend_on_task_sample_and_turn_and_the_worlds_on_the_task() -> None:
    seeds, worlds = [], []
    for sample in (0, 1, 0):
        policy = Recorder()
        episode = await start(policy, key=EpisodeKey("run", "t0", sample), seed=9)
        await episode.turn()
        await episode.turn()
        seeds.append([context.seed for context in policy.seen])
        worlds.append(episode.env.seed)
    assert seeds[0] == seeds[2]
    assert len({*seeds[0], *seeds[1]}) == 4
    assert seeds[0][1] == derive_seed("policy", 9, "t0", 0, 1)
    assert worlds == [derive_seed("environment", 9, "t0")] * 3


async def test_a_retry_changes_no_seed() -> None:
    policies = [Recorder(), Recorder()]
    for attempt, policy in enumerate(policies):
        await (await start(policy, key=EpisodeKey("run", "t0", 1, attempt))).turn()
    assert policies[0].seen[0].seed == policies[1].seen[0].seed


async def test_tokens_grow_as_sampled_and_are_cut_where_a_sample_keeps_less() -> None:
    samples = [Sample(0, [1, 2], [3], [0.0]), Sample(3, [4], [5, 6], [0.0, 0.0]), Sample(2, [9], [8], [0.0])]

    def sampled(context: Context) -> Action:
        action = solve(context)
        action.sample = samples[context.turn] if context.turn < 3 else None
        return action

    policy = Recorder(sampled)
    await play(policy)
    assert [list(context.tokens) for context in policy.seen] == [[], [1, 2, 3], [1, 2, 3, 4, 5, 6], [1, 2, 9, 8]]


async def test_a_fresh_observation_starts_a_new_context() -> None:
    class Chapters(Counter):
        async def on_turn(self) -> Observation | None:
            return Observation((Message("user", f"chapter {self.turn + 1}"),), fresh=True)

    def sampled(context: Context) -> Action:
        action = solve(context)
        action.sample = Sample(0, [1], [2], [0.0])
        return action

    policy = Recorder(sampled)
    await play(policy, counter_spec(entry=Chapters))
    assert [[message.text for message in context.messages] for context in policy.seen[1:]] == [
        ["chapter 1"],
        ["chapter 2"],
        ["chapter 3"],
    ]
    assert all((context.new, context.tokens) == (0, []) for context in policy.seen)


async def test_each_actor_has_a_context_of_its_own() -> None:
    ping = Recorder(lambda context: Action(f"ping {context.turn}"))
    pong = Recorder(lambda context: Action(f"pong {context.turn}"))
    trajectory = await play({"ping": ping, "pong": pong}, duo)
    assert [turn.observation.actor for turn in trajectory.turns] == ["ping", "pong", "ping", "pong"]
    assert [message.text for message in ping.seen[1].messages] == ["ping?", "ping 0", "pong 1!"]
    assert [message.text for message in pong.seen[1].messages] == ["ping 0!", "pong 1", "ping 2!"]


async def test_an_actor_without_a_policy_is_refused_at_the_start() -> None:
    with pytest.raises(UsageError, match="actors without a policy: pong"):
        await start({"ping": Recorder()}, duo)


# ---- ends -------------------------------------------------------------------------------------------------------


def raising(error: BaseException, turn: int = 1) -> Policy:
    def play(context: Context) -> Action:
        if context.turn == turn:
            raise error
        return solve(context)

    return scripted(play)


async def test_a_full_context_truncates_and_is_scored() -> None:
    trajectory = await play(raising(LimitExceeded("context")))
    assert (trajectory.status, trajectory.end, trajectory.truncated) == ("scored", "context", True)
    assert (trajectory.success, len(trajectory.turns)) == (0.0, 1)


async def test_a_slow_policy_meets_the_wall_time_and_is_masked() -> None:
    async def slow(context: Context) -> Action:
        await asyncio.sleep(30)
        return Action()

    trajectory = await play(scripted(slow), counter_spec(limits={"episode_s": 0.02}))
    assert (trajectory.status, trajectory.end, trajectory.truncated) == ("masked", "wall_time", True)
    assert trajectory.record is None
    assert trajectory.success is None


async def test_masking_is_the_specs_choice() -> None:
    spec = counter_spec(limits={"turns": 1}, on_truncate={"turn_limit": "mask"})
    assert (await play(scripted(), spec)).status == "masked"
    assert (await play(scripted(), counter_spec(limits={"turns": 1}))).status == "scored"


async def test_a_policys_own_timeout_is_a_policy_error() -> None:
    with pytest.raises(PolicyError, match="policy timed out"):
        await play(raising(TimeoutError("socket")), counter_spec(limits={"episode_s": 60.0}))


async def test_a_policy_that_gives_too_few_actions_is_at_fault() -> None:
    class FakeMiser(Recorder):
        async def act(self, context: Context, n: int = 1) -> list[Action]:
            return []

    with pytest.raises(PolicyError, match="asked for 1 actions and gave 0"):
        await play(FakeMiser())


async def test_turning_an_episode_that_is_over_is_refused() -> None:
    episode = await start(scripted(lambda context: act("submit")))
    assert await episode.turn()
    with pytest.raises(UsageError, match="call finish"):
        await episode.turn()


async def test_no_verdict_keeps_what_there_is() -> None:
    episode = await start(scripted(), counter_spec(verifier=FakeSilentVerifier()))
    while not await episode.turn():
        pass
    with pytest.raises(VerifierError) as caught:
        await episode.finish()
    trajectory = await episode.failed(caught.value)
    assert (trajectory.status, trajectory.record) == ("failed", None)
    assert trajectory.cause.startswith("VerifierError: ")
    assert (trajectory.artefacts, len(trajectory.turns)) == ({"value": "3"}, 4)


async def test_a_lost_box_is_scored_without_artefacts_and_with_the_last_action() -> None:
    episode = await start(scripted(lambda context: act("crash", '{"kind": "box"}')))
    with pytest.raises(SandboxError):
        await episode.turn()
    trajectory = await episode.lose("box_died")
    assert (trajectory.status, trajectory.end, trajectory.success) == ("scored", "box_died", 0.0)
    assert trajectory.artefacts == {}
    assert trajectory.turns[-1].action == act("crash", '{"kind": "box"}')


async def test_another_verifier_and_rubric_can_judge() -> None:
    class Generous(FakeSilentVerifier):
        async def verify(self, evidence: Any, runtime: Runtime) -> list[Any]:
            return [agentgym.Score("outcome", 0.5)]

    rubric = agentgym.Rubric((agentgym.Channel("outcome", "outcome", weight=4.0),))
    episode = await start(scripted())
    while not await episode.turn():
        pass
    trajectory = await episode.finish(Generous(), rubric)
    assert trajectory.record is not None
    assert (trajectory.record.total, trajectory.success) == (2.0, 0.5)


# ---- search -----------------------------------------------------------------------------------------------------


async def test_propose_gives_alternatives_and_moves_nothing() -> None:
    episode = await start(Recorder())
    assert len(await episode.propose(3)) == 3
    assert (episode.env.turn, episode.over) == (0, False)
    await episode.play(act("add"))
    assert episode.env.turn == 1


@pytest.mark.parametrize("spec", [counter, native], ids=["replay", "native"])
async def test_a_forked_episode_goes_on_apart_with_the_same_context(spec: EnvSpec) -> None:
    policy = Recorder()
    episode = await start(policy, spec)
    await episode.turn()
    branch = await episode.fork(sample=7)
    await branch.play(act("add", '{"n": 5}'))
    await branch.play(act("submit"))
    while not await episode.turn():
        pass
    main, side = await episode.finish(), await branch.finish()
    assert (main.success, side.success) == (1.0, 0.0)
    assert (main.parent, side.parent, side.key.sample) == (None, "0@1", 7)
    assert [len(each.turns) for each in (main, side)] == [4, 3]
    assert [message.role for message in policy.seen[1].messages] == ["user", "assistant", "tool"]


def adds(*numbers: int) -> Policy:
    def play(context: Context) -> Action:
        return act("add", f'{{"n": {numbers[context.turn]}}}') if context.turn < len(numbers) else act("submit")

    return scripted(play)


async def test_equal_states_of_two_episodes_have_equal_hashes_and_others_do_not() -> None:
    one, other = await play(adds(1, 4), hash_states=True), await play(adds(3, 0, 2, -5), hash_states=True)
    values = dict(zip([*one.states, *other.states], [0, 1, 5, 0, 3, 3, 5, 0], strict=True))
    assert None not in values and len(values) == 4
    assert [values[state] for state in other.states] == [0, 3, 3, 5, 0]
    assert [values[state] for state in one.states] == [0, 1, 5]
    assert one.turns[-1].info.state_hash is None, "what the last turn leaves is nobody's beginning"


async def test_states_are_hashed_only_where_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(self: Counter) -> Any:
        raise AssertionError("a hash that nobody asked for")

    monkeypatch.setattr(Counter, "state", fails)
    assert (await play(scripted())).states == [None] * 4


async def test_an_environment_that_does_not_tell_its_state_has_no_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Counter, "state", agentgym.Environment.state)
    assert (await play(scripted(), hash_states=True)).states == [None] * 4


@pytest.mark.parametrize("spec", [counter, native], ids=["replay", "native"])
async def test_a_forked_episode_keeps_the_hashes(spec: EnvSpec) -> None:
    episode = await start(adds(1, 1), spec, hash_states=True)
    await episode.turn()
    branch = await episode.fork(sample=1)
    await branch.play(act("add", '{"n": 2}'))
    await branch.play(act("submit"))
    while not await episode.turn():
        pass
    main, side = await episode.finish(), await branch.finish()
    assert main.states[:2] == side.states[:2] and main.states[2] != side.states[2]
    assert None not in (*main.states, *side.states)


async def test_model_calls_are_limited_by_the_runtime() -> None:
    running = most = 0

    async def slow(context: Context) -> Action:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.002)
        running -= 1
        return act("submit")

    runtime = Runtime(limits=RuntimeLimits(model_calls=2))
    await asyncio.gather(*(play(scripted(slow), runtime=runtime) for _ in range(8)))
    assert most == 2


async def test_a_context_at_the_token_limit_truncates_the_episode():
    policy = Recorder(lambda context: Action("on", sample=Sample(len(context.tokens), [1, 2], [3, 4], [-1.0, -1.0])))
    trajectory = await play(policy, counter_spec(limits=Limits(tokens=8)))
    assert (trajectory.end, trajectory.truncated, len(trajectory.turns)) == ("context", True, 2)


@pytest.mark.parametrize("privileged", [True, False])
async def test_only_a_privileged_policy_is_told_what_the_environment_reveals(privileged):
    class Revealing(Counter):
        async def reveal(self) -> Any:
            return {"turn": self.turn}

    policy = Recorder(privileged=privileged)
    await play(policy, replace(counter, entry=Revealing))
    assert policy.seen[0].revealed == ({"turn": 0} if privileged else None)
