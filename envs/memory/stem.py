"""Porter's stemmer (M. F. Porter, 1980, "An algorithm for suffix stripping"), which LoCoMo's F1 compares words by.

The algorithm as published; libraries differ from it in a few words.
"""

from __future__ import annotations

import itertools

_STEP2 = (
    *(("ational", "ate"), ("tional", "tion"), ("enci", "ence"), ("anci", "ance"), ("izer", "ize"), ("abli", "able")),
    *(("alli", "al"), ("entli", "ent"), ("eli", "e"), ("ousli", "ous"), ("ization", "ize"), ("ation", "ate")),
    *(("ator", "ate"), ("alism", "al"), ("iveness", "ive"), ("fulness", "ful"), ("ousness", "ous"), ("aliti", "al")),
    *(("iviti", "ive"), ("biliti", "ble")),
)
_STEP3 = (
    *(("icate", "ic"), ("ative", ""), ("alize", "al"), ("iciti", "ic"), ("ical", "ic"), ("ful", ""), ("ness", "")),
)
_STEP4 = (
    *(
        "al",
        "ance",
        "ence",
        "er",
        "ic",
        "able",
        "ible",
        "ant",
        "ement",
        "ment",
        "ent",
        "ion",
        "ou",
        "ism",
        "ate",
        "iti",
    ),
    *("ous", "ive", "ize"),
)


def porter(word: str) -> str:
    """The stem of a lower-case word."""
    if len(word) <= 2:
        return word
    word = _step1(word)
    word = _replaced(word, _STEP2)
    word = _replaced(word, _STEP3)
    return _step5(_step4(word))


def _step1(word: str) -> str:
    if word.endswith(("sses", "ies")):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith("ss"):
        word = word[:-1]
    if word.endswith("eed"):
        word = word[:-1] if _measure(word[:-3]) > 0 else word
    else:
        for suffix in ("ed", "ing"):
            if word.endswith(suffix) and _has_vowel(word[: -len(suffix)]):
                word = _tidied(word[: -len(suffix)])
                break
    if word.endswith("y") and _has_vowel(word[:-1]):
        word = word[:-1] + "i"
    return word


def _tidied(word: str) -> str:
    if word.endswith(("at", "bl", "iz")):
        return word + "e"
    if len(word) > 1 and word[-1] == word[-2] and _consonant(word, len(word) - 1) and word[-1] not in "lsz":
        return word[:-1]
    return word + "e" if _measure(word) == 1 and _short(word) else word


def _replaced(word: str, rules: tuple[tuple[str, str], ...]) -> str:
    for suffix, better in sorted(rules, key=lambda rule: -len(rule[0])):
        if word.endswith(suffix):
            root = word[: -len(suffix)]
            return root + better if _measure(root) > 0 else word
    return word


def _step4(word: str) -> str:
    for suffix in sorted(_STEP4, key=len, reverse=True):
        if word.endswith(suffix):
            root = word[: -len(suffix)]
            if _measure(root) > 1 and (suffix != "ion" or root.endswith(("s", "t"))):
                return root
            return word
    return word


def _step5(word: str) -> str:
    if word.endswith("e"):
        root = word[:-1]
        if _measure(root) > 1 or (_measure(root) == 1 and not _short(root)):
            word = root
    return word[:-1] if word.endswith("ll") and _measure(word) > 1 else word


def _consonant(word: str, index: int) -> bool:
    if word[index] in "aeiou":
        return False
    return word[index] != "y" or index == 0 or not _consonant(word, index - 1)


def _measure(word: str) -> int:
    """How often a run of vowels is followed by a run of consonants."""
    kinds = [_consonant(word, index) for index in range(len(word))]
    return sum(now and not before for before, now in itertools.pairwise(kinds))


def _has_vowel(word: str) -> bool:
    return not all(_consonant(word, index) for index in range(len(word)))


def _short(word: str) -> bool:
    """Whether it ends consonant, vowel, consonant, the last not w, x or y."""
    size = len(word)
    shape = [_consonant(word, index) for index in range(max(0, size - 3), size)]
    return shape == [True, False, True] and word[-1] not in "wxy"
