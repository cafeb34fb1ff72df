"""The exact reader of dialogues: searches the memory for names, reads what it finds, and applies the ledger's rules.

It understands notes and lines as they were spoken (`reading.py`), and nothing else; it never guesses.
"""

from __future__ import annotations

from functools import lru_cache

from agentgym.envs.memory.dialogue import questions, reading
from agentgym.envs.memory.dialogue.attributes import ATTRIBUTES
from agentgym.envs.memory.dialogue.facts import Claim, Ledger
from agentgym.envs.memory.match import Question
from agentgym.envs.memory.store import Memory
from agentgym.tasks import Task


class DialogueReading:
    """A `Reading` of memories of dialogues."""

    def answer(self, question: Question, memory: Memory) -> str:
        return questions.answer(question.query, lambda person, attribute: _ledger(memory, person, attribute))

    def inspect(self, task: Task, memory: Memory) -> dict[str, float]:
        """Recall and precision of what holds at the end; stale: the share of what the memory holds that held once."""
        truth = Ledger(claim for _, claim in claims_of(task))
        real, once = truth.current(), {(c.person, c.attribute, c.value) for _, c in claims_of(task) if c.own}
        kept = Ledger(claim for text in memory.texts for claim in _read(text)).current()
        return {
            "recall": len(kept & real) / max(1, len(real)),
            "precision": len(kept & real) / len(kept) if kept else 0.0,
            "stale": len((kept - real) & once) / len(kept) if kept else 0.0,
        }


def claims_of(task: Task) -> list[tuple[int, Claim]]:
    """What was claimed by which line, from the task's secret."""
    return [(line, Claim(*fields)) for line, *fields in task.secret["claims"]]


def _ledger(memory: Memory, person: str, attribute: str) -> Ledger:
    """What the memory says about `attribute` of `person`, as far as retrieval finds it."""
    noun = ATTRIBUTES[attribute].noun
    nickname = ATTRIBUTES["alias"].noun
    claims = _found(memory, f"{person} {noun}") | _found(memory, f"{person} {nickname}")
    for claim in list(claims):
        if (claim.attribute == "alias" and claim.person == person) or (
            claim.op == "same" and claim.attribute == attribute
        ):
            claims |= _found(memory, f"{claim.value} {noun}")
    return Ledger(claims)


def _found(memory: Memory, query: str) -> dict[Claim, None]:
    texts = [memory.core, *(memory.text_of(id) for id in memory.search(query))]
    return {claim: None for text in texts if text for claim in _read(text)}


@lru_cache(maxsize=1 << 16)
def _read(text: str) -> tuple[Claim, ...]:
    return tuple(reading.read(text))
