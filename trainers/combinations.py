"""Refusals before anything runs: methods that do not go together, input that can not be trained on. No methods here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import MISSING, fields
from typing import Any

from agentgym.errors import UsageError
from agentgym.evals.held_out import refuse_held_out
from agentgym.tasks import Task

LOSS_OF_TRL = (
    "loss_type",
    "importance_sampling_level",
    "epsilon",
    "epsilon_high",
    "delta",
    "top_entropy_quantile",
    "off_policy_mask_threshold",
    "entropy_coef",
    "use_adaptive_entropy",
)
WITHOUT_ADVANTAGES = ("disco", "drpo")


def refuse_contradictions(config: Any) -> None:
    """Raises UsageError saying all that is wrong with an AgentGRPOConfig."""
    if found := [*_of_loss(config), *_of_controllers(config), *_of_rollouts(config)]:
        raise UsageError("; ".join(found))


def refuse_input(config: Any, tasks: Sequence[Task], tokenizer: Any, shaped: bool, expert: bool) -> None:
    """Raises UsageError saying what of a trainer's arguments does not do."""
    if len({task.id for task in tasks}) < len(tasks):
        raise UsageError("two tasks have the same id")
    refuse_held_out(tasks)
    groups = int(config.generation_batch_size) // int(config.num_generations)
    if len(tasks) < groups:
        raise UsageError(f"a batch holds {groups} groups, one task each, and there are {len(tasks)} tasks")
    if tokenizer.eos_token_id is None:
        raise UsageError("the tokenizer has no end-of-sequence token: set tokenizer.eos_token")
    if shaped and config.shaper is not None:
        raise UsageError(f"rewards are shaped by `shape` or by the shaper {config.shaper!r}: give one of them")
    if expert != (config.chord is not None):
        raise UsageError("chord imitates episodes: give both the configuration's `chord` and the trainer's `expert`")


def _of_loss(config: Any) -> Iterator[str]:
    name = config.policy_loss
    if name is None:
        return
    defaults = {each.name: each.default for each in fields(config) if each.default is not MISSING}
    if given := [each for each in LOSS_OF_TRL if getattr(config, each) != defaults[each]]:
        yield f"policy_loss takes the place of TRL's loss: unset {', '.join(given)}, or use policy_loss_options"
    if config.beta and name != "clipped":
        yield f"policy loss {name!r} has no term for the reference: beta must be 0"
    if name == "clipped" and "beta" in config.policy_loss_options:
        yield "the weight of the KL is the configuration's own `beta`, not an option of the policy loss"
    if name == "copo" and config.advantage != "copo":
        yield "policy loss 'copo' blends the two advantages of advantage 'copo': choose that, too"
    if config.has_critic and name in (*WITHOUT_ADVANTAGES, "copo"):
        yield f"policy loss {name!r} has no use for a critic's advantages: use AgentGRPOConfig"


def _of_controllers(config: Any) -> Iterator[str]:
    names = config.controllers
    if "adaptive_kl" in names and names["adaptive_kl"].get("beta") != config.beta:
        yield f"beta is {config.beta}, but adaptive_kl begins at another: give it to adaptive_kl alone"
    if "laser_targets" in names and (config.shaper != "laser_d" or "targets" in config.shaper_options):
        yield "laser_targets moves the targets of the shaper 'laser_d': choose that, without `targets`"
    if "chord_mu" in names and (config.chord is None or config.chord.get("mu") is not None):
        yield "chord_mu moves chord's mu: give `chord`, without `mu`"
    if config.chord is not None and config.chord.get("mu") is None and "chord_mu" not in names:
        yield "chord needs `mu` (CHORD-phi: .1), or the controller chord_mu"
    if "lagrange" in names and (config.has_critic or config.shaper is not None):
        yield "lagrange weighs the channels of the record, each with a baseline of its own: no shaper, no critic"


def _of_rollouts(config: Any) -> Iterator[str]:
    alone = config.filtration == "filtered" and config.filtration_options.get("keep") == "best"
    if alone and not config.has_critic:
        yield "filtration that keeps the best alone leaves no group to compare: keep two, or use AgentPPOConfig"
    if config.dynamic_sampling < 0:
        yield f"dynamic_sampling is how many extra batches a step may take, not {config.dynamic_sampling}"
