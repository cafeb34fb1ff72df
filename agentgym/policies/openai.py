"""OpenAIPolicy: any OpenAI-compatible endpoint by chat completions; with vLLM also the exact tokens.

Not here: connections and their faults (`endpoint`), token ids in as well as out (`completions`), local models (`local`).
"""

from __future__ import annotations

from typing import Any, Literal

from agentgym.errors import PolicyError
from agentgym.policies.chat import Detail, to_chat
from agentgym.policies.endpoint import Endpoint
from agentgym.policy import Context
from agentgym.types import Action, Sample, ToolCall


class OpenAIPolicy:
    """Chat completions with tools. `base_url` and `api_key` default to OPENAI_BASE_URL and OPENAI_API_KEY.

    With `tokens=True` the endpoint must answer as vLLM does (`return_token_ids`, log-probs), and every action carries
    its Sample: needed for training, not for evaluation.  images, detail: how many of the conversation's latest images are
    sent (None: all), and how closely they are to be looked at; see `chat`.
    """

    privileged = False

    def __init__(
        self,
        model: str,
        *,
        base_url: str | None = None,
        api_key: str | None = None,
        temperature: float = 1.0,
        max_tokens: int | None = 2048,
        timeout_s: float = 300.0,
        max_retries: int = 5,
        tokens: bool = False,
        images: int | None = None,
        detail: Detail | None = None,
        extra_body: dict[str, Any] | None = None,
    ) -> None:
        self.name = f"openai:{model}"
        self.model = model
        self._endpoint = Endpoint(
            self.name, base_url=base_url, api_key=api_key, timeout=timeout_s, max_retries=max_retries
        )
        self._temperature = temperature
        self._max_tokens = max_tokens
        self._tokens = tokens
        self._images, self._detail = images, detail
        self._extra = extra_body or {}

    async def act(self, context: Context, n: int = 1) -> list[Action]:
        """Raises PolicyError once the SDK has given up or the answer makes no sense, LimitExceeded("context")."""
        request = self._request(context, n)
        answer = await self._endpoint.ask(lambda client: client.chat.completions.create(**request))
        if any(getattr(choice, "message", None) is None for choice in answer.choices):
            raise PolicyError(f"{self.name} answered nonsense: {str(answer)[:200]!r}")
        return [self._action(answer, choice, context) for choice in answer.choices]

    async def close(self) -> None:
        """Close the connections. Idempotent."""
        await self._endpoint.close()

    def _request(self, context: Context, n: int) -> dict[str, Any]:
        request: dict[str, Any] = {
            "model": self.model,
            "messages": to_chat(context.messages, self._images, self._detail),
            "temperature": self._temperature,
            "seed": context.seed % 2**31,
            "n": n,
        }
        if context.tools:
            request["tools"] = [tool.openai() for tool in context.tools]
        if self._max_tokens is not None:
            request["max_tokens"] = self._max_tokens
        extra = dict(self._extra)
        if self._tokens:
            request["logprobs"] = True
            extra["return_token_ids"] = True
        if extra:
            request["extra_body"] = extra
        return request

    def _action(self, answer: Any, choice: Any, context: Context) -> Action:
        message = choice.message
        calls = tuple(
            ToolCall(call.id or f"call_{i}", call.function.name or "", call.function.arguments or "")
            for i, call in enumerate(message.tool_calls or ())
            if getattr(call, "function", None) is not None
        )
        reasoning = getattr(message, "reasoning", None) or getattr(message, "reasoning_content", None) or ""
        sample = self._sample(answer, choice, context) if self._tokens else None
        return Action(message.content or "", calls, reasoning, sample)

    def _sample(self, answer: Any, choice: Any, context: Context) -> Sample:
        prompt = getattr(answer, "prompt_token_ids", None)
        ids = getattr(choice, "token_ids", None)
        content = getattr(choice.logprobs, "content", None)
        if prompt is None or ids is None or content is None or len(content) != len(ids):
            raise PolicyError(
                f"{self.name} gave no token ids with log-probs: training needs an endpoint that answers "
                "return_token_ids as vLLM does"
            )
        keep = _common_prefix(context.tokens, prompt)
        logprobs = [float(token.logprob) for token in content]
        finish: Literal["stop", "length"] = "length" if choice.finish_reason == "length" else "stop"
        return Sample(keep, list(prompt[keep:]), list(ids), logprobs, finish, model=self.model)


def _common_prefix(a: Any, b: Any) -> int:
    length = 0
    for x, y in zip(a, b, strict=False):
        if x != y:
            break
        length += 1
    return length
