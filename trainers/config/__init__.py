"""The description of a training run, one YAML file: how it is read and checked. Running it is `agentgym.trainers.run`."""

from agentgym.trainers.config.arguments import arguments, resolved
from agentgym.trainers.config.read import read
from agentgym.trainers.config.sections import RunConfig

__all__ = ["RunConfig", "arguments", "read", "resolved"]
