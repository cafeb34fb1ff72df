"""Row: one training sequence of exact tokens, and how a trajectory becomes rows. No model, no tokeniser, no rewards.

A row grows while the policy's context only grows; where the context restarts (a fresh observation) or is cut (a
compaction), a new row begins.  Ids are joined as sampled: nothing here can encode or decode.
"""

from __future__ import annotations

from dataclasses import dataclass

from agentgym.errors import UsageError
from agentgym.types import EpisodeKey, Sample, Trajectory, Turn


@dataclass(slots=True)
class Row:
    """One sequence; `mask`, `old_logprobs` and `turn` have one entry an id.

    mask: 1 on ids that the policy sampled in this row, 0 on all that it was given.
    old_logprobs: of the sampling policy, 0.0 where mask is 0.
    turn: the index (in the trajectory) of the turn that sampled the id, -1 where mask is 0.
    prompt_len: how many ids come before the first sampled one could be.
    """

    ids: list[int]
    prompt_len: int
    mask: list[int]
    old_logprobs: list[float]
    turn: list[int]
    traj: EpisodeKey
    actor: str = "agent"


def rows(trajectory: Trajectory, actor: str = "agent") -> list[Row]:
    """The rows of what `actor` sampled, in order.

    Raises UsageError if a turn carries no tokens (a scripted policy, an endpoint without ids) or its tokens
    contradict the turns before it.
    """
    found: list[Row] = []
    context: list[int] = []
    for index, turn in enumerate(trajectory.turns):
        if turn.observation.actor != actor:
            continue
        sample = _sample(turn, trajectory, index, len(context))
        if not found or sample.keep < len(context):
            context = context[: sample.keep] + sample.prompt_ids
            found.append(_begin(context, trajectory.key, actor))
        else:
            context = context + sample.prompt_ids
            _extend(found[-1], sample.prompt_ids)
        context = context + sample.ids
        _extend(found[-1], sample.ids, sample.logprobs, index)
    return found


def _begin(context: list[int], key: EpisodeKey, actor: str) -> Row:
    size = len(context)
    return Row(list(context), size, [0] * size, [0.0] * size, [-1] * size, key, actor)


def _extend(row: Row, ids: list[int], logprobs: list[float] | None = None, turn: int = -1) -> None:
    row.ids += ids
    row.mask += [0 if logprobs is None else 1] * len(ids)
    row.old_logprobs += [0.0] * len(ids) if logprobs is None else logprobs
    row.turn += [turn] * len(ids)


def _sample(turn: Turn, trajectory: Trajectory, index: int, known: int) -> Sample:
    where = f"turn {index} of {trajectory.key.task} (sample {trajectory.key.sample})"
    sample = turn.action.sample
    if sample is None:
        raise UsageError(
            f"{where} carries no tokens: play it with a policy that returns them (LocalPolicy, or an endpoint that "
            "returns token ids); scripted episodes become rows through `agentgym.trainers.sft.teach`"
        )
    if len(sample.logprobs) != len(sample.ids):
        raise UsageError(f"{where}: {len(sample.ids)} ids but {len(sample.logprobs)} log-probabilities")
    if not 0 <= sample.keep <= known:
        raise UsageError(f"{where}: keeps {sample.keep} ids of a context that had {known}")
    return sample
