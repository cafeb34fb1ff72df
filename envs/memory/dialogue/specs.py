"""memory/dialogue as the registry knows it."""

from __future__ import annotations

from agentgym.envs.memory.config import DialogueConfig
from agentgym.envs.memory.dialogue.policies import CHEATS, oracle
from agentgym.envs.memory.dialogue.reader import DialogueReading
from agentgym.envs.memory.dialogue.tasks import ENV, DialogueTasks
from agentgym.envs.memory.policies import standard
from agentgym.envs.memory.specs import memory_spec

DIALOGUE = memory_spec(
    ENV,
    tasks=lambda config, runtime: DialogueTasks(config),
    reading=DialogueReading(),
    policies=standard(oracle, CHEATS),
    config=DialogueConfig(),
    description="Keep a memory of a long dialogue in which facts change; questions are answered from the memory alone.",
)
