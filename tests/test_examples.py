"""The examples run as they stand."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.servers import Answer, AnsweringServer, completion, listening

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples"


def run(*arguments: str, timeout: float = 280) -> str:
    done = subprocess.run([sys.executable, *arguments], cwd=EXAMPLES, capture_output=True, text=True, timeout=timeout)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_rollout_and_store() -> None:
    assert "40 episodes, success" in run("rollout_store.py")


def test_own_environment_passes_its_audit() -> None:
    code = "from agentgym.cli import main; main()"
    assert "example/guess-v0: passed" in run("-c", code, "audit", "own_environment.py")


def test_step_api_plays_an_episode_to_its_verdict() -> None:
    assert "ended by submit: success 1" in run("step_api.py")


@pytest.mark.slow
def test_mini_swe_agent_repairs_a_package() -> None:
    assert "scored, ended by submit, success 1.0" in run("mini_swe_agent.py")


def test_the_readme_example_runs() -> None:
    [code] = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    assert run("-c", code).splitlines()[-1].startswith("0.0 ")


TRAIN = ("-c", "from agentgym.cli import main; main()", "train")
FEW = ("tasks.limit=8", "warm_start.steps=10", "trainer.max_steps=2", "eval.limit=4", "trainer.use_cpu=true")


@pytest.mark.parametrize("algorithm", ["grpo", pytest.param("ppo", marks=pytest.mark.slow)])
def test_a_run_in_one_file(algorithm: str, tmp_path: Path) -> None:
    said = run(*TRAIN, f"train_{algorithm}.yaml", f"output_dir={tmp_path / 'run'}", "trainer.save_steps=2", *FEW)
    assert f"{algorithm}-2" in said and "8 episodes of 4 tasks" in said
    assert (tmp_path / "run" / "checkpoint-2" / "trainer_state.json").is_file()


def test_the_run_on_software_repair_can_be_read() -> None:
    from agentgym.trainers.config import arguments, read
    from agentgym.trainers.run.environment import spec_of

    config = read(EXAMPLES / "train_swe.yaml", ["trainer.max_steps=1", "eval=null"])
    assert arguments(config).beta == 0.001 and config.eval is None
    assert spec_of(config).limits.turns == 5


@pytest.mark.slow
def test_grpo_training_ends_with_a_measured_model() -> None:
    said = run("-W", "ignore", "train_grpo.py")
    assert re.search(r"after imitation: success 0\.\d+", said)
    assert re.search(r"after GRPO: success 0\.\d+", said)


@pytest.mark.slow
def test_a_model_is_trained_to_choose_flights_and_hotels() -> None:
    few = ("--seeds", "0", "--tasks", "16", "--imitation", "4", "--steps", "1", "--batch", "16", "--every", "1")
    said = run("-W", "ignore", "train_travel.py", *few, "--looked", "2", "--tested", "4")
    assert re.search(r"test, the cheapest: success (1\.0|0\.[5-9])", said)
    assert "test, say nothing: success 0.000" in said
    assert re.search(r"test, GRPO: success [01]\.\d+", said)
    assert re.search(r"^\| imitation continued, as many batches \| [01]\.\d+ \[", said, re.M)


@pytest.mark.slow
def test_a_model_learns_in_a_browser() -> None:
    few = ("--taught", "6", "--imitation", "2", "--tasks", "8", "--steps", "1", "--every", "1", "--looked", "6")
    said = run("-W", "ignore", "train_web.py", *few, "--tested", "6")
    assert "oracle, test: success 1.000" in said
    assert re.search(r"step 1, validation: success \d\.\d+", said) and re.search(r"after GRPO, test: success \d", said)


@pytest.mark.slow
def test_a_model_learns_to_choose_in_a_shop() -> None:
    few = ("--taught", "8", "--imitation", "4", "--tasks", "4", "--steps", "1", "--batch", "16", "--every", "1")
    said = run("-W", "ignore", "train_shop.py", *few, "--looked", "4", "--tested", "6")
    assert "oracle, test: success 1.000" in said and "random clicks, test: success 0.000" in said
    by_chance = re.search(r"random choices, test: success 0\.\d+ .*, reward (0\.\d+)", said)
    assert by_chance and float(by_chance[1]) > 0.5  # the right product is worth most of it
    assert re.search(r"step 1, validation: success \d\.\d+", said) and re.search(r"after GRPO, test: success \d", said)


@pytest.mark.slow
def test_a_model_learns_to_point_with_labels_and_without(tmp_path: Path) -> None:
    few = ("--sources", "miniwob,shop", "--train", "4", "--held-out", "2", "--epochs", "1")
    said = run("-W", "ignore", "train_gui.py", *few, "--out", str(tmp_path / "rows.json"))
    assert "labelled reward              validation sampled" in said and "GUI-RCPO, no label           test" in said
    assert len(re.findall(r"^played: .* [012] of 2 \[", said, re.M)) >= 3


@pytest.mark.slow
def test_a_model_learns_to_operate_a_phone(tmp_path: Path) -> None:
    few = ("--train", "3", "--epochs", "2", "--whole", "1", "--held-out", "1", "--turns", "5")
    said = run("-W", "ignore", "train_gui_tasks.py", *few, "--out", str(tmp_path / "rows.json"))
    assert re.search(r"^oracle +validation [01] of 1 .* test [01] of 1 ", said, re.M)
    assert len(re.findall(r"^screenshots: reward of a step [12]\.\d+", said, re.M)) == 2
    assert (
        "screenshots: solved of 1 tasks, 8 times each, " in said and "\nby steps and episodes, likeliest acts " in said
    )
    assert {row["name"] for row in json.loads((tmp_path / "rows.json").read_text())["rows"]} > {"random", "untrained"}


@pytest.mark.slow
def test_ways_of_asking_a_model_for_proofs_are_billed() -> None:
    few = ("--taught", "4", "--steps", "2", "--theorems", "2", "--tactics", "4")
    said = run("-W", "ignore", "economy_prover.py", *few)
    row = r"^\| .*thinking.* \| [012]/2 \[.*\] \| [1-9]\d* \| \d+ \| (?:\d+|inf) \|$"
    assert len(re.findall(row, said, re.M)) == 4


@pytest.mark.slow
def test_a_manager_of_a_memory_is_measured_beside_its_baselines() -> None:
    said = run("memory_manager.py", "--seeds", "0", "--taught", "8", "--looked", "4", "--tested", "2")
    assert "seed 0, 8 episodes: " in said and "test: learned, seed 0: " in said
    assert "test: keep nothing: {2000: '0.000 [0.000, 0.000]', 20000: '0.000 [0.000, 0.000]'}" in said
    assert "learned less keep the most recent: " in said


@pytest.mark.slow
def test_a_step_prover_learns_by_expert_iteration(tmp_path: Path) -> None:
    few = ("--taught", "12", "--searched", "3", "--rounds", "1", "--epochs", "2", "--train-tactics", "14")
    out = tmp_path / "found.json"
    said = run("-W", "ignore", "train_prover.py", *few, "--tested", "3", "--tactics", "14", "--out", str(out))
    assert "the union of one-step automation: proved within so many tactics" in said and "\nround 1: " in said
    assert (tmp_path / "found.png").is_file()


@pytest.mark.slow
def test_tasks_on_a_site_that_somebody_else_wrote() -> None:
    said = run("own_site.py")
    assert said.count("success 1.0") == 4


@pytest.mark.slow
def test_a_model_proves_by_search_along_a_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    """An endpoint that plans one fact and says `auto.` to every goal; without one the automation is tried."""

    def answer(request: dict[str, Any]) -> Answer:
        plans = "You plan a proof" in request["messages"][-1]["content"]
        return Answer(200, completion("True" if plans else "auto."))

    monkeypatch.setenv("OPENAI_API_KEY", "any")
    with listening(AnsweringServer(answer)) as fake:
        models = ("--prover", "openai:small", "--planner", "openai:large", "--base-url", fake.url, "--samples", "1")
        said = run("search_prover.py", *models, "--limit", "1", "--plans", "1", "--tactics", "4")
        assert "1 plans; proved on the way: ['True']" in said and "of 1 proved" in said
        assert {request["model"] for request in fake.requests} == {"small", "large"}
