"""The small environments pass the release gate, and nothing that an agent says twice is paid twice."""

import pytest

from agentgym import Runtime
from agentgym.registry import make
from agentgym.testing import check_environment
from agentgym.trainers.learning.chain import CHAIN
from agentgym.trainers.learning.doors import DOORS, HANDLES, TURNS, opens
from agentgym.trainers.learning.lookup import LOOKUP
from agentgym.trainers.learning.parts import call
from agentgym.types import Action


@pytest.mark.slow
@pytest.mark.parametrize("spec", [LOOKUP, DOORS, CHAIN], ids=lambda spec: spec.id)
async def test_it_passes_the_gate(spec):
    report = await check_environment(spec, limit=8)
    assert report.passed, report.problems


async def played(spec, actions):
    async with Runtime() as runtime:
        env = make(spec, runtime=runtime)
        observation, info = await env.reset(seed=1)
        texts = [observation.messages[0].text]
        for action in actions(texts[0]) if callable(actions) else actions:
            observation, _, terminated, truncated, info = await env.step(action)
            texts += [message.text for message in observation.messages]
            if terminated or truncated:
                break
        await env.close()
        return info.record, texts


async def test_many_handles_in_one_message_open_no_more_than_their_own_doors():
    every = Action(calls=tuple(call("turn_handle", handle=handle).calls[0] for handle in range(HANDLES)))
    record, texts = await played(DOORS, [every])
    doors = [int(text.split()[1]) for text in texts if text.startswith("door")]
    assert len(doors) == TURNS
    right = sum(handle == opens(door) for handle, door in enumerate(doors))
    assert record.total == pytest.approx(right / TURNS + record.success)
    assert record.success == float(right == TURNS)


async def test_a_lookup_out_of_order_is_wrong():
    def play(statement):
        key = int(statement.split()[1])
        return [call("get", key=key), call("get", key=key), call("done")]

    record, _ = await played(LOOKUP, play)
    assert (record.success, record.total) == (0.0, pytest.approx(1 / 3))


def test_every_door_has_a_handle_of_its_own():
    assert sorted(map(opens, range(HANDLES))) == list(range(HANDLES))
