"""Dialogue tasks: a stream drawn from the task's id, with questions and the truth as secret."""

from __future__ import annotations

from dataclasses import astuple
from random import Random

from agentgym.envs.memory.config import DialogueConfig
from agentgym.envs.memory.dialogue import questions
from agentgym.envs.memory.dialogue.facts import Key, Ledger
from agentgym.envs.memory.dialogue.stream import Stream, generate
from agentgym.envs.memory.generated import StreamTasks
from agentgym.errors import TaskError
from agentgym.seeds import derive_seed
from agentgym.tasks import Task

ENV = "memory/dialogue-v0"
_LEAST, _MOST, _DRAWS = 1_000, 20_000_000, 20
ABOUT = """\
The text is a log of conversations among several people and an assistant, each line with its day. People tell of themselves; things \
change, and some say wrong things about others: the word of whom it concerns is what counts, whenever it was given. What somebody \
asks to be forgotten must not stay in the memory. Dreams, novels and wishes are no facts.
Notes are read best as lines of the form: 2024-05-02 | Ada Brandt | favourite dish | ramen
(day since when, or on which, it holds | full name | what | value; one note a line)."""


class DialogueTasks(StreamTasks):
    """Without end; phrasings that are held out are spoken in the test split only."""

    def __init__(self, config: DialogueConfig) -> None:
        super().__init__(ENV, config.tokens)
        self._questions, self._facts = config.questions, config.facts

    def make(self, id: str, split: str, tokens: int, number: int) -> Task:
        if not _LEAST <= tokens <= _MOST:
            raise TaskError(f"no task {id!r}: a stream has {_LEAST} to {_MOST} tokens")
        held_out = split == "test"
        for attempt in range(_DRAWS):
            parts = ("task", ENV, self.version, split, tokens, number, repr(self._facts), attempt)
            rng = Random(derive_seed(*parts))
            stream = generate(rng, tokens, self._facts, held_out)
            claims = [(line, claim) for line, claim in enumerate(stream.claims) if claim is not None]
            truth = Ledger(claim for _, claim in claims)
            asked = questions.draw(rng, truth, stream.people, _marks(stream), self._questions, held_out)
            if any(question.answerable for question in asked):
                break
        else:
            raise TaskError(f"task {id}: nothing is told in {_DRAWS} draws; give it more tokens or facts")
        secret = {
            "questions": [question.dump() for question in asked],
            "claims": [[line, *astuple(claim)] for line, claim in claims],
            "forgotten": [list(each) for each in stream.forgotten],
        }
        tags = tuple(sorted({question.kind for question in asked}))
        return Task(id, ENV, {"about": ABOUT, "lines": stream.lines, "facts": stream.loud}, secret, split, tags)


def _marks(stream: Stream) -> dict[str, set[Key]]:
    """What happened to which attribute, where a question is named for it."""
    marks: dict[str, set[Key]] = {
        name: set() for name in ("forgotten", "correction", "reference", "conflict", "hearsay")
    }
    own: set[Key] = set()
    heard: set[Key] = set()
    for claim in stream.claims:
        if claim is None:
            continue
        key = (claim.person, claim.attribute)
        (own if claim.own else heard).add(key)
        marks["reference"].discard(key)
        if claim.op == "same":
            marks["reference"].add(key)
        elif claim.op == "correct":
            marks["correction"].add(key)
        elif claim.op == "forget":
            marks["forgotten"].add(key)
    marks["conflict"], marks["hearsay"] = own & heard, heard - own
    return marks
