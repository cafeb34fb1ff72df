"""The values that travel between a policy and an environment, and nothing else: no behaviour beyond small views.

Slots dataclasses, because they are made at every step; treat them as immutable.  Words follow Gymnasium
(observation, terminated, truncated, info) and OpenAI's chat format (message, tool call).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Role = Literal["system", "user", "assistant", "tool"]


@dataclass(slots=True)
class Text:
    text: str
    type: Literal["text"] = "text"


@dataclass(slots=True)
class Blob:
    """Binary content. `data` is empty once a store has moved it to a file named by `digest` (SHA-256, hex)."""

    media_type: str
    data: bytes = b""
    digest: str = ""
    type: Literal["blob"] = "blob"


Part = Text | Blob
Content = str | tuple[Part, ...]


@dataclass(slots=True)
class ToolCall:
    """`arguments` is the raw string that the model wrote: it may be broken JSON, and the environment answers that."""

    id: str
    name: str
    arguments: str = "{}"


@dataclass(slots=True)
class Message:
    role: Role
    content: Content = ""
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    reasoning: str = ""

    @property
    def text(self) -> str:
        """The content as text, with blobs left out."""
        if isinstance(self.content, str):
            return self.content
        return "".join(part.text for part in self.content if isinstance(part, Text))


@dataclass(slots=True)
class Sample:
    """The tokens of one model call, exactly as sampled; what trainers train on.

    The model's input was the first `keep` tokens of the previous call's context (its input and output) followed by
    `prompt_ids`; its output was `ids` with `logprobs` (natural log, temperature 1 scale of the sampler; same length).
    """

    keep: int
    prompt_ids: list[int]
    ids: list[int]
    logprobs: list[float]
    finish: Literal["stop", "length"] = "stop"
    policy_version: int = 0
    model: str = ""


@dataclass(slots=True)
class Action:
    """One assistant message: text and/or tool calls, and the tokens behind it when the policy knows them."""

    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    reasoning: str = ""
    sample: Sample | None = None

    def message(self) -> Message:
        return Message("assistant", self.text, self.calls, None, self.reasoning)


@dataclass(slots=True)
class Observation:
    """What the policy sees next: a delta, not the history.

    `messages` are to be appended; `tools` names those that may be called now (None: all of the spec's);
    `fresh` starts a new context, forgetting what came before; `actor` says whose turn it is.
    """

    messages: tuple[Message, ...] = ()
    tools: tuple[str, ...] | None = None
    fresh: bool = False
    actor: str = "agent"


@dataclass(slots=True)
class Score:
    """One number on one channel. `value` None means that it could not be told (see `Channel.missing`)."""

    channel: str
    value: float | None
    turn: int | None = None
    call: str | None = None
    reason: str = ""


ChannelKind = Literal["outcome", "process", "factor", "metric"]
Gate = Literal["open", "closed", "failed"]


@dataclass(slots=True)
class ChannelRecord:
    """What one channel came to: `paid` is after weight, gate and factors; `closed_by` names what shut it."""

    name: str
    kind: ChannelKind
    value: float | None
    weight: float
    gate: Gate
    closed_by: tuple[str, ...] = ()
    paid: float = 0.0
    reasons: tuple[str, ...] = ()


@dataclass(slots=True)
class RewardRecord:
    """`turns` has one number a turn and sums to `total`; `success` in [0, 1] is the verified outcome alone.

    `valid` is False when a required outcome is missing: the trajectory has failed, it has not earned 0.
    `shaped_by` names the trainers' shaping that made this copy of a record; () for the raw one.
    """

    total: float
    turns: list[float]
    success: float
    channels: list[ChannelRecord] = field(default_factory=list)
    valid: bool = True
    shaped_by: tuple[str, ...] = ()


@dataclass(slots=True)
class CallResult:
    """How one tool call went. `effective`: it did what it was asked; a search without a hit is ok, not effective."""

    id: str
    name: str
    ok: bool
    error: str = ""
    effective: bool = True


@dataclass(slots=True)
class Info:
    """What a step says besides the observation. `timing` is the only part that may differ between replays.

    `state_hash`: of the world that the step left, where it was asked for, the environment tells it and the episode goes on.
    """

    scores: tuple[Score, ...] = ()
    calls: tuple[CallResult, ...] = ()
    effective: bool = True
    state_hash: str | None = None
    end: str | None = None
    data: dict[str, Any] | None = None
    timing: dict[str, float] | None = None
    record: RewardRecord | None = None


@dataclass(slots=True)
class Turn:
    """One exchange: what was seen, what was done, what became known (`reward` is ungated)."""

    observation: Observation
    action: Action
    reward: float
    info: Info


@dataclass(slots=True, frozen=True)
class Limits:
    """Ceilings of an episode. None: no limit. Seconds are wall time; tokens are the policy's context."""

    turns: int | None = None
    tokens: int | None = None
    call_s: float | None = 120.0
    episode_s: float | None = None
    output_chars: int | None = 10_000
    close_s: float = 10.0


@dataclass(slots=True)
class Reply:
    """A tool's answer, where a plain string does not say enough."""

    content: Content = ""
    effective: bool = True


@dataclass(slots=True)
class EpisodeKey:
    """Names one rollout of a run: group members share `task`; a retry changes only `attempt`."""

    run: str
    task: str
    sample: int = 0
    attempt: int = 0


Status = Literal["scored", "masked", "failed"]
SCHEMA = 1


@dataclass(slots=True)
class Trajectory:
    """One finished episode, whole: enough to train on, to replay and to score again.

    `status`: "scored" has a record; "masked" ended in a way that says nothing about the policy (wall time);
    "failed" was not the agent's doing, says why in `cause`, and takes no part in any baseline.
    `start_hash`: of the world at the start, where hashes were asked for; `Info.state_hash` has the others.
    """

    key: EpisodeKey
    spec: str
    task_hash: str
    seed: int
    group: str
    turns: list[Turn]
    status: Status
    end: str = ""
    truncated: bool = False
    answer: str | None = None
    final: Observation | None = None
    artefacts: dict[str, str] = field(default_factory=dict)
    scores: list[Score] = field(default_factory=list)
    record: RewardRecord | None = None
    cause: str = ""
    parent: str | None = None
    spec_hash: str = ""
    start_hash: str | None = None
    schema: int = SCHEMA

    @property
    def success(self) -> float | None:
        """The verified outcome in [0, 1]; None unless scored."""
        return self.record.success if self.record is not None else None

    @property
    def states(self) -> list[str | None]:
        """For each turn, the hash of the state that it began in; None where that is not known."""
        return [self.start_hash, *(turn.info.state_hash for turn in self.turns[:-1])][: len(self.turns)]
