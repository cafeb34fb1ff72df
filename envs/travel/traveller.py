"""The traveller who is asked: finds out by keywords what a question is about, and answers from what the task holds.

Scripted, so that replay is exact and no model is needed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

TOPICS = {
    "dates": r"dates?|when|which day|start|begin|leave on|what day",
    "people": r"people|persons?|travell?ers?|how many|party|group|guests?",
    "budget": r"budget|money|spend|afford|costs?|price",
    "house_rule": r"rules?|smok\w+|pets?|part(?:y|ies) in|children|visitors",
    "cuisine": r"cuisines?|food|eat\w*|meals?|restaurants?|diet\w*|dishes",
    "room_type": r"rooms?|accommodations?|hotels?|shared|private|stay",
    "transportation": r"transport\w*|fly\w*|flights?|driv\w+|trains?|taxi|cars?|getting around",
    "depart_after": r"times?|hours?|earliest|o'?clock|depart\w*",
    "back_by": r"times?|hours?|latest|back|return|home by",
}
_WORDS = {topic: re.compile(rf"\b(?:{pattern})\b", re.I) for topic, pattern in TOPICS.items()}
MAX_CHARS = 2_000


def topics_of(question: str) -> list[str]:
    """What the question is about."""
    return [topic for topic, words in _WORDS.items() if words.search(question[:MAX_CHARS])]


def answer(question: str, answers: Mapping[str, str]) -> tuple[str, list[str]]:
    """What the traveller says (`answers` has a text for every topic, and "unclear"), and the topics that it tells."""
    asked = topics_of(question)
    if not asked:
        return answers["unclear"], []
    return " ".join(dict.fromkeys(answers[topic] for topic in asked)), asked
