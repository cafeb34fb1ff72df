"""`agentgym train`: run a training recipe of `agentgym.trainers` on an environment."""

from __future__ import annotations

from agentgym.cli.options import Env


def train(env: Env) -> None:
    """Train a model on an environment."""
