"""What a repair tool may offer for one line: the small edits of `mutate`, applied to that line. Pure.

The mutations that are not lossy come in inverse pairs, so the line as it was before such a mutation is always among
the candidates of the broken line; a cap can only break that for lines with more candidates than the cap, and
`repairable` says for which bugs it holds.
"""

from __future__ import annotations

from functools import lru_cache

from agentgym.envs.swe.mutate import LOSSY, Mutation, apply, sites

CAP = 12


def candidates(source: str, line: int, cap: int | None = CAP) -> list[str]:
    """Other versions of line `line` (counted from 1) of a module, in a fixed order; [] if the module is not Python."""
    return list(_candidates(source, line)[:cap])


@lru_cache(maxsize=1024)  # a group of episodes asks for the same line of the same file again and again
def _candidates(source: str, line: int) -> tuple[str, ...]:
    try:
        here = [m for m in sites(source, line) if m.kind not in LOSSY]
    except (SyntaxError, ValueError):
        return ()
    before = source.split("\n")[line - 1] if here else ""
    texts = [before[: m.col] + m.after + before[m.end_col :] for m in here]
    return tuple(text for text in dict.fromkeys(texts) if text != before)


def repairable(source: str, mutation: Mutation, cap: int | None = CAP) -> bool:
    """Whether `candidates` of the broken line hold the line as it was."""
    return source.split("\n")[mutation.line - 1] in candidates(apply(source, mutation), mutation.line, cap)
