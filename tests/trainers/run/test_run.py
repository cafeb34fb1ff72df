"""What a run leaves: its numbers by name in every sink, a model that can be loaded, a measurement; and what is refused."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from transformers.integrations import integration_utils  # noqa: E402
from trl.extras import profiling  # noqa: E402
from trl.trainer import grpo_trainer  # noqa: E402

from agentgym.errors import UsageError  # noqa: E402
from agentgym.trainers import models  # noqa: E402
from agentgym.trainers.config import read  # noqa: E402
from agentgym.trainers.run import run  # noqa: E402
from agentgym.trainers.run.run import Ran  # noqa: E402
from agentgym.trainers.run.sinks import forget_after, line  # noqa: E402
from tests.trainers.run.runs import config_of, train  # noqa: E402

NAMES = {
    *("agent/reward", "agent/outcome", "agent/channels/right", "agent/gates/right", "agent/gate_open"),
    *("agent/failed", "agent/masked", "agent/advantage_mean", "agent/advantage_std", "agent/advantage_max"),
    *("entropy", "kl", "clip_ratio/region_mean"),
}


class FakeTrackio(SimpleNamespace):
    """Stands where the real one need not be installed: keeps what the Trainer's own integration sends."""

    def __init__(self) -> None:
        none = SimpleNamespace(get=lambda: None)
        context = SimpleNamespace(current_space_id=none, current_run=none)
        # a spec, as every imported module has one: who looks for the module without importing it finds it by this
        super().__init__(logged=[], config={}, context_vars=context, __spec__=ModuleSpec("trackio", None))

    def init(self, **_: Any) -> None: ...

    def finish(self) -> None: ...

    def log(self, numbers: dict[str, Any], *_: Any, **__: Any) -> None:
        self.logged.append(numbers)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Ran, list[str], FakeTrackio]]:
    torch.set_num_threads(1)
    trackio, told = FakeTrackio(), []
    config = ["trainer.max_steps=1", "trainer.report_to=trackio", "trainer.beta=0.01", "model.lora.rank=4"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "trackio", trackio)
        patch.setattr(integration_utils, "is_trackio_available", lambda: True)
        for module in (profiling, grpo_trainer):  # which import it only where it was there when they were loaded
            patch.setattr(module, "trackio", trackio, raising=False)
        folder = tmp_path_factory.mktemp("ran") / "run"
        yield run(config_of(folder, *config, "eval.split=validation"), say=told.append), told, trackio


def test_numbers_by_name_arrive_in_every_sink(ran: tuple[Ran, list[str], FakeTrackio]) -> None:
    done, told, trackio = ran
    first = json.loads((done.folder / "metrics.jsonl").read_text().splitlines()[0])
    assert first["step"] == 1 and first.keys() >= NAMES
    assert {f"train/{name}" for name in NAMES} <= {name for each in trackio.logged for name in each}
    [step] = [text for text in told if text.startswith("step")]
    assert step.startswith("step 1/1: loss ") and f"reward {first['agent/reward']:.3g}" in step


def test_the_model_is_whole_and_measured(ran: tuple[Ran, list[str], FakeTrackio]) -> None:
    done, _, _ = ran
    model, tokenizer = models.load(done.model)
    assert not [name for name, _ in model.named_parameters() if "lora" in name] and tokenizer.pad_token
    assert done.report is not None and (done.report["split"], done.report["episodes"]) == ("validation", 4)
    assert (done.folder / "eval" / "step-1" / "report.json").is_file()


def test_a_line_says_what_there_is() -> None:
    assert line(3, 9, {"loss": 0.5, "agent/reward": None, "kl": 0.00123}) == "step 3/9: loss 0.5, kl 0.00123"


def test_lines_of_later_steps_are_forgotten(tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").write_text('{"step": 1}\n{"step": 2}\n{"step": 3}\n{"st')
    forget_after(tmp_path, 2)
    assert (tmp_path / "metrics.jsonl").read_text() == '{"step": 1}\n{"step": 2}\n'


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["env=swe/bug-v0"], "env: no environment 'swe/bug-v0'. Did you mean swe/bugs-v0"),
        (["env=missing.py"], "env: no Python file"),
        (["env_config.colour=red"], "env_config: .*option 'colour'"),
        (["limits.turn=3"], "unknown key 'turn' in limits: did you mean 'turns'?"),
        (["limits.turns=many"], "limits.turns: Input should be a valid integer"),
        (["tasks.ids=[w0, w99]"], "tasks.ids: no task 'w99'"),
        (["tasks.ids=[w2]"], "held-out"),
        (["tasks.file=missing.txt"], "tasks.file: no file"),
        (["warm_start.policy=orakle"], "warm_start.policy: .*did you mean 'oracle'?"),
        (["trainer.report_to=wandb"], "trainer.report_to: wandb is not installed: pip install wandb"),
    ],
)
def test_what_can_not_be_run_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, overrides: list[str], said: str
) -> None:
    monkeypatch.setattr(integration_utils, "is_wandb_available", lambda: False)
    with pytest.raises(UsageError, match=said):
        train(tmp_path / "run", *overrides)


def test_a_small_model_needs_words_to_learn() -> None:
    with pytest.raises(UsageError, match=r"model\.scratch needs warm_start"):
        read(None, ["env=a", "output_dir=b", "model.scratch.layers=1"])
