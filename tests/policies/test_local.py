"""LocalPolicy and Sampler on a small random model: exact log-probabilities, and nothing depends on the batch."""

import asyncio

import pytest

torch = pytest.importorskip("torch")

from agentgym.errors import LimitExceeded, PolicyError  # noqa: E402
from agentgym.policies.codec import CompactCodec  # noqa: E402
from agentgym.policies.local import LocalPolicy  # noqa: E402
from agentgym.policies.sampler import Request, Sampler  # noqa: E402
from agentgym.policy import Context  # noqa: E402
from agentgym.tasks import Task  # noqa: E402
from agentgym.trainers.models import small_model, train_tokenizer  # noqa: E402
from agentgym.types import Message, Observation  # noqa: E402

TEXT = "def add(left, right):\n    return left + right\n" * 4


@pytest.fixture(scope="module")
def tokenizer():
    return train_tokenizer([TEXT], 320)


@pytest.fixture(scope="module")
def model(tokenizer):
    model = small_model(tokenizer, hidden=32, layers=2, context=256)
    with torch.no_grad():  # a fresh model is nearly uniform, which would hide mistakes
        for parameter in model.parameters():
            parameter.mul_(3.0)
    return model


def context(text: str, seed: int = 0, **more) -> Context:
    return Context([Message("user", text)], (), Observation(), Task("t", "e/x-v0", {}), seed=seed, **more)


def logprobs_of(model, ids: list[int], sampled: int) -> list[float]:
    with torch.no_grad():
        logits = model(torch.tensor([ids])).logits[0].log_softmax(-1)
    return [logits[i - 1, ids[i]].item() for i in range(len(ids) - sampled, len(ids))]


def sampler(model, **options) -> Sampler:
    return Sampler(model, frozenset({1}), max_new_tokens=12, **options)


def test_logprobs_are_the_models_own_in_padded_batches_and_with_kept_caches(model):
    made = sampler(model)
    prompts = [(5, 6, 7), (8, 9, 10, 11, 12, 13, 14), (5, 6, 7), (20,)]
    first = made.generate([Request(ids, seed) for seed, ids in enumerate(prompts)])
    longer = [(*ids, *out.ids, 30, 31, *([32] * n)) for n, (ids, out) in enumerate(zip(prompts, first, strict=True))]
    seen = [len(ids) + len(out.ids) for ids, out in zip(prompts, first, strict=True)]
    second = made.generate([Request(i, 9, s) for i, s in zip(longer, seen, strict=True)] + [Request((40, 41), 3)])
    for ids, out in zip([*prompts, *longer, (40, 41)], [*first, *second], strict=True):
        torch.testing.assert_close(
            out.logprobs, logprobs_of(model, [*ids, *out.ids], len(out.ids)), atol=1e-4, rtol=1e-4
        )


def test_sampling_depends_on_the_seed_alone(model):
    alone = sampler(model).generate([Request((5, 6, 7), 42)])[0]
    others = [Request((5, 6, 7), seed) for seed in range(6)] + [Request((9,) * 20, 1)]
    among = sampler(model).generate([*others, Request((5, 6, 7), 42)])[-1]
    assert alone.ids == among.ids
    assert len({tuple(out.ids) for out in sampler(model).generate(others)}) > 3


def test_sampling_follows_the_distribution(model):
    one = Sampler(model, frozenset(), max_new_tokens=1)
    ids = [out.ids[0] for out in one.generate([Request((5, 6), seed) for seed in range(4000)])]
    with torch.no_grad():
        expected = model(torch.tensor([[5, 6]])).logits[0, -1].softmax(-1)
    counts = torch.bincount(torch.tensor(ids), minlength=len(expected)) / 4000
    assert (counts - expected).abs().max() < 0.04


def test_temperature_0_is_greedy_and_its_logprobs_stay_at_temperature_1(model):
    out = sampler(model, temperature=0).generate([Request((5, 6, 7), seed) for seed in (1, 2)])
    assert out[0].ids == out[1].ids
    torch.testing.assert_close(
        out[0].logprobs, logprobs_of(model, [5, 6, 7, *out[0].ids], len(out[0].ids)), atol=1e-4, rtol=1e-4
    )


def test_the_cache_is_bounded(model):
    made = sampler(model, cache_bytes=50_000)
    made.generate([Request((seed, 6, 7), seed) for seed in range(40)])
    assert 0 < made._kept_bytes <= 50_000
    made.forget()
    assert not made._kept


async def test_concurrent_calls_share_a_batch_and_do_not_block_the_loop(model, tokenizer, monkeypatch):
    policy = LocalPolicy(model, CompactCodec(tokenizer), max_new_tokens=8)
    sizes = []
    generate = policy._sampler.generate
    monkeypatch.setattr(policy._sampler, "generate", lambda requests: sizes.append(len(requests)) or generate(requests))
    made = await asyncio.gather(*(policy.act(context("add", seed)) for seed in range(10)))
    assert sizes == [10]
    alone = await policy.act(context("add", 3))
    assert alone[0].sample.ids == made[3][0].sample.ids
    assert len({tuple(each.sample.ids) for each in await policy.act(context("add", 3), n=4)}) > 1


async def test_what_does_not_fit_is_a_limit(model, tokenizer):
    policy = LocalPolicy(model, CompactCodec(tokenizer), max_new_tokens=8)
    with pytest.raises(LimitExceeded) as caught:
        await policy.act(context("add", token_limit=8))
    assert caught.value.reason == "context"


async def test_a_failing_model_is_a_policy_error_and_the_next_call_works(model, tokenizer, monkeypatch):
    policy = LocalPolicy(model, CompactCodec(tokenizer), max_new_tokens=8)
    with monkeypatch.context() as patch:
        patch.setattr(policy._sampler, "generate", lambda requests: 1 / 0)
        with pytest.raises(PolicyError, match="division"):
            await policy.act(context("add"))
    assert (await policy.act(context("add")))[0].sample.policy_version == 0
    policy.updated()
    assert (await policy.act(context("add")))[0].sample.policy_version == 1


async def test_a_cancelled_call_leaves_the_others_alone(model, tokenizer):
    policy = LocalPolicy(model, CompactCodec(tokenizer), max_new_tokens=8)
    calls = [asyncio.create_task(policy.act(context("add", seed))) for seed in range(4)]
    await asyncio.sleep(0)
    calls[1].cancel()
    done = await asyncio.gather(*calls, return_exceptions=True)
    assert [isinstance(each, list) for each in done] == [True, False, True, True]
