"""A training run from its description to a measured model: `run(config)`. How it is described is `trainers.config`."""

from agentgym.trainers.run.run import run

__all__ = ["run"]
