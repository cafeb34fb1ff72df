"""CompletionsPolicy: a model behind `/v1/completions`, token ids in, token ids and log-probabilities out.

What a model sampled is never rendered or tokenised again, neither here nor there, so that what is trained is what was
sampled.  Made for vLLM (0.10.2 or newer); not here: chat endpoints (`openai`), models in this process (`local`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from agentgym.errors import LimitExceeded, PolicyError
from agentgym.policies.codec import Codec
from agentgym.policies.endpoint import Endpoint
from agentgym.policies.watch import Watch
from agentgym.policy import Context
from agentgym.types import Action, Sample


class CompletionsPolicy:
    """Every action carries its Sample, with log-probabilities as the server gives them: vLLM's are at temperature 1
    unless it was started with another `--logprobs-mode`.

    codec: with the tokenizer of the model that is served. max_context: ids that prompt and answer may take; the server's
    own limit counts in any case. `policy_version` is whatever the owner of the weights last set it to.
    sampling: a watch of the time in which the server is asked for something.
    """

    privileged = False

    def __init__(
        self,
        model: str,
        codec: Codec,
        *,
        base_url: str | None = None,
        api_key: str | None = None,
        temperature: float = 1.0,
        max_new_tokens: int = 256,
        max_context: int | None = None,
        timeout_s: float = 300.0,
        max_retries: int = 5,
        extra_body: dict[str, Any] | None = None,
    ) -> None:
        self.name = f"completions:{model}"
        self.model, self.codec = model, codec
        self.policy_version = 0
        self.sampling = Watch()
        self.temperature = temperature
        self._max_new, self._max_context = max_new_tokens, max_context
        self._extra = {
            **(extra_body or {}),
            "return_token_ids": True,
            "stop_token_ids": sorted(codec.stop_ids),
            "add_special_tokens": False,
        }
        self._endpoint = Endpoint(
            self.name, base_url=base_url, api_key=api_key, timeout=timeout_s, max_retries=max_retries
        )

    async def act(self, context: Context, n: int = 1) -> list[Action]:
        """Raises LimitExceeded("context") if prompt and answer may not fit, PolicyError as `Endpoint.ask`, or if the
        server gives no token ids."""
        keep, prompt = self.codec.prompt(context)
        ids = [*context.tokens[:keep], *prompt]
        limit = min(each for each in (context.token_limit, self._max_context, 1 << 60) if each is not None)
        if len(ids) + self._max_new > limit:
            raise LimitExceeded("context", f"{len(ids)} ids and {self._max_new} new ones do not fit {limit}")
        version = self.policy_version
        with self.sampling:
            answer = await self._endpoint.ask(
                lambda client: client.completions.create(
                    model=self.model,
                    prompt=ids,
                    max_tokens=self._max_new,
                    temperature=self.temperature,
                    seed=context.seed % 2**31,
                    n=n,
                    logprobs=0,
                    extra_body=self._extra,
                )
            )
        return [self._action(choice, context, keep, prompt, ids, version) for choice in answer.choices]

    async def close(self) -> None:
        """Close the connections. Idempotent."""
        await self._endpoint.close()

    def _action(
        self, choice: Any, context: Context, keep: int, prompt: Sequence[int], ids: list[int], version: int
    ) -> Action:
        sampled, logprobs = self._sampled(choice, ids)
        text, calls = self.codec.parse(sampled, context)
        for call in calls:
            call.id = f"turn{context.turn}_{call.id}"
        finish: Literal["stop", "length"] = "length" if choice.finish_reason == "length" else "stop"
        sample = Sample(keep, list(prompt), sampled, logprobs, finish, version, self.name)
        return Action(text, calls, "", sample)

    def _sampled(self, choice: Any, ids: list[int]) -> tuple[list[int], list[float]]:
        sampled = getattr(choice, "token_ids", None)
        numbers = getattr(getattr(choice, "logprobs", None), "token_logprobs", None)
        if sampled is None or numbers is None or len(sampled) != len(numbers) or None in numbers:
            raise PolicyError(
                f"{self.name} gave no token ids with log-probabilities: it takes a server that answers "
                "return_token_ids as vLLM does"
            )
        if (seen := getattr(choice, "prompt_token_ids", None)) is not None and list(seen) != ids:
            raise PolicyError(
                f"{self.name} has changed the prompt: {len(ids)} ids were sent, it read {len(seen)} others"
            )
        return list(sampled), [float(number) for number in numbers]
