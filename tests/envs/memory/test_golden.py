"""What may not change under one version: tasks, what is seen, what is scored. A change here bumps `-vN`."""

import pytest

from agentgym.envs.memory.dialogue.specs import DIALOGUE
from agentgym.envs.memory.manuals.specs import MANUALS
from agentgym.envs.memory.manuals.tasks import ManualsTasks
from agentgym.runtime import default_cache
from agentgym.seeds import content_hash

GOLDEN = {
    ("memory/dialogue-v0", "mem-alpha"): ("f908f31bacdd7a65", "fa3fba54ddf26ac7"),
    ("memory/dialogue-v0", "memory-r1"): ("f908f31bacdd7a65", "e69a19d39de1a6f4"),
    ("memory/manuals-v0", "mem-alpha"): ("3ac17e77d9308979", "1f7471cd5a280995"),
}


@pytest.mark.parametrize(("id", "system"), GOLDEN)
async def test_tasks_observations_and_scores_stay_as_they_are(runtime, play, id, system):
    spec = {"memory/dialogue-v0": DIALOGUE, "memory/manuals-v0": MANUALS}[id]
    spec = spec.configure(system=system, tokens=2_000, answerer="actor", retrieval="bm25")
    tasks = runtime.tasks(spec) if spec.id == DIALOGUE.id else ManualsTasks(spec.config, default_cache())
    task = await tasks.get("test-2000-7")
    seen = []
    for name in ("oracle", "random"):
        [trajectory] = await play(spec, spec.policies[name](), [task], seed=1)
        seen += [message.text for turn in trajectory.turns for message in turn.observation.messages]
        seen += [[score.channel, score.value and round(score.value, 9)] for score in trajectory.scores]
    assert (task.hash[:16], content_hash(seen)[:16]) == GOLDEN[id, system]
