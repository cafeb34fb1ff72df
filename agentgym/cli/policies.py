"""From what follows --policy to a Policy: scripted ones of the environment, an endpoint, a local model."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from agentgym.envspec import EnvSpec
from agentgym.errors import UsageError
from agentgym.policy import Policy

Name = Annotated[
    str,
    typer.Option("--policy", "-p", help="oracle, noop, random, cheat/NAME, openai:MODEL (any endpoint) or local:PATH."),
]
BaseUrl = Annotated[str | None, typer.Option(envvar="OPENAI_BASE_URL", help="The endpoint of openai:MODEL.")]
Temperature = Annotated[float, typer.Option(min=0.0, help="Of openai:MODEL and local:PATH.")]
MaxTokens = Annotated[int, typer.Option(min=1, help="A message of openai:MODEL and local:PATH is cut there.")]
Images = Annotated[
    int | None, typer.Option(min=0, help="How many of the latest images openai:MODEL is sent (default: all).")
]


@dataclass(slots=True, frozen=True)
class Sampling:
    """How a model is sampled; scripted policies ignore it."""

    base_url: str | None = None
    temperature: float = 1.0
    max_tokens: int = 1024
    images: int | None = None


def policy_of(name: str, spec: EnvSpec, sampling: Sampling) -> Policy:
    """Raises UsageError naming what there is."""
    if name in spec.policies:
        return spec.policies[name]()
    kind, _, rest = name.partition(":")
    if kind == "openai" and rest:
        from agentgym.policies.openai import OpenAIPolicy

        return OpenAIPolicy(
            rest,
            base_url=sampling.base_url,
            temperature=sampling.temperature,
            max_tokens=sampling.max_tokens,
            images=sampling.images,
        )
    if kind == "local" and rest:
        return _local(rest, sampling)
    near = difflib.get_close_matches(name, spec.policies, n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    known = ", ".join(spec.policies)
    raise UsageError(f"no policy {name!r} for {spec.id}.{hint} There are: {known}, openai:MODEL, local:PATH.")


def _local(path: str, sampling: Sampling) -> Policy:
    try:
        import torch  # noqa: F401
        import transformers
    except ImportError as error:
        raise UsageError(f"local:{path} needs {error.name}: pip install 'agentgym[train]'") from error
    transformers.utils.logging.disable_progress_bar()
    from agentgym.policies.codec import ChatCodec, CompactCodec
    from agentgym.policies.local import LocalPolicy
    from agentgym.trainers.models import load

    model, tokenizer = load(path)
    codec: Any = ChatCodec(tokenizer) if tokenizer.chat_template else CompactCodec(tokenizer)
    return LocalPolicy(
        *(model, codec),
        name=f"local:{path}",
        temperature=sampling.temperature,
        max_new_tokens=sampling.max_tokens,
    )
