"""Staleness: how many optimiser steps the weights that sampled an episode are older than those it is about to train.

On-policy data has 0.  Each further pass over a batch (num_iterations) adds to it what the loss's ratio is there for, and
is not counted here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from agentgym.types import Trajectory


def staleness(trajectory: Trajectory, version: int) -> int:
    """Of its oldest turn; `version` is that of the weights about to be trained."""
    samples = [turn.action.sample for turn in trajectory.turns if turn.action.sample is not None]
    return max((version - sample.policy_version for sample in samples), default=0)


def bounded(trajectories: Sequence[Trajectory], version: int, most: int) -> tuple[list[Trajectory], dict[str, float]]:
    """The same with those masked whose staleness is over `most` (they train nothing and are in no baseline), and what
    there was: mean and largest staleness of the episodes with turns, and the share that was masked as `stale`."""
    ages = [staleness(trajectory, version) for trajectory in trajectories]
    stale = [age > most for age in ages]
    kept = [
        masked(each, f"sampled {age} steps ago, and max_staleness is {most}") if old else each
        for each, age, old in zip(trajectories, ages, stale, strict=True)
    ]
    played = [age for age, each in zip(ages, trajectories, strict=True) if each.turns] or [0]
    return kept, {
        "staleness": sum(played) / len(played),
        "staleness_max": float(max(played)),
        "stale": sum(stale) / max(len(trajectories), 1),
    }


def masked(trajectory: Trajectory, cause: str) -> Trajectory:
    """It says nothing about the policy that is trained; one that failed stays failed."""
    if trajectory.status == "failed":
        return trajectory
    return replace(trajectory, status="masked", record=None, cause=cause)
