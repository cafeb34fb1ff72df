"""The comparison on a real accelerator: refused without one, and tried out on the CPU with a model made on the spot."""

import pytest

torch = pytest.importorskip("torch")

from trl.chat_template_utils import qwen2_5_chat_template  # noqa: E402

from agentgym.trainers import models  # noqa: E402
from agentgym.trainers.learning.gpu import main  # noqa: E402


@pytest.fixture
def chat_model(tmp_path):
    """A folder with a tiny model that has ChatML's tokens and TRL's template."""
    tokenizer = models.train_tokenizer(['<tool_call>\n{"name": "get", "arguments": {"key": 1}}\n</tool_call>'] * 3, 400)
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|im_start|>", "<|im_end|>"]})
    tokenizer.eos_token = "<|im_end|>"
    tokenizer.chat_template = qwen2_5_chat_template
    model = models.small_model(tokenizer, hidden=32, layers=1, context=4096)
    return models.save(tmp_path / "model", model, tokenizer)


@pytest.mark.slow
def test_it_can_be_tried_out_without_one(chat_model, tmp_path):
    small = ["--cpu", "--steps", "1", "--episodes", "8", "--taught", "2"]
    assert main([*small, "--model", str(chat_model), "--out", str(tmp_path)]) == 0
    rows = [line.split(" | ") for line in (tmp_path / "gpu.md").read_text().splitlines() if line.startswith("| ")][1:]
    assert [row[0].split(", ")[1] for row in rows] == ["LoRA", "LoRA", "full", "full"]
    for row in rows:
        assert float(row[2]) > 0
        assert row[4] == "-" or "agentgym" in row[0]


def test_without_an_accelerator_it_refuses(monkeypatch, capsys):
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: False)
    with pytest.raises(SystemExit) as end:
        main([])
    assert end.value.code == 2
    assert "torch sees no accelerator" in capsys.readouterr().err
