"""RunConfig: the sections of a run's file and what each key may hold. The trainer's section is `arguments`' business."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Section(BaseModel):
    """Types are meant as they are written: no text for a number, no unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Tasks(Section):
    """What is trained on: the first `limit` tasks of a split, or those named in `ids`.

    file: a task file, for environments that take one; beside the run's file if relative.
    """

    split: Literal["train", "validation"] = "train"
    limit: int | None = Field(default=None, ge=1)
    ids: list[str] | None = Field(default=None, min_length=1)
    file: str | None = None

    @model_validator(mode="after")
    def _one_choice(self) -> Tasks:
        if self.ids is not None and self.limit is not None:
            raise ValueError("give ids or limit, not both")
        return self


class Lora(Section):
    """An adapter in place of all weights. alpha: twice the rank, if it is not given."""

    rank: int = Field(default=16, ge=1)
    alpha: int | None = Field(default=None, gt=0)
    dropout: float = Field(default=0.0, ge=0, lt=1)
    targets: list[str] | str = "all-linear"


class Scratch(Section):
    """A small Llama and a tokenizer of its own, made from what the warm start's episodes say."""

    hidden: int = Field(default=64, ge=32)
    layers: int = Field(default=2, ge=1)
    context: int = Field(default=512, ge=16)
    vocabulary: int = Field(default=512, ge=300)


class Model(Section):
    """name: a Hugging Face name, a folder, or smollm2; or else `scratch`."""

    name: str | None = None
    scratch: Scratch | None = None
    lora: Lora | None = None

    @model_validator(mode="after")
    def _one_choice(self) -> Model:
        if (self.name is None) == (self.scratch is None):
            raise ValueError("give name (a Hugging Face name, a folder, or smollm2) or scratch")
        return self


class WarmStart(Section):
    """Imitation of a scripted policy of the environment before training; `samples` episodes of each task."""

    policy: str = "oracle"
    samples: int = Field(default=1, ge=1)
    steps: int = Field(default=100, ge=1)
    batch_size: int = Field(default=32, ge=1)
    learning_rate: float = Field(default=1e-3, gt=0)


class Expert(Section):
    """Whose episodes `trainer.chord` imitates: a folder that `agentgym rollout` wrote; beside the run's file if relative."""

    rollout: str


class Eval(Section):
    """What the trained model is measured on at the end; `samples` episodes of each task."""

    split: Literal["train", "validation", "test"] = "test"
    limit: int | None = Field(default=None, ge=1)
    samples: int = Field(default=1, ge=1)
    temperature: float = Field(default=1.0, ge=0)


class RunConfig(Section):
    """One training run. `read` makes it from a file and overrides.

    env: an id, or a file.py that defines a spec (beside the run's file if relative). env_config: options of the
    environment. limits: changes to its limits. trainer: fields of AgentGRPOConfig or AgentPPOConfig. sandbox: None
    leaves it to AGENTGYM_SANDBOX, else to what there is.
    """

    env: str
    env_config: dict[str, Any] = Field(default_factory=dict)
    limits: dict[str, Any] = Field(default_factory=dict)
    tasks: Tasks = Tasks()
    model: Model
    algorithm: Literal["grpo", "ppo"] = "grpo"
    trainer: dict[str, Any] = Field(default_factory=dict)
    warm_start: WarmStart | None = None
    expert: Expert | None = None
    eval: Eval | None = None
    output_dir: str
    seed: int = 0
    sandbox: str | None = None

    @model_validator(mode="after")
    def _words_to_learn(self) -> RunConfig:
        if self.model.scratch is not None and self.warm_start is None:
            raise ValueError("model.scratch needs warm_start: its tokens and first words come from those episodes")
        return self

    @model_validator(mode="after")
    def _someone_to_imitate(self) -> RunConfig:
        if (self.expert is None) != (self.trainer.get("chord") is None):
            raise ValueError("trainer.chord imitates an expert: give both trainer.chord and expert.rollout")
        return self
