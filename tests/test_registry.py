"""The registry: ids to specs, and what a caller is told who got something wrong."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import EntryPoint

import pytest

import agentgym
from agentgym import Runtime, UsageError, registry
from tests.toys import COUNTER, Counter, counter, counter_spec


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    before = dict(registry._registered)
    agentgym.register(counter)
    yield
    registry._registered.clear()
    registry._registered.update(before)


def test_a_registered_environment_is_listed_found_and_made() -> None:
    assert COUNTER in agentgym.ids()
    assert agentgym.spec(COUNTER) is counter
    env = agentgym.make(COUNTER, runtime=Runtime())
    assert isinstance(env, Counter)
    assert env.spec is counter


def test_registering_twice_is_fine_for_the_same_spec_only() -> None:
    assert agentgym.register(counter) is counter
    with pytest.raises(UsageError, match="registered already"):
        agentgym.register(replace(counter, chance=0.5))


def test_an_unknown_id_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"no environment 'toy/conter-v0'\. Did you mean toy/counter-v0"):
        agentgym.make("toy/conter-v0")


def test_nothing_near_is_not_guessed() -> None:
    with pytest.raises(UsageError) as caught:
        agentgym.spec("§§§")
    assert "Did you mean" not in str(caught.value)
    assert "agentgym list" in str(caught.value)


def test_options_reach_the_configuration_and_leave_the_spec_alone() -> None:
    env = agentgym.make(COUNTER, runtime=Runtime(), target=5, step=2)
    assert (env.config.target, env.config.step) == (5, 2)
    assert counter.config.target == 3  # type: ignore[attr-defined]
    assert env.spec.hash != counter.hash


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tarqet": 5}, "option 'tarqet': Extra inputs are not permitted .options: target, step."),
        ({"target": "many"}, "option 'target': Input should be a valid integer"),
        ({"step": 3}, "option 'step': Input should be 1 or 2"),
    ],
)
def test_a_bad_option_is_named_with_those_there_are(options: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        agentgym.make(COUNTER, runtime=Runtime(), **options)  # type: ignore[arg-type]


def test_a_backend_that_lacks_what_is_needed_is_refused_at_make(monkeypatch: pytest.MonkeyPatch) -> None:
    class FakeBackend:
        name = "weak"
        capabilities = frozenset({"memory"})

    monkeypatch.setattr(registry.Runtime, "sandbox_class", FakeBackend)
    with pytest.raises(UsageError, match=r"needs \['network_off'\], which sandbox backend 'weak' lacks"):
        agentgym.make(counter_spec(needs=frozenset({"memory", "network_off"})), runtime=Runtime())


def fake_entry_points(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    point = EntryPoint(name, "tests.toys:native", registry.GROUP)

    def entry_points(group: str, name: str | None = None) -> list[EntryPoint]:
        return [point] if group == registry.GROUP and name in (None, point.name) else []

    monkeypatch.setattr(registry, "entry_points", entry_points)


def test_entry_points_are_listed_and_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_entry_points(monkeypatch, "toy/native-v0")
    assert agentgym.ids() == [COUNTER, "toy/native-v0"]
    assert agentgym.spec("toy/native-v0").id == "toy/native-v0"


def test_an_entry_point_must_agree_with_its_spec(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_entry_points(monkeypatch, "toy/other-v0")
    with pytest.raises(UsageError, match="make the two agree"):
        agentgym.spec("toy/other-v0")


def test_without_a_runtime_all_share_one() -> None:
    assert agentgym.make(COUNTER).runtime is agentgym.make(COUNTER).runtime


def test_the_spec_hash_covers_what_decides_an_episode() -> None:
    assert counter_spec().hash == counter.hash
    assert counter_spec(limits={"turns": 11}).hash != counter.hash
    assert counter.configure(target=4).hash != counter.hash
    assert counter_spec(id="toy/counter-v1").hash != counter.hash
    assert counter_spec(description="other words").hash == counter.hash
    assert counter_spec(id="family/name-v12").version == "v12"


def test_importing_the_core_brings_no_heavy_package_and_no_folder_of_ours() -> None:
    code = """
import sys, agentgym
for name in agentgym.__all__: getattr(agentgym, name)
heavy = {"torch", "transformers", "trl", "openai", "docker", "playwright", "typer", "rich"}
ours = {"envs", "sandboxes", "trainers", "evals"}
print(sorted((heavy | ours) & sys.modules.keys()))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_unknown_name_of_the_package_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        agentgym.nonsense  # noqa: B018
    assert "make" in dir(agentgym)
