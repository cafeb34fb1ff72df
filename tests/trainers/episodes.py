"""Finished episodes made by hand, for shapers and samplers: no tests here."""

from agentgym.types import Action, EpisodeKey, Info, Observation, RewardRecord, Sample, Trajectory, Turn


def episode(
    success: float = 1.0,
    length: int = 1,
    group: str = "g",
    task: str | None = None,
    turns: int = 1,
    rewards: list[float] | None = None,
    status: str = "scored",
    answer: str | None = None,
    effective: list[bool] | None = None,
    logprob: float = -0.5,
    actor: str = "agent",
) -> Trajectory:
    """`length` tokens are sampled in all, in the last of `turns`; `rewards` are the record's, `success` last unless said."""
    rewards = rewards if rewards is not None else [*[0.0] * (turns - 1), success]
    made = [
        Turn(
            Observation(actor=actor),
            Action("", sample=Sample(0, [], [7] * n, [logprob] * n)),
            reward,
            Info(effective=good),
        )
        for reward, good, n in zip(
            rewards, effective or [True] * len(rewards), [*[0] * (len(rewards) - 1), length], strict=True
        )
    ]
    record = RewardRecord(sum(rewards), rewards, success) if status == "scored" else None
    key = EpisodeKey("run", task or group)
    return Trajectory(key, "toy-v0", "hash", 0, group, made, status, record=record, answer=answer)  # type: ignore[arg-type]
