"""An environment outside the tree, as a plug-in ships one: a module, and the entry point that names it."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Sequence
from typing import Any

from agentgym import (
    Action,
    Channel,
    Config,
    Context,
    Environment,
    EnvSpec,
    Evidence,
    Limits,
    Rubric,
    Score,
    Scripted,
    Task,
    TaskList,
    ToolCall,
    Verifier,
    tool,
)
from agentgym.errors import UsageError

ID = "toy/echo-v0"


class EchoConfig(Config):
    tasks_file: str | None = None
    number: int = 12


class Echo(Environment[EchoConfig]):
    """Say the word of the task. TOY_SLEEP makes every call take that long; TOY_CRASH breaks the resets."""

    async def on_reset(self) -> str:
        if os.environ.get("TOY_CRASH"):
            raise RuntimeError("the toy's host is broken")
        self.word = ""
        return f"Say {self.task.payload['word']}."

    @tool
    async def say(self, word: str) -> str:
        """Say a word.

        Args:
            word: The word.
        """
        await asyncio.sleep(float(os.environ.get("TOY_SLEEP", "0")))
        self.word = word
        self.end("said")
        return f"You said {word}."

    async def state(self) -> str:
        return self.word

    async def artefacts(self) -> dict[str, str]:
        return {"word": self.word}


class Heard(Verifier):
    name = "heard"

    async def verify(self, evidence: Evidence, runtime: Any) -> list[Score]:
        right = evidence.artefacts["word"] == evidence.task.payload["word"]
        return [
            Score("right", float(right or bool(os.environ.get("TOY_LENIENT"))), reason="" if right else "wrong word")
        ]


def tasks(config: EchoConfig, runtime: Any) -> TaskList:
    if config.tasks_file:
        with open(config.tasks_file) as file:
            return TaskList(Task(word.strip(), ID, {"word": word.strip()}) for word in file)
    splits = ["train", "validation", "test"]
    return TaskList(Task(f"w{n}", ID, {"word": f"word{n}"}, split=splits[n % 3]) for n in range(config.number))


def say(word: str) -> Action:
    return Action("", (ToolCall("c", "say", json.dumps({"word": word})),))


def oracle(context: Context) -> Action:
    return say(context.task.payload["word"])


SPEC = EnvSpec(
    id=ID,
    entry=Echo,
    tasks=tasks,
    verifier=Heard(),
    rubric=Rubric((Channel("right", "outcome"),)),
    config=EchoConfig(),
    limits=Limits(turns=2),
    description="Say the word.",
    policies={
        "oracle": lambda: Scripted("oracle", oracle),
        "noop": lambda: Scripted("noop", lambda context: Action("…")),
        "random": lambda: Scripted("random", lambda context: say(str(context.seed))),
        "cheat/claim": lambda: Scripted("cheat/claim", lambda context: Action("I said it.")),
    },
)


def shout(arguments: Sequence[str]) -> None:
    """A command of this environment's own."""
    if not arguments:
        raise UsageError("say what to shout")
    print(json.dumps({"shouted": " ".join(arguments).upper()}))
