"""TravelPlanner's files and metrics."""

import asyncio
import csv
import json

import pytest

from agentgym.envs.travel import metrics
from agentgym.envs.travel.commands import main
from agentgym.envs.travel.export import converted
from agentgym.envs.travel.plan import FIELDS, BadPlan
from agentgym.envs.travel.specs import PLANNER
from agentgym.errors import AgentGymError, UsageError
from agentgym.rollout import collect
from agentgym.runtime import Runtime
from agentgym.store import Store
from tests.envs.travel.conftest import task as get

HEADERS = {
    "flights/clean_Flights_2022": "Flight Number,Price,DepTime,ArrTime,ActualElapsedTime,FlightDate,OriginCityName,DestCityName,Distance",
    "accommodations/clean_accommodations_2022": "NAME,room type,price,minimum nights,review rate number,house_rules,maximum occupancy,city",
    "restaurants/clean_restaurant_2022": "Name,City,Cuisines,Average Cost,Aggregate Rating",
    "attractions/attractions": "Name,Latitude,Longitude,Address,Phone,Website,City",
    "googleDistanceMatrix/distance": "origin,destination,cost,duration,distance",
}


@pytest.mark.slow
def test_export_writes_what_travelplanner_reads(tmp_path, capsys):
    main(["export", str(tmp_path), "train-0"])
    told = json.loads(capsys.readouterr().out)
    for name, header in HEADERS.items():
        rows = list(csv.reader((tmp_path / "database" / f"{name}.csv").open(encoding="utf-8", newline="")))
        assert ",".join(rows[0]) == header and len(rows) > 20
        assert all(len(row) == len(rows[0]) and all(row) for row in rows)  # it drops rows with an empty cell
    queries, plans = (
        [json.loads(line) for line in (tmp_path / f"{name}.jsonl").open()] for name in ("queries", "plans")
    )
    assert (
        len(queries) == len(plans) == told["queries"] and told["plans"] == sum(bool(line["plan"]) for line in plans) > 0
    )
    flights = {
        row[0] for row in csv.reader((tmp_path / "database/flights/clean_Flights_2022.csv").open(encoding="utf-8"))
    }
    for query, line in zip(queries, plans, strict=True):
        assert line["query"] == query["query"] and set(query["local_constraint"]) == {
            "house rule",
            "cuisine",
            "room type",
            "transportation",
        }
        for day in line["plan"] or []:
            assert set(day) == {"days", "current_city", *FIELDS} and "Train" not in day["transportation"]
            if day["transportation"].startswith("Flight"):
                assert day["transportation"].split("Flight Number: ")[1].split(",")[0] in flights
            assert day["attraction"] == "-" or day["attraction"].endswith(";")


def test_trains_can_not_be_exported():
    day = {"days": 1, "current_city": "from A to B", "transportation": "Train Number: T0000001, from A to B"}
    with pytest.raises(BadPlan, match="by train"):
        converted([day])


async def test_metrics_and_export_of_a_run(tmp_path, capsys):
    store = Store(tmp_path / "run")
    tasks = [await get(f"train-{number}") for number in (0, 2)]
    async with Runtime() as runtime:
        for name in ("oracle", "noop"):
            async for _ in collect(
                PLANNER, PLANNER.policies[name](), tasks, runtime=runtime, store=store if name == "oracle" else None
            ):
                pass
        noops = [t async for t in collect(PLANNER, PLANNER.policies["noop"](), tasks, runtime=runtime)]
    main(["metrics", str(tmp_path / "run")])
    counted = json.loads(capsys.readouterr().out)
    assert counted["final_pass"] == counted["delivery"] == counted["hard_micro"] == counted["solved"] == 1
    both = metrics.travelplanner([*store, *noops])
    assert both["episodes"] == 4 and both["delivery"] == both["final_pass"] == both["commonsense_micro"] == 0.5
    arguments = ["export", str(tmp_path / "out"), "train-0", "--store", str(tmp_path / "run")]
    await asyncio.to_thread(main, arguments)
    assert json.loads(capsys.readouterr().out)["queries"] >= 1


def test_commands_say_what_is_wrong(tmp_path):
    with pytest.raises(UsageError, match="is no run's folder"):
        main(["metrics", str(tmp_path)])
    with pytest.raises(AgentGymError, match="ids are like"):
        main(["export", str(tmp_path), "nothing-0"])
    with pytest.raises(UsageError, match="no scored travel episodes"):
        metrics.travelplanner([])
