"""Is an answer right: typed match of names, dates, numbers and sets, and the field's EM and F1 beside it. No model.

EM and F1 as SQuAD's (Rajpurkar et al., 2016; lower case, no punctuation, no articles) and LoCoMo's (arXiv 2402.17753: stemmed
tokens; the category decides).  "unknown" is right only where nothing is known, and then nothing else is.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from agentgym.envs.memory import dates, stem

UNKNOWN = "unknown"
_ARTICLES = re.compile(r"\b(a|an|the)\b")
_LOCOMO_WORDS = re.compile(r"\b(a|an|the|and)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)
_NUMBERS = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
    seventeen eighteen nineteen twenty"""
_NUMBER_WORDS = {word: number for number, word in enumerate(_NUMBERS.split())}
_NOTHING = ("no information available", "not mentioned")


@dataclass(slots=True, frozen=True)
class Question:
    """`type`: how answers are compared: name, date, number, members (a set); text (SQuAD's F1), locomo (LoCoMo's), contains
    (substring).

    answers: each of them is right. query: the question for a reader that knows no language; may be empty.
    """

    id: str
    kind: str
    text: str
    type: str
    answers: tuple[str, ...]
    query: dict[str, Any] = field(default_factory=dict)

    @property
    def answerable(self) -> bool:
        return self.answers != (UNKNOWN,)

    def dump(self) -> dict[str, Any]:
        return {**asdict(self), "answers": list(self.answers)}

    @classmethod
    def load(cls, raw: dict[str, Any]) -> Question:
        return cls(**{**raw, "answers": tuple(raw["answers"])})


def right(question: Question, given: str) -> float:
    """How right `given` is, in [0, 1]; below 1 and above 0 for text only."""
    given = given.strip()
    if not question.answerable:
        return float(squad_normal(given) in (UNKNOWN, *_NOTHING))
    if not given or squad_normal(given) == UNKNOWN:
        return 0.0
    if question.type == "text":
        return max(squad_f1(gold, given) for gold in question.answers)
    if question.type == "locomo":
        return max(locomo_f1(gold, given, question.query["category"]) for gold in question.answers)
    return max(float(_same(question.type, gold, given)) for gold in question.answers)


def _same(type: str, gold: str, given: str) -> bool:
    match type:
        case "date":
            return dates.read(given.rstrip(".")) == dates.read(gold)
        case "number":
            return _number(given) == _number(gold)
        case "members":
            return _members(given) == _members(gold)
        case "contains":
            return squad_normal(gold) in squad_normal(given)
        case _:
            return _name(gold) == _name(given)


def _name(text: str) -> str:
    return squad_normal(unicodedata.normalize("NFKC", text))


def _number(text: str) -> int | None:
    words = squad_normal(text).removesuffix(" days").removesuffix(" times").strip()
    return int(words) if re.fullmatch(r"\d{1,9}", words) else _NUMBER_WORDS.get(words)


def _members(text: str) -> frozenset[str]:
    return frozenset(_name(part) for part in re.split(r",|;|\n|\band\b", text) if part.strip())


def squad_normal(text: str) -> str:
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def squad_em(gold: str, given: str) -> float:
    return float(squad_normal(gold) == squad_normal(given))


def squad_f1(gold: str, given: str) -> float:
    return _overlap(squad_normal(gold).split(), squad_normal(given).split())


def locomo_f1(gold: str, given: str, category: int) -> float:
    """LoCoMo's score of one answer. category: 1 multi-hop, 2 temporal, 3 open, 4 single-hop, 5 adversarial."""
    if category == 5:
        return float(any(words in given.lower() for words in _NOTHING))
    if category == 1:
        golds = [part.strip() for part in gold.split(",")]
        given_parts = [part.strip() for part in given.split(",")]
        return sum(max(_stemmed_f1(part, each) for each in given_parts) for part in golds) / len(golds)
    return _stemmed_f1(gold.partition(";")[0].strip() if category == 3 else gold, given)


def _stemmed_f1(gold: str, given: str) -> float:
    return _overlap(_locomo_tokens(gold), _locomo_tokens(given))


def _locomo_tokens(text: str) -> list[str]:
    plain = _LOCOMO_WORDS.sub(" ", text.lower().replace(",", "").translate(_PUNCTUATION))
    return [stem.porter(word) for word in plain.split()]


def _overlap(gold: Sequence[str], given: Sequence[str]) -> float:
    if not gold or not given:
        return float(not gold and not given)
    common = sum((Counter(gold) & Counter(given)).values())
    if common == 0:
        return 0.0
    precision, recall = common / len(given), common / len(gold)
    return 2 * precision * recall / (precision + recall)
