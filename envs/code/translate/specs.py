"""code/translate as the registry knows it."""

from __future__ import annotations

from typing import Any

from agentgym.envs.code.boxes import ground
from agentgym.envs.code.config import CodeConfig
from agentgym.envs.code.environment import CodeEnvironment
from agentgym.envs.code.policies import policies
from agentgym.envs.code.rubric import rubric
from agentgym.envs.code.specs import code_spec
from agentgym.envs.code.translate import languages
from agentgym.envs.code.translate.cheats import CHEATS
from agentgym.envs.code.translate.tasks import TranslateTasks
from agentgym.envs.code.translate.verifier import TranslateVerifier
from agentgym.sandboxes.sandbox import SandboxSpec


class TranslateEnvironment(CodeEnvironment[CodeConfig]):
    """Translating a program; which languages there are depends on the tools, so none is required of all boxes."""

    @classmethod
    async def open_shared(cls, config: CodeConfig, runtime: Any) -> SandboxSpec:
        return ground(languages.PROGRAMS, runtime)

    async def on_reset(self) -> str:
        await languages.require(tuple(self.task.payload.get("pair", ())), self.runtime)
        return await super().on_reset()


TRANSLATE = code_spec(
    "code/translate-v0",
    entry=TranslateEnvironment,
    tasks=lambda config, runtime: TranslateTasks(runtime),
    verifier=TranslateVerifier(),
    rubric=rubric("compiles", "passed"),
    policies=policies(**CHEATS),
    config=CodeConfig(processes=128),
    description="Translate a program between Python, C, JavaScript and Java, judged by its outputs on hidden inputs.",
)
