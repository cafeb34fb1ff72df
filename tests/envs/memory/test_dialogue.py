"""memory/dialogue: the oracle knows everything, both systems, both ways of answering, and what agents send."""

import json
from dataclasses import replace

import pytest

from agentgym import Action, Scripted, ToolCall
from agentgym.envs.memory.dialogue.policies import settle
from agentgym.envs.memory.dialogue.questions import LOCOMO, LONGMEMEVAL, UNANSWERABLE
from agentgym.envs.memory.dialogue.specs import DIALOGUE
from agentgym.envs.memory.policies import keep, say, writer
from agentgym.envs.memory.rubric import rubric
from agentgym.envs.memory.store import Memory
from agentgym.errors import PolicyError, TaskError, UsageError
from agentgym.evals.held_out import refuse_held_out

R1 = {"system": "memory-r1", "tokens": 2_000}
SYSTEMS = [{}, R1, {"answerer": "actor"}, {**R1, "answerer": "actor"}]
ORACLE = DIALOGUE.policies["oracle"]


def channels(trajectory):
    return {channel.name: channel.value for channel in trajectory.record.channels}


async def drawn(runtime, split="train", count=3, **options):
    spec = DIALOGUE.configure(**options)
    return spec, await runtime.tasks(spec).take(split, count)


@pytest.mark.parametrize(
    "options", [*SYSTEMS, {"tokens": 1_000}, {"retrieval": "bm25"}, {"chunk": 64, "tokens": 2_000}]
)
async def test_the_oracle_knows_everything(runtime, play, options):
    for split in ("train", "test"):
        spec, tasks = await drawn(runtime, split, **options)
        for trajectory in await play(spec, ORACLE(), tasks):
            found = channels(trajectory)
            assert trajectory.success == found["accuracy"] == found["em"] == 1.0, trajectory.record
            assert found["recall"] == found["precision"] == 1 and found["stale"] == found["leaked"] == 0


async def test_questions_of_every_kind(runtime, play):
    spec, tasks = await drawn(runtime, "test", 3, tokens=30_000, questions=60)
    kinds = {kind for task in tasks for kind in task.tags}
    assert kinds == {*LOCOMO, *LONGMEMEVAL, *UNANSWERABLE, "conflict", "as_of", "reference", "hearsay", "correction"}
    [trajectory] = await play(spec, ORACLE(), tasks[:1])
    assert trajectory.success == 1.0


async def test_every_answerable_kind_is_worth_something_alone(runtime, play):
    """Who forgets everything is right on nothing but what nobody knows."""
    spec, tasks = await drawn(runtime, count=6)
    for trajectory, task in zip(await play(spec, DIALOGUE.policies["noop"](), tasks), tasks, strict=True):
        quiet = sum(raw["answers"] == ["unknown"] for raw in task.secret["questions"])
        assert channels(trajectory)["accuracy"] == quiet / len(task.secret["questions"])
        assert trajectory.success == trajectory.record.total == 0


async def test_tasks_are_a_function_of_their_id_and_of_any_length(runtime):
    spec, _ = await drawn(runtime)
    tasks = runtime.tasks(spec)
    for id in ("train-8000-3", "test-1000-2147483647"):
        assert (await tasks.get(id)).hash == (await tasks.get(id)).hash
    assert len({(await tasks.get(f"{split}-1000-0")).hash for split in ("train", "validation", "test")}) == 3
    seeded = await tasks.take("train", 4, seed=1)
    assert [task.id for task in seeded] == [task.id for task in await tasks.take("train", 4, seed=1)]
    assert [task.id for task in seeded] != [task.id for task in await tasks.take("train", 4, seed=2)]
    for id in ("", "train-0", "dev-1000-0", "train-10-0", "train-1000-2147483648", "train-99999999-0", "train-01000-1"):
        with pytest.raises(TaskError, match=r"no task"):
            await tasks.get(id)


async def test_test_tasks_refuse_to_be_trained_on(runtime):
    _, tasks = await drawn(runtime, "test", 1)
    with pytest.raises(UsageError, match="test"):
        refuse_held_out(tasks)


async def test_nothing_shown_while_reading_tells_a_question_or_the_truth(runtime, play):
    for options in SYSTEMS:
        spec, [task] = await drawn(runtime, count=1, **options)
        [trajectory] = await play(spec, ORACLE(), [task])
        shown = [m.text for t in trajectory.turns for m in t.observation.messages if t.observation.actor == "agent"]
        assert not any(raw["text"] in text for raw in task.secret["questions"] for text in shown)
        later = [t.observation for t in trajectory.turns if t.observation.actor == "answerer"]
        small_talk = [line for line in task.payload["lines"] if "Assistant" in line]
        assert not any(line in message.text for seen in later for message in seen.messages for line in small_talk)
        assert all(seen.fresh for seen in later) and len(later) in (0, *range(6, 25))


