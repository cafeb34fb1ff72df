"""OpenAIPolicy against a scripted endpoint: what it sends, what it makes of answers, what it does about faults."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from agentgym import Action, Blob, LimitExceeded, Message, Observation, PolicyError, Text, ToolCall
from agentgym.policies.openai import OpenAIPolicy
from agentgym.policy import Context, Policy
from tests.servers import Answer, FakeOpenAIServer, completion, failure, serving
from tests.toys import Counter, task

OK = completion("fine")


def context(*messages: Message, **more: Any) -> Context:
    said = messages or (Message("user", "Reach 3."),)
    return Context(said, list(Counter.toolbox.values())[:1], Observation(said), task(), **more)


@asynccontextmanager
async def policy(server: FakeOpenAIServer, **options: Any) -> AsyncIterator[OpenAIPolicy]:
    made = OpenAIPolicy("fake-model", base_url=server.url, api_key="none-needed", **options)
    try:
        yield made
    finally:
        await made.close()


async def ask(*answers: Answer | dict[str, Any], about: Context | None = None, **options: Any) -> Any:
    with serving(*answers) as server:
        async with policy(server, **options) as made:
            return await made.act(about or context()), server.requests


async def test_it_is_a_policy_without_privileges() -> None:
    made = OpenAIPolicy("m")
    assert isinstance(made, Policy)
    assert (made.name, made.privileged) == ("openai:m", False)
    await made.close()


async def test_the_request_has_the_conversation_the_tools_and_the_seed() -> None:
    messages = (
        Message("system", "Be brief."),
        Message("user", (Text("look:"), Blob("image/png", b"\x89P"))),
        Message("assistant", "hm", (ToolCall("a1", "add", '{"n": 1}'),)),
        Message("tool", "1", tool_call_id="a1"),
    )
    _, (request,) = await ask(OK, about=context(*messages, seed=2**40 + 5), temperature=0.5, max_tokens=7)
    assert request["messages"] == [
        {"role": "system", "content": "Be brief."},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "look:"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVA="}},
            ],
        },
        {
            "role": "assistant",
            "content": "hm",
            "tool_calls": [{"id": "a1", "type": "function", "function": {"name": "add", "arguments": '{"n": 1}'}}],
        },
        {"role": "tool", "content": "1", "tool_call_id": "a1"},
    ]
    assert request["tools"] == [Counter.toolbox["add"].openai()]
    assert (request["model"], request["temperature"], request["max_tokens"]) == ("fake-model", 0.5, 7)
    assert request["seed"] == (2**40 + 5) % 2**31
    assert "logprobs" not in request


PICTURES = (
    Message("user", (Text("Reach 3."), Blob("image/png", b"1"))),
    Message("assistant", "", (ToolCall("a1", "add", "{}"), ToolCall("a2", "add", "{}"))),
    Message("tool", (Text("Done."), Blob("image/png", b"2")), tool_call_id="a1"),
    Message("tool", (Blob("image/jpeg", b"3"),), tool_call_id="a2"),
    Message("assistant", "hm"),
    Message("user", "Go on."),
)


def addresses(request: dict[str, Any]) -> list[str]:
    contents = [each["content"] for each in request["messages"] if isinstance(each["content"], list)]
    return [part["image_url"]["url"] for parts in contents for part in parts if part["type"] == "image_url"]


async def test_images_of_tools_follow_their_replies_in_a_message_of_the_users() -> None:
    _, (request,) = await ask(OK, about=context(*PICTURES), detail="high")
    roles = [each["role"] for each in request["messages"]]
    assert roles == ["user", "assistant", "tool", "tool", "user", "assistant", "user"]
    assert [each["content"] for each in request["messages"][2:4]] == ["Done.", ""]
    assert [part["type"] for part in request["messages"][4]["content"]] == ["text", "image_url", "image_url"]
    assert addresses(request) == [
        "data:image/png;base64,MQ==",
        "data:image/png;base64,Mg==",
        "data:image/jpeg;base64,Mw==",
    ]
    assert request["messages"][0]["content"][1]["image_url"]["detail"] == "high"


@pytest.mark.parametrize(
    ("images", "kept"), [(0, []), (1, ["Mw=="]), (2, ["Mg==", "Mw=="]), (9, ["MQ==", "Mg==", "Mw=="])]
)
async def test_of_many_images_the_latest_are_sent_and_the_others_are_told_of(images: int, kept: list[str]) -> None:
    _, (request,) = await ask(OK, about=context(*PICTURES), images=images)
    assert [each.rpartition(",")[2] for each in addresses(request)] == kept
    assert str(request["messages"]).count("an earlier image") == 3 - len(kept)


async def test_text_becomes_an_action() -> None:
    (action,), _ = await ask(completion("I will add."))
    assert action == Action("I will add.")


async def test_calls_keep_their_ids_and_their_raw_arguments_even_if_broken() -> None:
    (action,), _ = await ask(completion(None, [("add", '{"n": 2}'), ("add", '{"n": ')]))
    assert action.text == ""
    assert action.calls == (ToolCall("call_0", "add", '{"n": 2}'), ToolCall("call_1", "add", '{"n": '))


@pytest.mark.parametrize("field", ["reasoning", "reasoning_content"])
async def test_reasoning_is_kept_apart_from_the_text(field: str) -> None:
    answer = completion("three")
    answer["choices"][0]["message"][field] = "one and two"
    (action,), _ = await ask(answer)
    assert (action.text, action.reasoning) == ("three", "one and two")


async def test_several_alternatives_are_asked_for_at_once() -> None:
    answer = completion("a")
    answer["choices"].append(completion("b", index=1)["choices"][0])
    with serving(answer) as server:
        async with policy(server) as made:
            actions = await made.act(context(), n=2)
    assert [action.text for action in actions] == ["a", "b"]
    assert server.requests[0]["n"] == 2


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_passing_faults_are_retried(status: int) -> None:
    (action,), requests = await ask(failure(status), failure(status), OK)
    assert action.text == "fine"
    assert len(requests) == 3


@pytest.mark.parametrize("status", [429, 500])
async def test_lasting_faults_are_a_policy_error_after_the_retries(status: int) -> None:
    with serving(failure(status, "not today")) as server:
        async with policy(server, max_retries=2) as made:
            with pytest.raises(PolicyError, match=f"openai:fake-model failed.*{status}.*not today"):
                await made.act(context())
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    "message",
    [
        "This model's maximum context length is 4096 tokens.",
        "prompt is too long: 9000 tokens > 8192",
        "the request exceeds the context window",
    ],
)
async def test_a_conversation_that_no_longer_fits_is_a_limit_not_a_fault(message: str) -> None:
    with pytest.raises(LimitExceeded) as caught:
        await ask(failure(400, message))
    assert caught.value.reason == "context"


async def test_another_refusal_is_a_policy_error_and_not_retried() -> None:
    with serving(failure(400, "no such tool format")) as server:
        async with policy(server) as made:
            with pytest.raises(PolicyError, match=r"refused the request.*no such tool format"):
                await made.act(context())
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, "<html>it works</html>", {"Content-Type": "text/html"}),
        Answer(200, "{not json"),
        {"choices": []},
        {"choices": None},
        {"choices": [{"index": 0}]},
        {"error": "quota"},
        Answer(200, "[]"),
        Answer(200, '"text"'),
        Answer(200, "null"),
    ],
    ids=["html", "broken", "empty", "null-choices", "no-message", "other", "list", "string", "null"],
)
async def test_nonsense_is_a_policy_error(answer: Answer | dict[str, Any]) -> None:
    with pytest.raises(PolicyError, match="openai:fake-model"):
        await ask(answer, max_retries=0)


async def test_a_server_that_is_not_there_is_a_policy_error() -> None:
    with serving(OK) as server:
        pass
    async with policy(server, max_retries=0) as made:
        with pytest.raises(PolicyError, match="APIConnectionError"):
            await made.act(context())


async def test_a_server_that_does_not_answer_in_time_is_a_policy_error() -> None:
    import asyncio

    async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    listener = await asyncio.start_server(silence, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    made = OpenAIPolicy("m", base_url=f"http://127.0.0.1:{port}/v1", api_key="x", timeout_s=0.1, max_retries=0)
    with pytest.raises(PolicyError, match="APITimeoutError"):
        await made.act(context())
    await made.close()
    listener.close()


async def test_without_a_key_it_says_what_to_give(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(PolicyError, match="give api_key; any text will do for a local server"):
        await OpenAIPolicy("m", base_url="http://127.0.0.1:1/v1").act(context())


async def test_tokens_come_exactly_as_sampled() -> None:
    answer = completion("hi", token_ids=[7, 8], logprobs={"content": [lp(-0.5), lp(-0.25)]}, finish_reason="length")
    answer["prompt_token_ids"] = [1, 2, 3, 4, 5]
    (action,), (request,) = await ask(answer, about=context(tokens=[1, 2, 9]), tokens=True)
    assert (request["logprobs"], request["return_token_ids"]) == (True, True)
    sample = action.sample
    assert (sample.keep, sample.prompt_ids, sample.ids) == (2, [3, 4, 5], [7, 8])
    assert (sample.logprobs, sample.finish, sample.model) == ([-0.5, -0.25], "length", "fake-model")


async def test_tokens_that_are_not_given_are_a_policy_error_not_a_guess() -> None:
    with pytest.raises(PolicyError, match="gave no token ids"):
        await ask(completion("hi"), tokens=True)


async def test_the_connection_is_reused_and_close_is_idempotent() -> None:
    with serving(OK) as server:
        async with policy(server) as made:
            await made.act(context())
            await made.act(context())
        await made.close()
    assert (len(server.requests), len(server.clients)) == (2, 1)
    assert server.headers[0]["authorization"] == "Bearer none-needed"


def lp(value: float) -> dict[str, Any]:
    return {"token": "t", "logprob": value, "top_logprobs": [], "bytes": None}
