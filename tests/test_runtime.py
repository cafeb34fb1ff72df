"""Runtime: leases, limits, the verifiers' reserve, resources opened once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import agentgym
from agentgym import Runtime, RuntimeLimits, SandboxError, UsageError
from agentgym.runtime import default_cache
from tests.toys import all_tasks, counter, counter_spec


class FakeSandbox:
    """Counts how many are open; starting fails `failures` times."""

    name = "fake"
    capabilities = frozenset({"fork"})
    open = 0
    most = 0
    failures = 0

    @classmethod
    async def start(cls, spec: Any) -> FakeSandbox:
        await asyncio.sleep(0)
        if FakeSandbox.failures:
            FakeSandbox.failures -= 1
            raise SandboxError("no space")
        FakeSandbox.open += 1
        FakeSandbox.most = max(FakeSandbox.most, FakeSandbox.open)
        return cls()

    async def fork(self) -> FakeSandbox:
        return await type(self).start(None)

    async def close(self) -> None:
        FakeSandbox.open -= 1


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> Runtime:
    FakeSandbox.open = FakeSandbox.most = FakeSandbox.failures = 0
    monkeypatch.setattr(Runtime, "sandbox_class", FakeSandbox)
    return Runtime(limits=RuntimeLimits(sandboxes=3, verifier_sandboxes=1))


async def lease(runtime: Runtime, verifier: bool = False) -> Any:
    return await runtime.sandbox(None, verifier=verifier)  # type: ignore[arg-type]


async def test_no_more_boxes_than_the_limit_are_open_at_once(runtime: Runtime) -> None:
    async def episode() -> None:
        box = await lease(runtime)
        await asyncio.sleep(0.001)
        await runtime.release_sandbox(box)

    await asyncio.gather(*(episode() for _ in range(12)))
    assert FakeSandbox.most == 3
    assert FakeSandbox.open == 0


async def test_verifiers_have_boxes_left_when_episodes_hold_all_of_theirs(runtime: Runtime) -> None:
    async def episode() -> None:
        box = await lease(runtime)
        await asyncio.sleep(0.001)  # everybody holds a box before anybody asks for a verdict
        judge = await lease(runtime, verifier=True)
        await runtime.release_sandbox(judge)
        await runtime.release_sandbox(box)

    await asyncio.wait_for(asyncio.gather(*(episode() for _ in range(9))), 5)
    assert FakeSandbox.most <= 4


async def test_a_box_that_does_not_start_gives_its_place_back(runtime: Runtime) -> None:
    FakeSandbox.failures = 5
    for _ in range(5):
        with pytest.raises(SandboxError, match="no space"):
            await lease(runtime)
    boxes = [await asyncio.wait_for(lease(runtime), 1) for _ in range(3)]
    assert len(boxes) == 3


async def test_a_fork_takes_a_place_and_gives_it_back(runtime: Runtime) -> None:
    box = await lease(runtime)
    branches = [await runtime.fork_sandbox(box) for _ in range(2)]
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(lease(runtime), 0.01)
    await runtime.release_sandbox(branches[0])
    await asyncio.wait_for(lease(runtime), 1)


async def test_a_cancelled_wait_for_a_box_takes_no_place(runtime: Runtime) -> None:
    held = [await lease(runtime) for _ in range(3)]
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(lease(runtime), 0.01)
    await runtime.release_sandbox(held[0])
    await asyncio.wait_for(lease(runtime), 1)


async def test_leaks_names_what_is_leased_until_it_is_released(runtime: Runtime) -> None:
    box = await lease(runtime)
    assert len(runtime.leaks) == 1
    await runtime.release_sandbox(box)
    await runtime.release_sandbox(box)
    assert runtime.leaks == []
    assert FakeSandbox.open == 0


async def test_closing_the_runtime_closes_every_box_and_closer_in_reverse(runtime: Runtime) -> None:
    order: list[str] = []

    def closer(name: str) -> Any:
        async def close() -> None:
            order.append(name)

        return close

    async with runtime:
        await lease(runtime)
        runtime.on_close(closer("first"))
        runtime.on_close(closer("second"))
    assert FakeSandbox.open == 0
    assert order == ["second", "first"]
    await runtime.close()
    assert len(order) == 2


# ---- resources --------------------------------------------------------------------------------------------------


class Opener:
    def __init__(self, failures: int = 0) -> None:
        self.calls = 0
        self.failures = failures

    async def __call__(self) -> int:
        self.calls += 1
        mine = self.calls
        await asyncio.sleep(0.01)
        if mine <= self.failures:
            raise OSError("not yet")
        return mine


async def test_a_resource_is_opened_once_for_many_callers() -> None:
    runtime, opener = Runtime(), Opener()
    assert await asyncio.gather(*(runtime.resource("x", opener) for _ in range(10))) == [1] * 10
    assert await runtime.resource("x", opener) == 1
    assert await runtime.resource("y", opener) == 2


async def test_a_failed_opening_is_told_to_all_who_waited_and_not_kept() -> None:
    runtime, opener = Runtime(), Opener(failures=1)
    results = await asyncio.gather(*(runtime.resource("x", opener) for _ in range(3)), return_exceptions=True)
    assert [type(result) for result in results] == [OSError] * 3
    assert await runtime.resource("x", opener) == 2


async def test_when_the_opener_is_cancelled_somebody_else_opens() -> None:
    runtime, opener = Runtime(), Opener()
    first, second = (asyncio.create_task(runtime.resource("x", opener)) for _ in range(2))
    await asyncio.sleep(0.001)
    first.cancel()
    assert await asyncio.wait_for(second, 1) == 2
    assert first.cancelled()


async def test_a_waiting_caller_can_be_cancelled_without_harm_to_the_others() -> None:
    runtime, opener = Runtime(), Opener()
    first, second = (asyncio.create_task(runtime.resource("x", opener)) for _ in range(2))
    await asyncio.sleep(0.001)
    second.cancel()
    assert await first == 1
    assert second.cancelled()


async def test_a_task_set_is_made_once_for_a_configuration() -> None:
    made: list[Any] = []

    def tasks(config: Any, runtime: Runtime) -> Any:
        made.append(config)
        return all_tasks(config, runtime)

    runtime, spec = Runtime(), counter_spec(tasks=tasks)
    assert runtime.tasks(spec) is runtime.tasks(spec)
    assert runtime.tasks(spec.configure(target=4)) is not runtime.tasks(spec)
    assert len(made) == 2
    assert agentgym.make(spec, runtime=runtime).tasks is runtime.tasks(spec)


def test_an_unknown_backend_is_answered_with_those_there_are() -> None:
    with pytest.raises(UsageError, match="no sandbox backend 'dokcer': there are"):
        _ = Runtime(backend="dokcer").sandbox_class


def test_the_cache_can_be_moved_by_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("AGENTGYM_CACHE", str(tmp_path))
    assert default_cache() == tmp_path
    assert Runtime().cache == tmp_path
    monkeypatch.delenv("AGENTGYM_CACHE")
    assert default_cache().name == "agentgym"
    assert agentgym.make(counter, runtime=Runtime(cache=tmp_path)).runtime.cache == tmp_path


async def test_forks_that_wait_for_each_other_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Runtime, "sandbox_class", FakeSandbox)
    runtime = Runtime(limits=RuntimeLimits(sandboxes=2, fork_wait_s=0.05))
    boxes = [await lease(runtime) for _ in range(2)]
    with pytest.raises(UsageError, match="sandboxes"):
        await runtime.fork_sandbox(boxes[0])
    await runtime.release_sandbox(boxes[1])
    fork = await runtime.fork_sandbox(boxes[0])
    for each in (boxes[0], fork):
        await runtime.release_sandbox(each)
