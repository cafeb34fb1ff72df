"""mini-swe-agent as it comes from the index, in our boxes: its deterministic model acts, our verifier judges, our store keeps."""

import asyncio
import json
import subprocess
import sys
import threading
import time
from dataclasses import replace

import pytest

from agentgym import registry
from agentgym.envs.swe.mini_swe_agent import collect, maker, play
from agentgym.envs.swe.mini_swe_agent.__main__ import main as command_line
from agentgym.envs.swe.mini_swe_agent.agents import library
from agentgym.envs.swe.specs import RELEASE
from agentgym.errors import SandboxError, UsageError
from agentgym.runtime import Runtime
from agentgym.store import Store
from agentgym.types import EpisodeKey
from tests.envs.swe.conftest import place

models = library(".models.test_models")

FIX = "sed -i 's/value > low/value < low/' mini/core.py"
DONE = "echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT"


def says(*commands, text="I think."):
    """What the model answers: each a command, several in a tuple, or what stands for itself."""
    outputs = []
    for number, each in enumerate(commands):
        asked = each if isinstance(each, tuple) else (each,)
        ids = [f"call_{number}_{index}" for index in range(len(asked))]
        actions = [
            {**(command if isinstance(command, dict) else {"command": command}), "tool_call_id": id}
            for command, id in zip(asked, ids, strict=True)
        ]
        outputs.append(models.make_toolcall_output(f"{text} {number}", [], actions))
    return lambda: models.DeterministicToolcallModel(outputs=outputs)


def fails(error):
    """A model that answers once, then its endpoint fails."""

    class Failing(models.DeterministicToolcallModel):
        def query(self, messages, **more):
            if self.current_index == 0:
                raise error
            return super().query(messages, **more)

    return lambda: Failing(outputs=says("ls")().config.outputs)


@pytest.fixture
def episode(runtime, task, tree, deps):
    """Plays one episode of the small package with a model; with `limits` in place of the environment's."""

    async def played(model, spec=RELEASE, key=None, limits=None, **options):
        await place(runtime, task, tree, deps)
        if limits:
            spec = replace(spec, limits=replace(spec.limits, **limits))
        env = registry.make(spec, runtime=runtime, verdict=False)
        options = {"cost_limit": 0, **options}
        return await play(env, task, maker(model, **options), key)

    return played


async def test_a_repair_is_judged_and_each_command_is_a_turn(episode):
    done = await episode(says("ls", ("cat mini/core.py", FIX), DONE))
    assert (done.status, done.end, done.success, done.truncated) == ("scored", "submit", 1.0, False), done.cause
    calls = [turn.action.calls[0] for turn in done.turns]
    assert [call.name for call in calls] == ["shell", "shell", "shell", "shell", "submit"]
    assert [turn.action.text for turn in done.turns] == ["I think. 0", "I think. 1", "", "I think. 2", ""]
    assert json.loads(calls[2].arguments)["command"] == f"(\n{FIX}\n)"
    assert "+    if value < low:" in done.artefacts["patch"]


async def test_the_agent_saw_what_the_turns_hold(episode):
    done = await episode(says("ls", "false", "exit 3", DONE))
    record = json.loads(done.artefacts["mini-swe-agent"])
    seen = [message["extra"] for message in record["messages"] if message["role"] == "tool"]
    replies = [turn.observation.messages[-1].text for turn in done.turns[1:4]]
    assert [each["raw_output"] for each in seen[:3]] == replies
    assert [each["returncode"] for each in seen[:3]] == [0, 1, 3]
    assert "README.md" in replies[0] and "Steps remaining: 39" in replies[0]
    assert record["info"]["exit_status"] == "Submitted" and "config" not in record["info"]
    assert record["messages"][1]["role"] == "user" and "clamp does not keep" in record["messages"][1]["content"]


async def test_neither_directory_nor_variables_are_kept(episode):
    done = await episode(says("cd mini && export X=1", "pwd; echo x$X", "(exit 1", "echo end # note", DONE))
    replies = [turn.observation.messages[-1].text for turn in done.turns[1:]]
    assert replies[1].startswith("/workspace\nx\n") and "[exit code 0]" in replies[1]
    assert "syntax error" in replies[2] and replies[3].startswith("end\n[exit code 0]")


async def test_what_is_not_submitted_is_not_paid(episode):
    for last in (f"false && {DONE}", f"{DONE}; false", "echo please; " + DONE):
        done = await episode(says(FIX, last), step_limit=2)
        assert (done.status, done.end, done.success, done.truncated) == ("scored", "turn_limit", 0.0, True)


async def test_the_environment_s_turn_limit_holds_and_leaves_a_turn_to_submit(episode):
    done = await episode(says("ls", "ls", "ls", "ls", "ls"), limits={"turns": 4})
    assert (len(done.turns), done.end, done.truncated, done.status) == (3, "turn_limit", True, "scored")
    done = await episode(says(("ls",) * 9), limits={"turns": 4})
    assert (len(done.turns), done.end) == (4, "turn_limit")
    done = await episode(says("ls", FIX, DONE), limits={"turns": 4})
    assert (len(done.turns), done.end, done.success) == (4, "submit", 1.0)


