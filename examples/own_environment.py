"""An environment of your own in one file. Check it with `agentgym audit examples/own_environment.py`."""

import json

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
    Runtime,
    Score,
    Scripted,
    Task,
    TaskList,
    ToolCall,
    Verifier,
    tool,
)

ID = "example/guess-v0"


class Guess(Environment[Config]):
    async def on_reset(self) -> str:
        self.last = 0
        return "Guess my number between 1 and 100, in at most 7 guesses. I say whether it is higher or lower."

    @tool
    def guess(self, number: int) -> str:
        """Guess the number.

        Args:
            number: From 1 to 100.
        """
        self.last, wanted = number, self.task.secret["number"]
        if number == wanted:
            self.end("guessed")
            return "That is it."
        return "It is higher." if number < wanted else "It is lower."

    async def state(self) -> int:
        return self.last

    async def artefacts(self) -> dict[str, str]:
        return {"number": str(self.last)}


class Right(Verifier):
    name = "right"

    async def verify(self, evidence: Evidence, runtime: Runtime) -> list[Score]:
        return [Score("right", float(evidence.artefacts["number"] == str(evidence.task.secret["number"])))]


def guess(number: int) -> Action:
    return Action("", (ToolCall("c", "guess", json.dumps({"number": number})),))


def bisect(context: Context) -> Action:
    low, high = 1, 100
    for asked, told in zip(context.messages[1::2], context.messages[2::2], strict=True):
        number = json.loads(asked.tool_calls[0].arguments)["number"]
        low, high = (number + 1, high) if "higher" in told.text else (low, number - 1)
    return guess((low + high) // 2)


def tasks(config: Config, runtime: Runtime) -> TaskList:
    split = ["train"] * 8 + ["test"] * 2
    return TaskList(Task(f"n{n}", ID, {}, {"number": n}, split[n % 10]) for n in range(1, 101))


SPEC = EnvSpec(
    id=ID,
    entry=Guess,
    tasks=tasks,
    verifier=Right(),
    rubric=Rubric((Channel("right", "outcome"),)),
    limits=Limits(turns=7),
    chance=0.07,
    description="Guess a number between 1 and 100 in seven guesses.",
    policies={
        "oracle": lambda: Scripted("oracle", bisect),
        "noop": lambda: Scripted("noop", lambda context: Action("I would rather not.")),
        "random": lambda: Scripted("random", lambda context: guess(context.seed % 100 + 1)),
        "cheat/claim": lambda: Scripted("cheat/claim", lambda context: Action("That is it.")),
    },
)
