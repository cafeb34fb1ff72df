"""AgentGRPOConfig: what a run of AgentGRPOTrainer is made of; every method is named and tried before anything runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from trl import GRPOConfig

from agentgym.errors import UsageError
from agentgym.trainers.advantages import estimator
from agentgym.trainers.advantages.gae import TARGETS
from agentgym.trainers.combinations import refuse_contradictions
from agentgym.trainers.controllers import controller
from agentgym.trainers.expert import imitation
from agentgym.trainers.losses import policy_loss
from agentgym.trainers.samplers import filtration, sampler
from agentgym.trainers.shaping import shaper
from agentgym.trainers.shaping.lengths import BANDS
from agentgym.trainers.source import server

PLAIN_SAMPLING = {"use_vllm": False, "top_p": 1.0, "top_k": 0, "min_p": None, "repetition_penalty": 1.0}
METHODS = {"shaper": shaper, "policy_loss": policy_loss, "sampler": sampler, "filtration": filtration}


@dataclass
class AgentGRPOConfig(GRPOConfig):
    """GRPOConfig and what episodes need; some of TRL's defaults are changed to suit small agents.

    `num_generations` is the group size; a generation batch holds whole groups, one task each.  Methods are chosen by
    name and options: docs/methods.md lists them.  Raises UsageError for a name or an option that there is not.
    """

    has_critic: ClassVar[bool] = False

    advantage: str = field(default="grpo", metadata={"help": "An estimator of trainers/advantages, by name."})
    advantage_options: dict[str, Any] = field(default_factory=dict, metadata={"help": "Options of that estimator."})
    shaper: str | None = field(default=None, metadata={"help": "A reward shaper of trainers/shaping; None: none."})
    shaper_options: dict[str, Any] = field(default_factory=dict, metadata={"help": "Options of that shaper."})
    policy_loss: str | None = field(default=None, metadata={"help": "A loss of trainers/losses; None: TRL's own."})
    policy_loss_options: dict[str, Any] = field(default_factory=dict, metadata={"help": "Options of that loss."})
    sampler: str | None = field(default=None, metadata={"help": "A task sampler of trainers/samplers; None: rounds."})
    sampler_options: dict[str, Any] = field(default_factory=dict, metadata={"help": "Options of that sampler."})
    dynamic_sampling: int = field(default=0, metadata={"help": "Most extra batches a step for groups that teach."})
    filtration: str | None = field(default=None, metadata={"help": "Which rollouts are trained on; None: all."})
    filtration_options: dict[str, Any] = field(default_factory=dict, metadata={"help": "Options of that filtration."})
    controllers: dict[str, dict[str, Any]] = field(default_factory=dict, metadata={"help": "Options by controller."})
    chord: dict[str, Any] | None = field(default=None, metadata={"help": "CHORD: mu, form, batch; needs `expert`."})
    concurrency: int = field(default=64, metadata={"help": "Episodes at once."})
    max_new_tokens: int = field(default=256, metadata={"help": "Of one message."})
    max_context: int | None = field(default=None, metadata={"help": "Ids of a whole episode."})
    cache_bytes: int = field(default=1 << 28, metadata={"help": "Of key-value caches kept between turns; 0: none."})
    max_failed_share: float = field(default=0.25, metadata={"help": "Of a batch; above it training stops."})
    server: dict[str, Any] | None = field(
        default=None, metadata={"help": "A vLLM server to sample from: docs/vllm.md."}
    )
    max_staleness: int = field(default=0, metadata={"help": "How many steps old a server's weights may be."})
    keep_rollouts: bool = field(default=False, metadata={"help": "Store trajectories in output_dir/rollouts."})
    beta: float = field(default=0.0, metadata={"help": "Weight of the KL to the reference; 0: no reference."})
    bf16: bool | None = field(default=False, metadata={"help": "As in TrainingArguments."})
    gradient_checkpointing: bool = field(default=False, metadata={"help": "As in TrainingArguments."})
    report_to: Any = field(default="none", metadata={"help": "As in TrainingArguments."})
    logging_steps: float = field(default=1, metadata={"help": "As in TrainingArguments."})

    def __post_init__(self) -> None:
        if "adaptive_kl" in self.controllers and not self.beta:  # TRL makes a reference model where beta is not 0
            self.beta = float(self.controllers["adaptive_kl"].get("beta", 0.0))
        super().__post_init__()
        self._check_methods()
        refuse_contradictions(self)
        if wrong := [name for name, value in PLAIN_SAMPLING.items() if getattr(self, name) != value]:
            raise UsageError(
                f"rollouts sample from the plain distribution of the model: unset {wrong} (for a vLLM server give "
                "`server`; TRL's own modes, use_vllm, are not used: docs/vllm.md says why)"
            )

    def _check_methods(self) -> None:
        """Make each once, which refuses what there is not."""
        estimator(self.advantage, **self.advantage_options)
        if self.advantage in TARGETS and not self.has_critic:
            raise UsageError(f"advantage {self.advantage!r} needs a critic: use AgentPPOConfig and AgentPPOTrainer")
        for kind, make in METHODS.items():
            name, options = getattr(self, kind), getattr(self, f"{kind}_options")
            if name == "laser_d" and "laser_targets" in self.controllers:
                options = options | {"targets": dict.fromkeys(BANDS, 0)}  # they come from the controller
            if name is not None:
                make(name, **options)
            elif options:
                raise UsageError(f"{kind}_options are given, but no {kind}")
        for name, options in self.controllers.items():
            controller(name, **options)
        if self.chord is not None:
            imitation(**self.chord)
        if self.server is not None:
            server(self.server)
        if self.max_staleness < 0:
            raise UsageError(f"max_staleness is a number of steps, not {self.max_staleness}")

    @property
    def methods(self) -> dict[str, Any]:
        """The methods of the run, with their options, and the size of a group."""
        names = ["advantage", "advantage_options", "dynamic_sampling", "controllers", "chord", "num_generations"]
        return {name: getattr(self, name) for name in [*names, *METHODS, *(f"{kind}_options" for kind in METHODS)]}
