"""CP-SAT, from a model of its own, proves the optima that tasks carry."""

import json

import pytest

from agentgym.envs.travel import certify
from agentgym.envs.travel.commands import main
from agentgym.envs.travel.config import TravelConfig
from agentgym.envs.travel.tasks import PlannerTasks, world_of
from agentgym.envs.travel.trip import Trip
from agentgym.errors import VerifierError


async def test_cp_sat_proves_the_optima_of_short_trips() -> None:
    kinds, stages = set(), 0
    for task in await PlannerTasks(TravelConfig(days=3), None).take("validation", 10):
        world = world_of(task.payload["world"])
        for stage in task.secret["stages"]:
            wanted = stage["proven"] if stage["relaxations"] else stage["optimum"]
            assert certify.optimum(world, Trip.of(stage["trip"]), frozenset(stage["shut"])) == wanted
            stages += 1
        kinds.add(task.payload["kind"])
    assert {"single", "disruption", "unsolvable"} <= kinds and stages > 10


async def test_an_optimum_that_is_none_is_not_proven() -> None:
    [task] = await PlannerTasks(TravelConfig(days=3), None).take("validation", 1)
    stage, world = task.secret["stages"][0], world_of(task.payload["world"])
    trip = Trip.of(stage["trip"])
    shut = frozenset(row.key for row in world.hotels(trip.destination))
    assert certify.optimum(world, trip, shut) is None, "there is no plan without a hotel"
    with pytest.raises(VerifierError, match=r"proved nothing .* in 0 s"):
        certify.optimum(world, trip, seconds=0.0)


def test_the_command_names_what_was_not_proven(capsys: pytest.CaptureFixture[str]) -> None:
    main(["certify", "--limit", "1", "--seconds", "0"])
    told = json.loads(capsys.readouterr().out)
    assert told["same"] == 0 and told["different"] == [] and told["unproven"] == ["test-0, stage 0"]
