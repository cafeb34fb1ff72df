"""CompletionsPolicy against a server that answers as vLLM does, with a small model behind it; and against bad ones."""

import pytest

torch = pytest.importorskip("torch")

from agentgym import EnvSpec, Task  # noqa: E402
from agentgym.errors import LimitExceeded, PolicyError  # noqa: E402
from agentgym.policies.codec import CompactCodec  # noqa: E402
from agentgym.policies.completions import CompletionsPolicy  # noqa: E402
from agentgym.policies.local import LocalPolicy  # noqa: E402
from agentgym.policy import Context  # noqa: E402
from agentgym.rollout import collect  # noqa: E402
from agentgym.row import rows  # noqa: E402
from agentgym.runtime import Runtime  # noqa: E402
from agentgym.trainers.models import small_model, train_tokenizer  # noqa: E402
from agentgym.types import Message, Observation  # noqa: E402
from tests.servers import Answer, AnsweringServer, failure, listening, serving  # noqa: E402
from tests.trainers.conftest import make_spec  # noqa: E402
from tests.vllm_like import completion  # noqa: E402


@pytest.fixture(scope="module")
def codec():
    return CompactCodec(train_tokenizer(["key 0123456789 value nothing ok bye get put done"] * 3, 340))


@pytest.fixture(scope="module")
def model(codec):
    torch.set_num_threads(1)
    return small_model(codec.tokenizer, hidden=64, layers=2, context=128)


def as_vllm(model) -> AnsweringServer:
    return AnsweringServer(lambda request: Answer(200, completion(model, request)))


def context() -> Context:
    seen = Observation((Message("user", "key 3"),))
    return Context(seen.messages, [], seen, Task("t", "toy", {}), seed=5)


def policy_at(url: str, codec, **options) -> CompletionsPolicy:
    return CompletionsPolicy("m", codec, base_url=url, api_key="none", **{"max_new_tokens": 8, **options})


async def test_it_says_what_the_same_model_says_in_this_process(codec, model):
    local = LocalPolicy(model, codec, temperature=0.0, max_new_tokens=8)
    with listening(as_vllm(model)) as server:
        policy = policy_at(server.url, codec, temperature=0.0)
        policy.policy_version = 4
        (there,), (here,) = await policy.act(context()), await local.act(context())
        await policy.close()
    assert (there.sample.keep, there.sample.prompt_ids) == (here.sample.keep, here.sample.prompt_ids)
    assert there.sample.ids == here.sample.ids and there.text == here.text
    assert there.sample.logprobs == pytest.approx(here.sample.logprobs, abs=1e-5)
    assert there.sample.policy_version == 4 and there.sample.finish == here.sample.finish
    (request,) = server.requests
    assert request["prompt"] == there.sample.prompt_ids and request["return_token_ids"] is True


async def test_episodes_become_rows_of_the_very_tokens(codec, model):
    spec: EnvSpec = make_spec()
    with listening(as_vllm(model)) as server:
        policy = policy_at(server.url, codec)
        async with Runtime() as runtime:
            tasks = runtime.tasks(spec)
            chosen = [await tasks.get(f"k{number}") for number in range(4)]
            played = [each async for each in collect(spec, policy, chosen, runtime=runtime, group_size=2)]
        await policy.close()
    assert len(played) == 8
    for trajectory in played:
        (row,) = rows(trajectory)
        sampled = [id for turn in trajectory.turns for id in turn.action.sample.ids]
        assert [id for id, bit in zip(row.ids, row.mask, strict=True) if bit] == sampled
        prompts = [request["prompt"] for request in server.requests]
        assert row.ids[: len(row.ids) - len(trajectory.turns[-1].action.sample.ids)] in prompts


async def test_several_answers_to_one_question(codec, model):
    with listening(as_vllm(model)) as server:
        policy = policy_at(server.url, codec)
        actions = await policy.act(context(), 3)
        await policy.close()
    assert len({tuple(action.sample.ids) for action in actions}) > 1 and len(server.requests) == 1


async def test_a_prompt_that_does_not_fit_is_a_limit(codec):
    with pytest.raises(LimitExceeded, match="do not fit 9"):
        await policy_at("http://127.0.0.1:9/v1", codec, max_context=9).act(context())
    too_long = {"error": {"message": "This model's maximum context length is 8 tokens", "type": "fake"}}
    with serving(Answer(400, too_long)) as server, pytest.raises(LimitExceeded):
        await policy_at(server.url, codec).act(context())


def choice(**fields) -> dict:
    made = {"index": 0, "text": "a", "finish_reason": "stop", "token_ids": [1], "logprobs": {"token_logprobs": [-1.0]}}
    return {"id": "x", "object": "text_completion", "created": 0, "model": "m", "choices": [{**made, **fields}]}


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (choice(token_ids=None), "no token ids with log-probabilities"),
        (choice(logprobs=None), "no token ids with log-probabilities"),
        (choice(token_ids=[1, 2]), "no token ids with log-probabilities"),
        (choice(logprobs={"token_logprobs": [None]}), "no token ids with log-probabilities"),
        (choice(prompt_token_ids=[1, 2]), "has changed the prompt"),
        ({"choices": []}, "answered nonsense"),
        (failure(401), "failed: AuthenticationError"),
    ],
)
async def test_a_server_that_can_not_serve_training_is_refused(codec, answer, says):
    with serving(answer) as server:
        policy = policy_at(server.url, codec)
        with pytest.raises(PolicyError, match=says):
            await policy.act(context())
        await policy.close()


async def test_a_server_that_dies_is_the_policys_fault(codec, model):
    with listening(as_vllm(model)) as server:
        policy = policy_at(server.url, codec, max_retries=0)
        await policy.act(context())
        await policy.close()  # a connection that stays open would still be served
    with pytest.raises(PolicyError, match="failed: APIConnectionError"):
        await policy.act(context())
    await policy.close()
