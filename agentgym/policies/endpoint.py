"""Endpoint: a server that speaks OpenAI's protocol, through the openai SDK, with its faults in our words.

Retries with back-off on 429, 5xx and lost connections are the SDK's.  What is asked and how answers are read is the
policies' business.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from agentgym.errors import LimitExceeded, PolicyError

if TYPE_CHECKING:
    from openai import AsyncOpenAI

_TOO_LONG = re.compile(r"context[ _]length|maximum context|context window|too many tokens|prompt is too long", re.I)


class Endpoint:
    """`options` are the SDK client's; `name` is for messages. It connects when first asked."""

    def __init__(self, name: str, **options: Any) -> None:
        self.name = name
        self._options = options
        self._client: AsyncOpenAI | None = None

    async def ask(self, request: Callable[[AsyncOpenAI], Awaitable[Any]]) -> Any:
        """An answer that has choices.

        Raises LimitExceeded("context") where the server says that the prompt is too long, else PolicyError: it refused,
        the SDK has given up, or the answer makes no sense.
        """
        import openai

        try:
            answer = await request(self._connect())
        except openai.BadRequestError as error:
            if _TOO_LONG.search(str(error)):
                raise LimitExceeded("context", str(error)) from error
            raise PolicyError(f"{self.name} refused the request: {error}") from error
        except openai.OpenAIError as error:
            raise PolicyError(f"{self.name} failed: {type(error).__name__}: {error}") from error
        except ValueError as error:
            raise PolicyError(f"{self.name} answered what is not JSON: {error}") from error
        if not getattr(answer, "choices", None):
            raise PolicyError(f"{self.name} answered nonsense: {str(answer)[:200]!r}")
        return answer

    async def close(self) -> None:
        """Close the connections. Idempotent."""
        if self._client is not None:
            client, self._client = self._client, None
            await client.close()

    def _connect(self) -> AsyncOpenAI:
        if self._client is None:
            import openai

            try:
                self._client = openai.AsyncOpenAI(**self._options)
            except openai.OpenAIError as error:
                raise PolicyError(f"{error} (or give api_key; any text will do for a local server)") from error
        return self._client
