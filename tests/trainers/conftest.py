"""A toy to learn: `get` a key, `put` the value it shows under the same key, `done`; no sandbox, no tests, seconds."""

from types import SimpleNamespace
from typing import ClassVar

import pytest

torch = pytest.importorskip("torch")

from agentgym import Channel, Environment, EnvSpec, Limits, Rubric, Scripted, Task, TaskList, Verifier, tool  # noqa: E402
from agentgym.trainers.models import small_model, train_tokenizer  # noqa: E402
from agentgym.types import Action, Score, ToolCall  # noqa: E402

SIZE = 8


class Shelf(Environment):
    opened: ClassVar[list] = []
    closed: ClassVar[list] = []

    async def on_reset(self) -> str:
        type(self).opened.append(id(self))
        self.key, self.value = self.task.payload["key"], self.rng.randrange(SIZE)
        self.got = self.put_right = False
        return f"key {self.key}"

    async def on_close(self) -> None:
        type(self).closed.append(id(self))

    @tool
    def get(self, key: int) -> str:
        """Show what is under a key."""
        self.got = self.got or key == self.key
        if key == self.key:
            self.score("step", 0.5)
        return f"value {self.value}" if key == self.key else "nothing"

    @tool
    def put(self, value: int) -> str:
        """Put a value."""
        self.put_right = value == self.value
        return "ok"

    @tool
    def done(self) -> str:
        """End."""
        self.end("done")
        return "bye"

    async def artefacts(self) -> dict[str, str]:
        return {"right": str(int(self.got and self.put_right and self._end == "done"))}


class ShelfVerifier(Verifier):
    name = "shelf"

    async def verify(self, evidence, runtime):
        return [Score("right", float(evidence.artefacts["right"]))]


def call(name: str, **arguments) -> Action:
    import json

    return Action(calls=(ToolCall("c", name, json.dumps(arguments)),))


def noisy_oracle(noise: float) -> Scripted:
    """Reads the conversation; each turn is replaced, with probability `noise`, by a random call."""
    from random import Random

    def play(context):
        rng = Random(context.seed)
        if rng.random() < noise:
            number = rng.randrange(SIZE)
            return rng.choice([call("get", key=number), call("put", value=number), call("done")])
        seen = [message.text for message in context.messages if message.role in ("user", "tool")]
        values = [text for text in seen if text.startswith("value")]
        if "ok" in seen:
            return call("done")
        if values:
            return call("put", value=int(values[-1].split()[1]))
        return call("get", key=int(seen[0].split()[1]))

    return Scripted("noisy", play)


def make_spec(entry=Shelf, verifier=None) -> EnvSpec:
    tasks = [Task(f"k{key}", "toy/shelf-v0", {"key": key}, split="train") for key in range(SIZE)]
    return EnvSpec(
        "toy/shelf-v0",
        entry,
        lambda config, runtime: TaskList(tasks),
        verifier or ShelfVerifier(),
        Rubric((Channel("right", "outcome", priority=1, threshold=0.0), Channel("step", "process", weight=0.1))),
        limits=Limits(turns=3),
    )


@pytest.fixture
def toy():
    torch.set_num_threads(1)
    Shelf.opened, Shelf.closed = [], []
    spec = make_spec()
    texts = ["key 0123456789 value nothing ok bye get put done No tool was called. Call one of:"] * 3
    tokenizer = train_tokenizer(texts, 340)
    return SimpleNamespace(
        spec=spec,
        make_spec=make_spec,
        env=Shelf,
        tasks=spec.tasks(spec.config, None)._tasks.values(),
        tokenizer=tokenizer,
        noisy_oracle=noisy_oracle,
        model=lambda **options: small_model(tokenizer, **{"hidden": 64, "layers": 2, "context": 128, **options}),
    )
