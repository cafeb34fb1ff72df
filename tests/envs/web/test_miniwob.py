"""MiniWoB++: determinism, splits, verdicts that only the page can give, solvers, forks."""

import json

import pytest

from agentgym.envs.web import static
from agentgym.envs.web.miniwob.names import NAMES
from agentgym.envs.web.miniwob.oracle import oracle
from agentgym.envs.web.miniwob.solvers import SOLVERS
from agentgym.envs.web.miniwob.specs import MINIWOB
from agentgym.envs.web.miniwob.tasks import MiniWobTasks, held_out
from agentgym.envs.web.miniwob.verifier import MiniWobVerifier
from agentgym.errors import SandboxError, TaskError, UsageError, VerifierError
from agentgym.registry import make
from agentgym.rollout import collect
from agentgym.runtime import Runtime
from agentgym.seeds import content_hash
from agentgym.tasks import Task
from agentgym.types import Action, ToolCall
from agentgym.verifier import Evidence

# Of pages that show no place of a text, which depends on the fonts installed.
GOLDEN = {
    "click-test": "62e0f94fc6ea",
    "login-user": "e19e79cf4014",
    "email-inbox-reply": "4e2131fea370",
    "choose-date-nodelay": "76f6bb854d32",
    "use-slider": "36aea6b319a9",
    "book-flight": "e6a70d125dc9",
    "terminal": "cbab866e6b16",
}
TASKS = MiniWobTasks(MINIWOB.config, None)
SAMPLE = (
    "click-test",
    "login-user",
    "email-inbox-reply",
    "choose-date-nodelay",
    "use-slider",
    "book-flight",
    "click-shape",
    "terminal",
)
_WIN = "<img src=x onerror=core.endEpisode(1,true)>"


def calls(*given):
    return Action(calls=tuple(ToolCall(str(n), name, json.dumps(each)) for n, (name, each) in enumerate(given)))


async def first_page(env, id):
    observation, _ = await env.reset(task=await TASKS.get(id))
    return observation.messages[-1].text


async def test_pages_are_the_same_in_any_order_and_browser():
    seen = []
    for names in (SAMPLE, SAMPLE[::-1]):
        async with Runtime() as runtime:
            env = make(MINIWOB, runtime=runtime)
            seen.append({name: await first_page(env, f"{name}/3") for name in names})
            await env.close()
    assert seen[0] == seen[1]
    assert {name: content_hash(seen[0][name])[:12] for name in GOLDEN} == GOLDEN


@pytest.mark.nightly
async def test_every_page_begins_the_same_whatever_came_before():
    seen = []
    for names in (NAMES, NAMES[::-1]):
        async with Runtime() as runtime:
            env = make(MINIWOB, runtime=runtime)
            seen.append(
                {f"{name}/{seed}": await first_page(env, f"{name}/{seed}") for name in names for seed in (1, 2)}
            )
            await env.close()
    assert seen[0] == seen[1] and len(seen[0]) == 260


async def solved(names, seeds):
    tasks = [await TASKS.get(f"{name}/{seed}") for seed in seeds for name in names]
    async with Runtime() as runtime:
        return {
            trajectory.key.task: (
                trajectory.success,
                trajectory.record and trajectory.record.channels[0].reasons,
                trajectory.cause,
            )
            async for trajectory in collect(MINIWOB, oracle(), tasks, runtime=runtime, run="test", concurrency=3)
        }


async def test_solvers_solve():
    ended = await solved(SAMPLE, (5, 6))
    assert len(ended) == 2 * len(SAMPLE) and all(success == 1 for success, *_ in ended.values()), ended


@pytest.mark.nightly
@pytest.mark.timeout(1500)
async def test_every_solver_solves():
    ended = await solved(SOLVERS, (11, 12, 13))
    assert len(SOLVERS) >= 60 and all(success == 1 for success, *_ in ended.values()), {
        k: v for k, v in ended.items() if v[0] != 1
    }


async def play(id, *actions):
    async with Runtime() as runtime:
        env = make(MINIWOB, runtime=runtime)
        await env.reset(task=await TASKS.get(id))
        for action in actions:
            _, _, terminated, _, info = await env.step(action)
            if terminated:
                break
        ended, record = env.ended, info.record
        await env.close()
        return ended, record


ECHO = calls(("keyboard_type", {"text": f"rm {_WIN}"}), ("keyboard_press", {"key": "Enter"}))


async def test_markup_that_a_page_echoes_does_not_run():
    ended, _ = await play("terminal/0", ECHO, "noop(1000)")
    assert ended is None


async def test_it_would_run_if_pages_were_served_as_they_are(monkeypatch):
    monkeypatch.setattr(static, "_policy", lambda page: "default-src * 'unsafe-inline' 'unsafe-eval'")
    _, record = await play("terminal/0", ECHO, "noop(1000)")
    assert record.success == 1


async def test_a_wrong_answer_can_not_be_taken_back():
    """Two clicks at once: a wrong one, and one where the page would begin anew."""
    ended, record = await play("click-test-2/1", "dblclick('2')")
    assert ended == "done" and record.success == 0
    ended, record = await play(
        "click-test-2/1", calls(("click", {"bid": 2}), ("mouse_click", {"x": 80, "y": 100}), ("click", {"bid": 1}))
    )
    assert ended == "done" and record.success == 0