async def test_wall_time_masks_even_while_the_model_thinks(episode):
    began = time.monotonic()
    done = await episode(says("ls", "/sleep 30"), limits={"episode_s": 1.5})
    assert (done.status, done.end, done.truncated) == ("masked", "wall_time", True)
    assert time.monotonic() - began < 20


@pytest.mark.slow
async def test_wall_time_waits_for_the_command_under_way(episode):
    done = await episode(says(FIX, "sleep 3", "ls"), limits={"episode_s": 1.5})
    assert (done.status, done.end, len(done.turns)) == ("masked", "wall_time", 2)
    assert "+    if value < low:" in done.artefacts["patch"]


async def test_a_model_that_fails_fails_the_episode(episode):
    done = await episode(fails(RuntimeError("no endpoint")))
    assert done.status == "failed" and "PolicyError: mini-swe-agent failed: RuntimeError: no endpoint" in done.cause
    assert len(done.turns) == 1 and "mini-swe-agent" in done.artefacts


async def test_a_context_that_is_full_truncates(episode):
    full = type("ContextWindowExceededError", (Exception,), {})
    done = await episode(fails(full("too long")))
    assert (done.status, done.end, done.truncated, done.success) == ("scored", "context", True, 0.0)


async def test_a_box_that_dies_is_no_score(episode, monkeypatch):
    async def dies(*_, **__):
        raise SandboxError("the box is gone")

    monkeypatch.setattr(RELEASE.entry, "execute", dies)
    done = await episode(says("ls"))
    assert done.status == "failed" and done.cause == "SandboxError: the box is gone"


async def test_cancelled_it_gives_the_box_back_and_its_thread_ends(episode, runtime):
    before = set(threading.enumerate())  # a thread that thinks on after another test's time was up is that one's
    playing = asyncio.create_task(episode(says("sleep 60", "ls")))
    while not runtime.leaks:  # noqa: ASYNC110  nobody tells
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.5)
    playing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await playing
    assert runtime.leaks == []
    for _ in range(100):
        if not any(each.name == "mini-swe-agent" for each in set(threading.enumerate()) - before):
            return
        await asyncio.sleep(0.05)
    pytest.fail("the agent's thread goes on")


async def test_trajectories_are_in_the_store(runtime, task, tree, deps, tmp_path):
    await place(runtime, task, tree, deps)
    store, made = Store(tmp_path / "run"), maker(says("ls", FIX, DONE), cost_limit=0)
    options = {"runtime": runtime, "store": store, "group_size": 2, "run": "run"}
    assert [each.success async for each in collect(RELEASE, made, [task], **options)] == [1.0, 1.0]
    assert [each async for each in collect(RELEASE, made, [task], **options)] == []
    assert store.has(EpisodeKey("run", task.id, 1)) and len(Store(tmp_path / "run")) == 2


@pytest.mark.slow
def test_the_command_line_plays_a_release_with_a_model_of_its_own_and_the_run_replays(tmp_path, capfd):
    async def first():
        async with Runtime() as runtime:
            return (await runtime.tasks(RELEASE).take("train", 1))[0]

    task = asyncio.run(first())
    outputs = says(f"patch -p1 <<'EOF'\n{task.secret['oracle']}EOF", DONE)().config.outputs
    model = {"model_class": "minisweagent.models.test_models.DeterministicToolcallModel", "outputs": outputs}
    templates = {"system_template": "You repair.", "instance_template": "{{task}}", "cost_limit": 0}
    config = tmp_path / "config.yaml"
    config.write_text(json.dumps({"agent": templates, "model": model}))
    run = str(tmp_path / "run")
    options = ["--model", "scripted", "--config", str(config), "--limit", "1", "--out", run]
    assert command_line(["swe/release-v0", *options]) == 0
    assert f"{task.id} sample 0: scored, submit: success 1" in capfd.readouterr().out
    for more, said in ((["--id", task.id], "success 1"), (["--check", "--json"], '"identical": true')):
        command = [sys.executable, "-c", "from agentgym.cli import main; main()", "replay", run, *more]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert said in done.stdout


def test_a_bad_command_line_is_told(capfd):
    assert command_line(["swe/none-v0", "--model", "x"]) == 1
    assert command_line(["swe/release-v0", "--model", "x", "--config", "none"]) == 1
    assert "no environment 'swe/none-v0'" in (said := capfd.readouterr().err) and "no configuration 'none'" in said


def test_what_is_missing_is_said(monkeypatch):
    with pytest.raises(UsageError, match="no configuration 'none-such'"):
        maker("x", config="none-such")
    with pytest.raises(UsageError, match="no such model"):
        maker("x", model_class="nothing.there")
    with pytest.raises(UsageError, match=r"needs litellm: pip install 'agentgym\[mini-swe-agent\]'"):
        monkeypatch.setitem(sys.modules, "litellm", None)
        maker("openai/x")
    for name in [name for name in sys.modules if name.startswith("minisweagent.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "minisweagent", None)
    with pytest.raises(UsageError, match=r"not installed: pip install 'agentgym\[mini-swe-agent\]'"):
        maker("x")
