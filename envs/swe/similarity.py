"""How alike two patches are, as numbers in [0, 1]: SWE-RL's character measure, and a line measure of our own.

`patch_similarity` follows SWE-RL (arXiv 2502.18449): the mean over all files that either patch touches of the ratio
of `difflib.SequenceMatcher` on the two per-file diffs (three lines of context, headers dropped); a file that only one
of the patches touches counts 0.  It is quadratic in the length, so it declines (None) what is over `cap` characters.
`line_similarity` is the same over whole lines: another number, cheap at any length.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import SequenceMatcher

_Ratio = Callable[[str, str], float]

CAP = 4_000
"""Characters of one file's diff: about 0.2 s of CPU a file."""


def patch_similarity(predicted: Mapping[str, str], oracle: Mapping[str, str], cap: int = CAP) -> float | None:
    """SWE-RL's similarity of two patches given as {path: diff text}; None if a diff is longer than `cap`."""
    shared = [path for path in predicted if predicted[path] and oracle.get(path)]
    if any(len(side[path]) > cap for path in shared for side in (predicted, oracle)):
        return None
    return _mean(predicted, oracle, lambda one, two: SequenceMatcher(None, one, two, autojunk=False).ratio())


def line_similarity(predicted: Mapping[str, str], oracle: Mapping[str, str]) -> float:
    """The same mean, with the ratio taken over lines in place of characters."""
    return _mean(
        predicted,
        oracle,
        lambda one, two: SequenceMatcher(None, one.splitlines(), two.splitlines(), autojunk=False).ratio(),
    )


def _mean(predicted: Mapping[str, str], oracle: Mapping[str, str], ratio: _Ratio) -> float:
    paths = sorted(predicted.keys() | oracle.keys())
    if not paths:
        return 0.0
    total = 0.0
    for path in paths:
        one, two = predicted.get(path, ""), oracle.get(path, "")
        total += ratio(one, two) if one and two else 0.0
    return total / len(paths)