# ---- rewards --------------------------------------------------------------------------------------------------------


async def test_the_trivial_insert_farms_the_published_formula_and_not_ours(runtime, play):
    spec, tasks = await drawn(runtime, count=4)
    cheat = DIALOGUE.policies["cheat/trivial-insert"]
    for trajectory in await play(spec, cheat(), tasks):
        assert channels(trajectory)["mem_alpha"] > 1.1  # beside what an empty memory gets for "unknown"
        assert trajectory.record.total == trajectory.success == 0
    [cheated] = await play(replace(spec, rubric=rubric(published=True)), cheat(), tasks[:1])
    assert cheated.record.total > 1.1 and cheated.success == 0


async def test_leaks_and_failed_calls_cost(runtime, play):
    spec, tasks = await drawn(runtime, count=12, tokens=3_000)
    task = next(task for task in tasks if task.secret["forgotten"])
    value = task.secret["forgotten"][0][2]

    def leaking(context, first, last):
        return [*settle(context, first, last), ("memory_update", {"memory_type": "core_memory", "new_content": value})]

    def failing(context, first, last):
        return [*settle(context, first, last), ("memory_delete", {"memory_type": "semantic_memory", "memory_id": "zz"})]

    [clean] = await play(spec, ORACLE(), [task])
    [leaky] = await play(spec, writer("leaky", leaking), [task])
    [clumsy] = await play(spec, writer("clumsy", failing), [task])
    assert leaky.success == pytest.approx(1 - 1 / len(task.secret["forgotten"])) and channels(leaky)["leaked"] > 0
    assert clumsy.success == 1 and clumsy.record.total < clean.record.total - 0.05


async def test_a_smaller_memory_that_knows_as_much_is_worth_a_little_more(runtime, play):
    spec, [task] = await drawn(runtime, count=1)
    padded = Scripted("padded", lambda c: say(c, keep(c, f"padding {c.turn} " + "x" * 400)))
    [lean], [fat] = await play(spec, ORACLE(), [task]), await play(spec, padded, [task])
    assert 1 < lean.record.total < 1.05 and fat.record.total == 0


# ---- what agents send -------------------------------------------------------------------------------------------------


def call(name, **arguments):
    return ToolCall("c", name, json.dumps(arguments))


async def test_failed_calls_are_told_in_the_next_context(runtime, opened):
    spec, [task] = await drawn(runtime, count=1)
    env, _ = await opened(spec, task)
    calls = (
        call("memory_delete", memory_type="semantic_memory", memory_id="0007"),
        call("new_memory_insert", memory_type="semantic_memory", content="x" * 5_000),
        call("new_memory_insert", memory_type="diary", content="x"),
        call("new_memory_insert", memory_type="semantic_memory", content="Łódź"),
        call("new_memory_insert", memory_type="semantic_memory", content="Łódź"),
        call("add", content="x"),
    )
    observation, _, _, _, info = await env.step(Action(calls=calls))
    text = observation.messages[0].text
    assert observation.fresh and "[0001] Łódź" in text
    for why in ("no item '0007'", "at most 512 tokens", "memory_type", "this very text", "not the time for tool 'add'"):
        assert why in text
    assert [result.ok for result in info.calls] == [False, False, False, True, False, False]
    assert env.memory.semantic == {"0001": "Łódź"}
    await env.close()


async def test_contradictory_writes_are_kept_and_read_as_unknown(runtime, play):
    spec, tasks = await drawn(runtime, count=8)
    asked = [(task, raw["query"]) for task in tasks for raw in task.secret["questions"]]
    task, query = next(each for each in asked if each[1]["op"] == "country")

    def both(context):
        notes = [f"2030-01-01 | {query['person']} | home town | {city}" for city in ("Paris", "Rome")]
        return say(context, *(keep(context, note) for note in notes)) if context.turn == 0 else Action("")

    [trajectory] = await play(spec, Scripted("both", both), [task])
    assert len(Memory.load(trajectory.artefacts["memory"]).semantic) == 2 and trajectory.success == 0