async def test_calls_that_are_not_offered_are_refused():
    async with Runtime() as runtime:
        env = make(MINIWOB, runtime=runtime)
        await first_page(env, "click-test-2/1")
        for name in ("goto", "new_tab", "evaluate", "go_back"):
            _, _, terminated, _, info = await env.step(calls((name, {"url": "javascript:core.endEpisode(1)"})))
            assert not terminated and "there is no tool" in info.calls[0].error
        await env.close()


async def test_forks_go_on_apart():
    async with Runtime() as runtime:
        env = make(MINIWOB, runtime=runtime)
        await first_page(env, "login-user/3")
        await env.step("fill('3', 'keneth')")
        branch = await env.fork()
        assert await branch.state_hash() == await env.state_hash()
        await branch.step("fill('6', 'wrong')")
        assert await branch.state_hash() != await env.state_hash()
        await env.step("fill('6', '91YP')")
        *_, info = await env.step("click('7')")
        assert info.record.success == 1
        *_, info = await branch.step("click('7')")
        assert info.record.success == 0
        await env.close()
        await branch.close()


async def test_a_curriculum_starts_near_the_goal():
    spec = MINIWOB.configure(steps_left=1)
    async with Runtime() as runtime:
        env = make(spec, runtime=runtime)
        said = await first_page(env, "login-user/3")
        assert "Some of it is done already" in said and "value='keneth'" in said
        *_, info = await env.step("click('7')")
        assert info.record.success == 1
        assert "done already" not in await first_page(env, "click-test/3")
        await env.close()


@pytest.mark.slow
async def test_a_curriculum_leaves_part_of_the_instruction():
    """All but one field is done, which one is told; doing it and sending the form is all of the task. Other pages: the whole task."""
    async with Runtime() as runtime:
        env = make(MINIWOB.configure(fields=1), runtime=runtime)
        left = set()
        for seed in range(6):
            said = await first_page(env, f"login-user/{seed}")
            told = said.partition("All of it is done but this, and what ends it: ")[2].partition("\n")[0]
            name, _, value = told.partition(": ")
            left.add(name)
            assert said.count(", value=''") == 1
            await env.step(f"fill('{3 if name == 'username' else 6}', '{value}')")
            *_, info = await env.step("click('7')")
            assert info.record.success == 1
        assert left == {"username", "password"}
        assert (await first_page(env, "click-checkboxes/3")).count(", checked") == 3  # of four
        assert "done but" not in await first_page(env, "click-test/3")
        await env.close()
        env = make(MINIWOB.configure(fields=2), runtime=runtime)
        assert "done but" not in await first_page(env, "login-user/3")
        await env.close()
    with pytest.raises(UsageError, match="configure one of them"):
        MINIWOB.configure(fields=1, steps_left=1)


async def test_splits_are_disjoint():
    ids = {split: [id async for id in TASKS.ids(split)] for split in ("train", "validation", "test")}
    assert [len(each) for each in ids.values()] == [TASKS.size(split) for split in ids] == [130_000, 2_600, 2_600]
    assert len(set().union(*ids.values())) == 135_200
    by_task = MiniWobTasks(MINIWOB.configure(hold_out="tasks", train_seeds=1, test_seeds=1).config, None)
    trained = {id.split("/")[0] async for id in by_task.ids("train")}
    tested = {id.split("/")[0] async for id in by_task.ids("test")}
    assert trained | tested == set(NAMES) and not trained & tested and all(map(held_out, tested))
    assert [id async for id in TASKS.ids("test", 1)] != [id async for id in TASKS.ids("test", 2)]


async def test_bad_tasks_are_refused():
    for id in ("click-test", "click-test/x", "click-test/-1", "nothing/1", "click-test/999999", "click-test/01"):
        with pytest.raises(TaskError, match="no task"):
            await TASKS.get(id)
    with pytest.raises(UsageError, match="has no nonsense"):
        MiniWobTasks(MINIWOB.configure(names=("nonsense",)).config, None)
    async with Runtime() as runtime:
        env = make(MINIWOB, runtime=runtime)
        with pytest.raises(TaskError, match="needs page, seed and mode"):
            await env.reset(task=Task("x", MINIWOB.id, {"page": 1}))
        env = make(MINIWOB, runtime=runtime)
        with pytest.raises(SandboxError, match="refused a probe"):
            await env.reset(task=Task("x", MINIWOB.id, {"page": "../../etc/passwd", "seed": 1, "mode": "test"}))


@pytest.mark.parametrize(
    ("page", "raw", "solved"),
    [
        ("click-test", 1.0, 1),
        ("click-test", 0.99, 0),
        ("bisect-angle", 0.93, 1),
        ("bisect-angle", 0.5, 0),
        ("odd-or-even", 1 - 1e-12, 1),
    ],
)
async def test_what_a_verdict_is_worth(page, raw, solved):
    task = Task("x", MINIWOB.id, {"page": page, "seed": 1, "mode": "default"})
    verdict = json.dumps({"raw": raw, "discounted": raw / 2, "reason": ""})
    scores = {
        score.channel: score.value
        for score in await MiniWobVerifier().verify(Evidence(task, {"verdict": verdict}), None)
    }
    assert scores == {"solved": solved, "raw": raw, "discounted": raw / 2, "positive": 1.0}


async def test_verdicts_that_are_none():
    task = Task("x", MINIWOB.id, {"page": "click-test", "seed": 1, "mode": "default"})
    scores = await MiniWobVerifier().verify(Evidence(task, {}, end="turn_limit"), None)
    assert [score.value for score in scores] == [0, 0, 0, 0] and "no verdict" in scores[0].reason
    with pytest.raises(VerifierError):
        await MiniWobVerifier().verify(Evidence(task, {"verdict": "{"}), None)
