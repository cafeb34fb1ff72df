"""A run's file: what is read, what is refused and in which words."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("trl")

from agentgym.errors import UsageError
from agentgym.trainers.config import arguments, read, resolved
from agentgym.trainers.config.text import dump, parse

LEAST = ["env=a/b-v0", "model.name=smollm2", "output_dir=out"]


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "run.yaml"
    file.write_text(text)
    return file


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *(("1e-5", 1e-5), ("010", 10), ("no", "no"), ("on", "on"), ("true", True), ("~", None), ("", None)),
        *(
            (".5", 0.5),
            ("-3", -3),
            ("2026-01-01", "2026-01-01"),
            ("1.0.0", "1.0.0"),
            ("[a, 1]", ["a", 1]),
            ("'1'", "1"),
        ),
    ],
)
def test_scalars_are_what_they_look_like(text: str, value: object) -> None:
    assert parse(text, "x") == value
    assert parse(dump({"x": value}), "x") == {"x": value}


def test_overrides_change_the_file(tmp_path: Path) -> None:
    file = written(tmp_path, "env: a/b-v0\nmodel: {name: smollm2}\noutput_dir: out\ntrainer: {max_steps: 3}\n")
    config = read(file, ["trainer.learning_rate=1e-5", "model.lora.rank=4", "tasks.ids=[a, b]", "trainer.max_steps=5"])
    assert config.trainer == {"max_steps": 5, "learning_rate": 1e-5}
    assert config.model.lora is not None and config.model.lora.rank == 4
    assert config.tasks.ids == ["a", "b"]
    made = arguments(config)
    assert (made.max_steps, made.learning_rate, made.output_dir) == (5, 1e-5, "out")


@pytest.mark.parametrize("algorithm", ["grpo", "ppo"])
def test_the_resolved_run_says_every_key_and_is_read_back(tmp_path: Path, algorithm: str) -> None:
    config = read(None, [*LEAST, f"algorithm={algorithm}", "trainer.save_strategy=no", "trainer.run_name='1e-5'"])
    data = resolved(config)
    again = read(written(tmp_path, dump(data)))
    assert resolved(again) == data
    assert {"learning_rate", "advantage", "num_generations"} <= data["trainer"].keys()
    assert arguments(again).to_json_string() == arguments(config).to_json_string()


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["trainer.lerning_rate=1"], "unknown key 'lerning_rate' in trainer: did you mean 'learning_rate'?"),
        (["tsks.limit=1"], "unknown key 'tsks': did you mean 'tasks'?"),
        (["model.lora.rnk=1"], "unknown key 'rnk' in model.lora: did you mean 'rank'?"),
        (["model.lora.colour=1"], "unknown key 'colour' in model.lora: there are rank, alpha, dropout, targets"),
        (["trainer.learning_rate=fast"], "trainer.learning_rate: Input should be a valid number, not 'fast'"),
        (["trainer.max_steps=true"], "trainer.max_steps: Input should be a valid integer, not True"),
        (["trainer.max_context=much"], "trainer.max_context: Input should be a valid integer, not 'much'"),
        (["tasks.limit=0"], "tasks.limit: Input should be greater than or equal to 1, not 0"),
        (["tasks.split=tset"], "tasks.split: Input should be 'train' or 'validation', not 'tset'"),
        (["algorithm=dpo"], "algorithm: Input should be 'grpo' or 'ppo', not 'dpo'"),
        (
            ["model.lora.targets=5"],
            "model.lora.targets: Input should be a valid list or Input should be a valid string",
        ),
        (["model.scratch.layers=1"], "model: give name (a Hugging Face name, a folder, or smollm2) or scratch"),
        (["trainer.seed=1"], "trainer.seed: it is a key of its own, seed"),
        (["trainer.hub_token=hf_x"], "trainer.hub_token: a file is no place for a secret: set HF_TOKEN"),
        (["seed"], "overrides are KEY=VALUE, such as trainer.learning_rate=1e-5, not 'seed'"),
        (["env.id=x"], "env.id: env is 'a/b-v0', which has no keys"),
        (["trainer.x=[1"], "trainer.x: not YAML: expected ',' or ']'"),
    ],
)
def test_mistakes_are_told_by_key(overrides: list[str], said: str) -> None:
    with pytest.raises(UsageError) as told:
        read(None, [*LEAST, *overrides])
    assert str(told.value).startswith(said)
    assert "\n" not in str(told.value)


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(UsageError) as told:
        read(None, ["env=3", "trainer.advantage=3", "evl.split=test"])
    assert [line.split(":")[0] for line in str(told.value).splitlines()] == [
        *("unknown key 'evl'", "env", "model", "output_dir", "trainer.advantage")
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("env: a\nmodel: [1\n", "run.yaml, line 3: not YAML"),
        ("env: a\nenv: b\n", "run.yaml, line 2: not YAML: 'env' is given twice"),
        ("- a\n", "run.yaml holds a list: a run is `key: value` lines"),
        ("", "run.yaml is empty"),
        ("env: !!python/name:os.system\n", "not YAML: could not determine a constructor"),
    ],
)
def test_a_file_that_is_no_run_is_told(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError) as told:
        read(written(tmp_path, text))
    assert said in str(told.value)


def test_a_file_that_can_not_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no file"):
        read(tmp_path / "missing.yaml")
    with pytest.raises(UsageError, match="can not be read"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["trainer.advantage=grop"], r"trainer: no advantage estimator 'grop' \(did you mean 'grpo'\?\)"),
        (["trainer.per_device_train_batch_size=3"], "trainer: .*divisible by num_generations"),
        (["trainer.report_to=wadb"], "trainer.report_to: unknown key 'wadb' in report_to: did you mean 'wandb'?"),
    ],
)
def test_what_the_algorithm_does_not_take_is_told(overrides: list[str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        arguments(read(None, [*LEAST, *overrides]))


def test_files_lie_beside_the_run_and_output_where_one_is(tmp_path: Path) -> None:
    text = "env: mine.py\ntasks: {file: tasks.json}\nmodel: {name: x}\noutput_dir: out\n"
    config = read(written(tmp_path, text))
    assert config.env == str(tmp_path / "mine.py") and config.tasks.file == str(tmp_path / "tasks.json")
    assert config.output_dir == "out"