async def test_a_message_has_a_limit_of_calls(runtime, opened):
    spec, [task] = await drawn(runtime, count=1, calls=3)
    env, _ = await opened(spec, task)
    calls = tuple(call("new_memory_insert", memory_type="semantic_memory", content=str(n)) for n in range(5))
    _, _, _, _, info = await env.step(Action(calls=calls))
    assert [result.ok for result in info.calls] == [True] * 3 + [False] * 2 and "3 calls" in info.calls[3].error
    await env.close()


async def test_searches_alone_do_not_end_a_part_once(runtime, opened):
    spec, [task] = await drawn(runtime, count=1)
    env, _ = await opened(spec, task)
    await env.step(Action(calls=(call("new_memory_insert", memory_type="semantic_memory", content="Ada likes tea"),)))
    look = call("search_memory", memory_type="semantic_memory", query='tea" OR (', search_method="bm25")
    observation, _, _, _, _ = await env.step(Action(calls=(look,)))
    assert not observation.fresh and observation.messages[0].text == "[0001] Ada likes tea"
    observation, _, _, _, _ = await env.step(Action(calls=(look,)))
    assert observation.fresh and "Part 3 of" in observation.messages[0].text
    await env.close()


async def test_a_fork_goes_its_own_way(runtime, opened):
    spec, [task] = await drawn(runtime, count=1)
    env, _ = await opened(spec, task)
    await env.step(Action(calls=(call("new_memory_insert", memory_type="semantic_memory", content="one"),)))
    branch = await env.fork()
    assert await branch.state_hash() == await env.state_hash()
    await branch.step(Action(calls=(call("new_memory_insert", memory_type="semantic_memory", content="two"),)))
    assert list(env.memory.semantic.values()) == ["one"] and list(branch.memory.semantic.values()) == ["one", "two"]
    assert await branch.state_hash() != await env.state_hash()
    await branch.close()
    await env.close()


async def test_broken_tasks_are_refused(runtime, opened):
    spec, [task] = await drawn(runtime, count=1)
    broken = type(task)(task.id, task.env, {"lines": []}, task.secret)
    with pytest.raises(TaskError, match="needs lines"):
        await opened(spec, broken)


@pytest.mark.parametrize("option", [{"tokens": 10}, {"budget": 0}, {"system": "gpt"}, {"chunk": 1}, {"colour": 1}])
def test_bad_options_are_refused(option):
    with pytest.raises(UsageError, match=next(iter(option))):
        DIALOGUE.configure(**option)


# ---- the answerer -------------------------------------------------------------------------------------------------------


class Fails:
    """A stand-in for an endpoint that is down."""

    name, privileged = "fails", False

    async def act(self, context, n=1):
        raise PolicyError("the endpoint said 500")


async def test_an_answerer_that_fails_takes_nothing_of_the_memory_away(runtime, play):
    spec, [task] = await drawn(runtime, count=1, answerer="actor")
    [trajectory] = await play(spec, {"agent": ORACLE(), "answerer": Fails()}, [task])
    assert trajectory.status == "failed" and "500" in trajectory.cause and trajectory.record is None
    told = next(turn.info.data["memory"] for turn in reversed(trajectory.turns) if turn.info.data)
    [read] = await play(DIALOGUE, ORACLE(), [task])
    assert Memory.load(told).texts == Memory.load(read.artefacts["memory"]).texts


async def test_the_answer_agent_distils_then_answers(runtime, play):
    spec, [task] = await drawn(runtime, count=1, **R1, answerer="actor")
    seen = []

    def answers(context):
        seen.append(context.messages[0].text)
        if any(tool.name == "distil" for tool in context.tools):
            ids = [line[1:5] for line in context.messages[0].text.split("\n") if line.startswith("[")]
            return say(context, ("distil", {"memory_ids": [ids[0], "ffff"]}))
        return Action("I think so.\nAnswer: Paris")

    [trajectory] = await play(spec, {"agent": ORACLE(), "answerer": Scripted("answers", answers)}, [task])
    assert len(seen) == 2 * len(task.secret["questions"])
    assert all(text.count("\n[") == 1 for text in seen[1::2])
    assert set(json.loads(trajectory.artefacts["answers"]).values()) == {"Paris"}


async def test_an_answerer_that_calls_what_it_may_not_has_answered_nothing(runtime, play):
    spec, [task] = await drawn(runtime, count=1, answerer="actor")
    calls = Scripted("calls", lambda context: say(context, ("new_memory_insert", {}), text="Paris"))
    [trajectory] = await play(spec, {"agent": ORACLE(), "answerer": calls}, [task])
    assert trajectory.status == "scored" and trajectory.success == 0
    assert set(json.loads(trajectory.artefacts["answers"]).values()) == {""}
