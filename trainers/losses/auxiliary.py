"""Losses that are added to a policy loss: imitation, of an expert (CHORD) or of the policy's own successes (VAPO)."""

from __future__ import annotations

from typing import Literal, get_args

from torch import Tensor

from agentgym.errors import UsageError
from agentgym.trainers.losses.aggregate import masked_mean

Form = Literal["plain", "phi", "p"]
FORMS: tuple[str, ...] = get_args(Form)


def expert_nll(lp: Tensor, mask: Tensor, *, form: Form = "plain") -> Tensor:
    """The mean over an expert's tokens of -weight lp (CHORD, arXiv 2508.11408; the authors' code read).

    weight: 1 ("plain"), p (1 - p) ("phi": neither what is known nor what is far off), or p, with p = exp(lp) detached.
    """
    p = lp.detach().exp()
    match form:
        case "plain":
            return masked_mean(-lp, mask)
        case "phi":
            return masked_mean(-p * (1 - p) * lp, mask)
        case "p":
            return masked_mean(-p * lp, mask)
    raise UsageError(f"no form {form!r}: there are {', '.join(FORMS)}")


def chord(policy_loss: Tensor, expert_loss: Tensor, *, mu: float) -> Tensor:
    """(1 - mu) policy + mu expert; `controllers.ChordMu` schedules mu, CHORD-phi keeps it at .1."""
    return (1 - mu) * policy_loss + mu * expert_loss
