"""Episodes: the step API, what is paid, states, and tasks from the library that is installed."""

import json

import pytest

import agentgym
from agentgym.envs.prover.coq import library
from agentgym.envs.prover.specs import STDLIB
from agentgym.envs.prover.tasks import split_of
from agentgym.errors import TaskError
from agentgym.seeds import content_hash
from agentgym.testing import check_environment
from agentgym.types import Action, ToolCall

TASK = "Coq.Bool.Bool:orb_true_r"
GOLDEN = "98b18b0a27f6d2c2"


def call(name, **given):
    return Action(calls=(ToolCall("c", name, json.dumps(given)),))


@pytest.fixture
async def env(runtime):
    env = agentgym.make(STDLIB, runtime=runtime, provers=2)
    yield env
    await env.close()


async def test_an_episode(env):
    """A proof by hand: text is a tactic, errors cost and do not end, the verdict comes with the last step."""
    task = await env.tasks.get(TASK)
    seen, _ = await env.reset(task=task)
    assert "orb_true_r" in seen.messages[-1].text and "forall b : bool" in seen.messages[-1].text
    seen, reward, *_ = await env.step("destruct b")
    assert "full stop" in seen.messages[-1].text and reward < 0
    await env.step("intros c.")
    seen, *_ = await env.step(call("query", command="Check orb."))
    assert seen.messages[-1].text.startswith("orb")
    before = await env.state_hash()
    await env.step("destruct c.")
    assert await env.state_hash() != before
    seen, *_ = await env.step(call("back"))
    assert await env.state_hash() == before and "c : bool" in seen.messages[-1].text
    _, reward, terminated, truncated, info = await env.step(call("tactic", step="now destruct c."))
    assert terminated and not truncated and info.record.success == 1.0
    told = {channel.name: channel.value for channel in info.record.channels}
    assert told["errors"] == 1 and told["tactics"] == 3 and told["sentences"] == 2
    assert info.record.total == pytest.approx(1 + 0.02 - 0.004)


async def test_nothing_has_changed(env):
    """A golden hash over the list, a task, what is seen and what is paid: who changes any of it bumps the version."""
    task = await env.tasks.get(TASK)
    seen, _ = await env.reset(task=task)
    told = [seen.messages[-1].text]
    for step in ("intros c.", "destruct d.", "-", "reflexivity.", "now destruct c."):
        seen, reward, *_ = await env.step(step)
        told += [seen.messages[-1].text, round(reward, 6)]
    ids = {split: [id async for id in env.tasks.ids(split)] for split in ("train", "validation", "test")}
    assert content_hash([task.hash, told, ids])[:16] == GOLDEN


async def test_a_proof_that_the_session_believes(env):
    """`exact_no_check` leaves no goals; the verdict knows better, and then nothing is paid."""
    await env.reset(task=await env.tasks.get(TASK))
    seen, _, terminated, _, info = await env.step("exact_no_check I.")
    assert terminated and "No goals left" in seen.messages[-1].text
    assert info.record.success == 0.0 and info.record.total == 0.0
    (reason,) = next(channel.reasons for channel in info.record.channels if channel.name == "proved")
    assert "type" in reason


async def test_forks_go_on_apart(env):
    await env.reset(task=await env.tasks.get(TASK))
    await env.step("intros c.")
    branch = await env.fork()
    await branch.step("destruct c.")
    assert await branch.state_hash() != await env.state_hash()
    _, _, done, _, info = await env.step("now destruct c.")
    assert done and info.record.success == 1.0
    await branch.step("-")
    seen, *_ = await branch.step("reflexivity.")
    assert "behind bullets" in seen.messages[-1].text
    await branch.close()


async def test_what_models_send(env):
    """Long, odd and broken steps are answered."""
    await env.reset(task=await env.tasks.get(TASK))
    for text in (
        "",
        "auto",
        "x" * 1_000_000,
        "auto. auto.",
        "intros \ud800.",
        "((((",
        "intros ☃.",
        "{",
        "}",
        "}",
        "-",
        "+",
        "2: {",
    ):
        seen, _, terminated, *_ = await env.step(text)
        assert not terminated and seen.messages[-1].text
    seen, *_ = await env.step(call("back", steps=0))
    assert "at least 1" in seen.messages[-1].text
    seen, *_ = await env.step(call("back", steps=10**9))
    assert seen.messages[-1].text.startswith("0 steps are left")


async def test_a_goal_of_a_hundred_kilobytes(env):
    await env.reset(task=await env.tasks.get(TASK))
    seen, *_ = await env.step("assert (big : " + " /\\ ".join(["True"] * 12_000) + ").")
    assert "cut" in seen.messages[-1].text and len(seen.messages[-1].text) < 11_000
    seen, *_ = await env.step("now destruct big.")
    assert seen.messages[-1].text


def test_the_list():
    """Enough theorems, every file in one split, and difficulty that says something."""
    tasks = STDLIB.tasks(STDLIB.config, None)
    sizes = {split: tasks.size(split) for split in ("train", "validation", "test")}
    assert sum(sizes.values()) >= 3_000 and min(sizes.values()) >= 200
    modules = {id.split(":")[0] for id in tasks._listed}
    assert len(modules) > 100 and {split_of(module) for module in modules} == set(sizes)


async def test_tasks_are_what_is_installed(runtime):
    tasks = runtime.tasks(STDLIB)
    task = await tasks.get(TASK)
    assert task.payload["header"] + task.payload["statement"] in library.read("Coq.Bool.Bool").text
    assert "orb_true_r :" not in task.payload["header"] and task.secret["steps"] and task.tags[0] == "Bool"
    assert task.public().secret == {}
    with pytest.raises(TaskError, match="no task"):
        await tasks.get("Coq.Bool.Bool:nonsense")


async def test_another_text_is_refused(runtime, monkeypatch):
    """A library that is not the one on the list gives no task, instead of a task with another meaning."""
    file = library.read("Coq.Bool.Bool")
    monkeypatch.setattr(library, "read", lambda module: library.LibraryFile(module, file.text + " ", file.theorems))
    with pytest.raises(TaskError, match="another text"):
        await runtime.tasks(STDLIB).get(TASK)


@pytest.mark.parametrize("text", ["", "{}", '{"files": {"M": {"theorems": [{}]}}}'])
def test_a_broken_list(tmp_path, text):
    path = tmp_path / "list.json"
    path.write_text(text)
    with pytest.raises(TaskError, match="no list of theorems"):
        STDLIB.tasks(STDLIB.config.model_copy(update={"tasks": path}), None)
    with pytest.raises(TaskError, match=r"coq\.generate"):
        STDLIB.tasks(STDLIB.config.model_copy(update={"tasks": tmp_path / "nowhere.json"}), None)


@pytest.mark.nightly
async def test_audit():
    report = await check_environment(STDLIB, limit=4, backend="bubblewrap", concurrency=4)
    assert report.passed, report.problems


@pytest.mark.nightly
async def test_the_librarys_own_proofs(runtime):
    """Of every file the longest proof of the list, verified."""
    from agentgym.envs.prover.environment import problem_of
    from agentgym.envs.prover.verify import verify

    tasks = runtime.tasks(STDLIB)
    longest = {}
    for id, row in tasks._listed.items():
        if row.steps >= longest.get(row.module, (0, ""))[0]:
            longest[row.module] = (row.steps, id)
    refused = {}
    for _, id in longest.values():
        task = await tasks.get(id)
        verdict = await verify(problem_of(task), task.secret["steps"], task.secret["assumptions"], runtime)
        if not verdict.ok:
            refused[id] = verdict.why
    assert refused == {}
