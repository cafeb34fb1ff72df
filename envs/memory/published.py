"""Mem-alpha's reward as published (arXiv 2509.25911): kept for comparison, because it can be farmed.

For each chunk t: r_t = r1 + r2_t + beta r3 + gamma r4_t, with r1 the score of all questions after the last chunk, r2_t the share
of the chunk's calls that succeeded (0 without a call; a skipped duplicate fails), r3 one less the memory's share of the
stream's tokens, r4_t the share of calls whose content fits its type of memory (a rule here, a judge there).
"""

from __future__ import annotations

from collections.abc import Sequence

from agentgym.types import Turn

BETA = 0.05
GAMMA = 0.1


def mem_alpha_rewards(turns: Sequence[Turn], answered: float, share: float) -> list[float]:
    """r_t of every turn in which the agent read. answered: r1. share: the memory's tokens to the stream's."""
    read = [turn for turn in turns if turn.observation.actor == "agent"]
    together = answered + BETA * (1.0 - share)
    return [
        together + _mean(turn, "call", 0.0) + GAMMA * _mean(turn, "typed", _mean(turn, "call", 0.0)) for turn in read
    ]


def mem_alpha_reward(turns: Sequence[Turn], answered: float, share: float) -> float:
    """Their mean over the chunks."""
    rewards = mem_alpha_rewards(turns, answered, share)
    return sum(rewards) / len(rewards) if rewards else 0.0


def _mean(turn: Turn, channel: str, without: float) -> float:
    values = [score.value or 0.0 for score in turn.info.scores if score.channel == channel]
    return sum(values) / len(values) if values else without
