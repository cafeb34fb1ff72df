"""Writing code in a box: what the agent sees first, what is read at the end, what is said where a program is missing."""

import json

import pytest

from agentgym import registry
from agentgym.envs.code.environment import CodeEnvironment
from agentgym.envs.code.policies import policies
from agentgym.envs.code.rubric import rubric
from agentgym.envs.code.specs import code_spec
from agentgym.envs.code.verifier import CodeVerifier, Judgement, lay, trouble
from agentgym.errors import SandboxError, TaskError, UsageError
from agentgym.sandboxes.sandbox import WORKSPACE
from agentgym.tasks import Task, TaskList
from agentgym.types import Action, ToolCall

TASK = Task(
    "train-0",
    "toy/echo",
    {
        "statement": "Write a script that says hello.",
        "files": {"lib/note.txt": "hello\n"},
        "submit": ["say.sh", "why.md"],
    },
    {"solution": {"say.sh": "echo hello", "why.md": "so"}},
)


class EchoVerifier(CodeVerifier):
    name = "echo"
    dies = 0

    async def judge(self, task, files, bench):
        if EchoVerifier.dies:
            EchoVerifier.dies -= 1
            raise SandboxError("the box died", "ambiguous")
        async with bench.open_box(bench.spec) as box:
            await lay(box, files)
            done = await box.exec(["bash", "say.sh"], cwd=WORKSPACE, timeout=1, max_output=1000)
        right = not trouble(done, 1) and done.stdout == b"hello\n"
        return Judgement(float(right), float(right), trouble(done, 1), {"lines": done.stdout.count(b"\n")})


SPEC = code_spec(
    "toy/echo-v0",
    entry=CodeEnvironment,
    tasks=lambda config, runtime: TaskList([TASK]),
    verifier=EchoVerifier(),
    rubric=rubric("lines"),
    policies=policies(),
    description="",
)


def call(name, **arguments):
    return Action(calls=(ToolCall("c", name, json.dumps(arguments)),))


@pytest.fixture
async def env(runtime):
    env = registry.make(SPEC, runtime=runtime, verdict=True)
    yield env
    await env.close()


async def test_an_episode(env):
    observation, _ = await env.reset(task=TASK)
    text = observation.messages[0].text
    assert text.startswith("Write a script") and "Submit say.sh and why.md" in text and text.endswith("remaining: 20")
    observation, *_ = await env.step(call("view", path="lib/note.txt"))
    assert "hello" in observation.messages[0].text
    _, reward, *_ = await env.step(call("create", path="say.sh", text="cat lib/note.txt || echo hello\n"))
    assert reward == pytest.approx(0.07)
    await env.step(call("create", path="why.md", text="so"))
    *_, terminated, _, info = await env.step(call("submit"))
    assert terminated and info.record.success == 1.0
    assert info.record.total == pytest.approx(1.0 + 4 * 0.02 + 2 * 0.05)


async def test_what_can_not_be_submitted_is_named(env):
    await env.reset(task=TASK)
    await env.step(call("shell", command="ln -s /etc/passwd why.md; head -c 70000 /dev/zero > say.sh"))
    artefacts = await env.artefacts()
    assert "say.sh: longer than 65536 bytes" in artefacts["notes"] and "say.sh" not in artefacts
    await env.step(call("shell", command="rm why.md; printf '\\377' > why.md; rm say.sh; mkdir say.sh"))
    assert json.loads((await env.artefacts())["notes"]) == ["say.sh: Is a directory", "why.md: not UTF-8 text"]
    *_, info = await env.step(call("submit"))
    assert info.record.total == 0.0 and "not all was submitted" in info.record.channels[0].reasons[0]


@pytest.mark.parametrize(
    ("script", "why"),
    [("sleep 9", "did not end within 1 s"), ("yes", ""), ("exit 3", "exit code 3"), ("kill -9 $$", "killed")],
)
async def test_what_a_submission_does_is_scored(verdict, script, why):
    scores = await verdict(EchoVerifier(), TASK, {"say.sh": script, "why.md": ""})
    assert scores["solved"].value == 0.0 and why in scores["solved"].reason and scores["outcome"].value == 0.0


async def test_only_a_submission_counts(verdict):
    right = TASK.secret["solution"]
    assert (await verdict(EchoVerifier(), TASK, right))["solved"].value == 1.0
    assert (await verdict(EchoVerifier(), TASK, right, end="turns"))["outcome"].reason.startswith("not submitted")


async def test_a_box_that_dies_once_is_tried_again_and_then_it_is_the_submissions_doing(verdict, monkeypatch):
    for deaths, solved in ((1, 1.0), (2, 0.0)):
        monkeypatch.setattr(EchoVerifier, "dies", deaths)
        assert (await verdict(EchoVerifier(), TASK, TASK.secret["solution"]))["solved"].value == solved


async def test_a_missing_program_is_named_with_what_to_install(runtime):
    class Needy(CodeEnvironment):
        programs = {"no-such-program": "no-such-package", "bash": "bash"}  # noqa: RUF012

    env = Needy(SPEC, runtime)
    with pytest.raises(UsageError, match=r"have no no-such-program; .*(no-such-package|docker_images)"):
        await env.reset(task=TASK)
    await env.close()


async def test_a_broken_payload_is_refused(env):
    with pytest.raises(TaskError, match="lacks files, submit"):
        await env.reset(task=Task("x", "toy/echo", {"statement": "s"}))
