"""Store: what was appended comes back, whatever happened to the process, the disk or the secrets."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

import agentgym
from agentgym import (
    Action,
    Blob,
    CallResult,
    EpisodeKey,
    Info,
    Message,
    Observation,
    Runtime,
    Sample,
    Score,
    Store,
    Text,
    Trajectory,
    Turn,
    UsageError,
    collect,
)
from agentgym.manifest import manifest, write_manifest
from agentgym.store import read_json, redact
from tests.toys import act, call, counter, counter_spec, scripted, tasks

IMAGE = b"\x89PNG" + bytes(1000)


def trajectory(task: str = "t0", sample: int = 0, status: str = "scored", text: str = "hello") -> Trajectory:
    """One with something in every field."""
    seen = Observation((Message("user", (Text(text), Blob("image/png", IMAGE))),), ("add",), True, "agent")
    action = Action(
        "ok", (call("add", '{"n": 1}'),), "because", Sample(0, [1, 2], [3, 4], [-0.5, -0.25], "length", 7, "m")
    )
    info = Info(
        (Score("progress", 0.1, 0, "c0", "r"),),
        (CallResult("c0", "add", False, "no", False),),
        False,
        "hash",
        "submitted",
        {"value": [1]},
        {"step_s": 0.5},
    )
    record = counter.rubric([Score("progress", 0.1, 0), Score("outcome", 1.0)], 1)
    return Trajectory(
        key=EpisodeKey("run", task, sample, 1),
        spec=counter.id,
        task_hash="abc",
        seed=4,
        group=task,
        turns=[Turn(seen, action, 0.1, info)],
        status=status,  # type: ignore[arg-type]
        end="submitted",
        answer="3",
        final=Observation((Message("tool", "1", (), "c0"),)),
        artefacts={"value": "3"},
        scores=[Score("outcome", 1.0)],
        record=record if status == "scored" else None,
        cause="" if status == "scored" else "SandboxError: x",
        parent="0@1",
    )


def without_data(whole: Trajectory) -> Trajectory:
    """What should come back: blobs named by digest, their bytes in files."""
    turn = whole.turns[0]
    message = turn.observation.messages[0]
    blob = Blob("image/png", b"", hashlib.sha256(IMAGE).hexdigest())
    message = replace(message, content=(message.content[0], blob))  # type: ignore[arg-type]
    return replace(whole, turns=[replace(turn, observation=replace(turn.observation, messages=(message,)))])


def test_every_field_comes_back(tmp_path: Path) -> None:
    Store(tmp_path).append(trajectory())
    assert list(Store(tmp_path)) == [without_data(trajectory())]


def test_a_line_is_json_with_a_schema_version(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.append(trajectory())
    (line,) = store.path.read_text().splitlines()
    assert json.loads(line)["schema"] == agentgym.types.SCHEMA == 1  # type: ignore[attr-defined]


def test_a_later_line_replaces_an_earlier_one_of_its_key(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for each in (trajectory("t0", status="failed"), trajectory("t1"), trajectory("t0")):
        store.append(each)
    assert [(each.key.task, each.status) for each in store] == [("t1", "scored"), ("t0", "scored")]
    assert len(store) == len(Store(tmp_path)) == 2


@pytest.mark.parametrize(("status", "done"), [("scored", True), ("masked", True), ("failed", False)])
def test_has_tells_what_need_not_be_played_again(tmp_path: Path, status: str, done: bool) -> None:
    Store(tmp_path).append(trajectory(status=status))
    store = Store(tmp_path)
    assert store.has(EpisodeKey("another run", "t0", 0, 5)) is done
    assert not store.has(EpisodeKey("run", "t0", 1))


def test_another_schema_is_refused_with_file_and_line(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.append(trajectory())
    line = json.loads(store.path.read_text())
    store.path.write_text(json.dumps({**line, "schema": 99}) + "\n")
    with pytest.raises(UsageError, match=r"trajectories.jsonl, line 1: schema 99, but this version .* reads schema 1"):
        Store(tmp_path)


@pytest.mark.parametrize("line", ["{broken", "[]", '{"schema": 1}', "12", ""])
def test_a_broken_line_in_the_middle_is_named(tmp_path: Path, line: str) -> None:
    store = Store(tmp_path)
    store.append(trajectory())
    with store.path.open("a") as file:
        file.write(line + "\n")
    store.append(trajectory("t1"))
    with pytest.raises(UsageError, match=r"line 2: not a trajectory"):
        list(store)


# ---- crashes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kept", [0, 1, 100, -1])
def test_a_last_line_cut_short_is_dropped_and_the_rest_kept(tmp_path: Path, kept: int) -> None:
    store = Store(tmp_path)
    store.append(trajectory("t0"))
    first = store.path.stat().st_size
    store.append(trajectory("t1"))
    os.truncate(store.path, store.path.stat().st_size - 1 if kept < 0 else first + kept)
    mended = Store(tmp_path)
    assert [each.key.task for each in mended] == ["t0"]
    assert not mended.has(EpisodeKey("run", "t1"))
    mended.append(trajectory("t1"))
    assert [each.key.task for each in Store(tmp_path)] == ["t0", "t1"]


def test_a_long_only_line_cut_short_leaves_an_empty_store(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.append(trajectory(text="x" * 300_000))
    os.truncate(store.path, 250_000)
    assert list(Store(tmp_path)) == []
    assert store.path.stat().st_size == 0


def test_a_killed_writer_loses_at_most_the_line_under_way(tmp_path: Path) -> None:
    code = f"""
from agentgym import EpisodeKey, Store, Trajectory
store = Store({str(tmp_path)!r})
for i in range(10**9):
    store.append(Trajectory(EpisodeKey("r", f"t{{i}}"), "toy", "h", 0, "g", [], "masked", artefacts={{"x": "y" * 50_000}}))
    print(i, flush=True)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        confirmed = [int(writer.stdout.readline()) for _ in range(20)][-1]
        time.sleep(0.01)
        writer.send_signal(signal.SIGKILL)
    store = Store(tmp_path)
    found = [each.key.task for each in store]
    assert found == [f"t{i}" for i in range(len(found))]
    assert len(found) > confirmed
    assert all(each.artefacts["x"] == "y" * 50_000 for each in store)


@contextmanager
def full_disk(path: Path, room: int) -> Iterator[None]:
    """Files can not grow more than `room` bytes beyond what `path` has: the kernel refuses, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + room, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("size", [10, 100_000])
def test_a_full_disk_is_told_and_what_was_stored_stays_whole(tmp_path: Path, size: int) -> None:
    store = Store(tmp_path)
    store.append(trajectory("t0"))
    before = store.path.read_bytes()
    with full_disk(store.path, 100), pytest.raises(UsageError, match="All 1 before it are safe: make room"):
        store.append(trajectory("t1", text="x" * size))
    assert store.path.read_bytes() == before
    assert not store.has(EpisodeKey("run", "t1"))
    store.append(trajectory("t1"))
    assert [each.key.task for each in Store(tmp_path)] == ["t0", "t1"]


def test_a_full_disk_for_blobs_is_told_too(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.append(trajectory("t0", text="no room for more"))
    big = trajectory("t1")
    big.turns[0].observation.messages[0].content = (Blob("image/png", b"z" * 100_000),)
    with full_disk(store.path, 100), pytest.raises(UsageError, match="All 1 before it are safe"):
        store.append(big)
    store.append(big)
    assert store.blob(hashlib.sha256(b"z" * 100_000).hexdigest()) == b"z" * 100_000
    assert not list((tmp_path / "blobs").glob("*.part"))


# ---- blobs ----------------------------------------------------------------------------------------------------------


def test_blobs_are_files_named_by_their_content_once_each(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.append(trajectory("t0"))
    store.append(trajectory("t1"))
    digest = hashlib.sha256(IMAGE).hexdigest()
    assert [path.name for path in (tmp_path / "blobs").iterdir()] == [digest]
    assert store.blob(digest) == IMAGE
    assert b"PNG" not in store.path.read_bytes()


def test_appending_leaves_the_trajectory_as_it_was(tmp_path: Path) -> None:
    whole = trajectory()
    Store(tmp_path).append(whole)
    assert whole == trajectory()


@pytest.mark.parametrize("digest", ["0" * 64, "", "../trajectories.jsonl", "trajectories.jsonl"])
def test_an_unknown_blob_is_a_key_error(tmp_path: Path, digest: str) -> None:
    store = Store(tmp_path)
    store.append(trajectory())
    with pytest.raises(KeyError):
        store.blob(digest)


# ---- what models write, and secrets -----------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["é 中 \U0001f600", "a\nb\r\n\u2028\x00", "\ud800 alone", '"quoted" \\ {json}'])
def test_any_text_that_a_model_can_write_is_stored_on_one_line(tmp_path: Path, text: str) -> None:
    store = Store(tmp_path)
    store.append(trajectory(text=text))
    store.append(trajectory("t1"))
    assert store.path.read_bytes().count(b"\n") == 2
    message = next(iter(Store(tmp_path))).turns[0].observation.messages[0]
    assert message.text == text.replace("\ud800", "?")


def test_values_of_secret_variables_never_reach_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_API_KEY", 'sk-"quoted"-12345')
    monkeypatch.setenv("db_password", "hunter2hunter2")
    monkeypatch.setenv("HOME_TOWN", "Springfield")
    store = Store(tmp_path)
    store.append(trajectory(text='I saw sk-"quoted"-12345 and hunter2hunter2 in Springfield'))
    stored = store.path.read_text()
    assert "12345" not in stored
    assert "hunter2" not in stored
    message = next(iter(Store(tmp_path))).turns[0].observation.messages[0]
    assert message.text == "I saw [redacted] and [redacted] in Springfield"


def test_short_values_are_not_taken_for_secrets() -> None:
    assert redact(b"true story", {"USE_TOKEN": "true"}) == b"true story"
    assert redact(b"a long-secret b", {"X_SECRET": "long-secret"}) == b"a [redacted] b"


# ---- played episodes, manifest ------------------------------------------------------------------------------------------


async def test_a_played_episode_comes_back_equal(tmp_path: Path) -> None:
    store = Store(tmp_path)
    played = [each async for each in collect(counter, scripted(), tasks(3), runtime=Runtime(), store=store)]
    key = lambda each: each.key.task  # noqa: E731
    assert sorted(Store(tmp_path), key=key) == sorted(played, key=key)


async def test_stored_actions_replay_to_the_stored_observations(tmp_path: Path) -> None:
    store = Store(tmp_path)
    async for _ in collect(
        counter,
        scripted(lambda c: act("roll") if c.turn < 2 else act("submit")),
        tasks(1),
        runtime=Runtime(),
        store=store,
    ):
        pass
    (stored,) = Store(tmp_path)
    env = agentgym.make(counter, runtime=Runtime(), verdict=False)
    task = tasks(1)[0]
    await env.reset(task=task, seed=agentgym.seeds.derive_seed("environment", stored.seed, task.id))  # type: ignore[attr-defined]
    for turn in stored.turns:
        await env.step(turn.action)
    assert [turn.observation for turn in env.turns] == [turn.observation for turn in stored.turns]
    assert env.observation == stored.final


def test_a_manifest_says_what_is_needed_to_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_TOKEN", "very-secret-token")
    spec = counter_spec()
    content = manifest(
        spec, Runtime(), seed=3, policy="openai:m", tasks={"t0": "hash"}, group_size=4, url="very-secret-token"
    )
    path = write_manifest(tmp_path, content)
    assert "very-secret" not in path.read_text()
    written = read_json(path)
    assert (written["schema"], written["seed"], written["policy"]) == (1, 3, "openai:m")
    assert written["environment"]["hash"] == spec.hash
    assert written["environment"]["verifier"] == ["counter", "1"]
    assert written["packages"]["agentgym"] == agentgym.__version__
    assert (written["tasks"], written["config"]["group_size"], written["sandbox"]) == ({"t0": "hash"}, 4, None)


def test_an_earlier_manifest_is_kept(tmp_path: Path) -> None:
    for seed in range(3):
        write_manifest(tmp_path, {"seed": seed})
    assert read_json(tmp_path / "manifest.json")["seed"] == 2
    assert [read_json(tmp_path / f"manifest.{n}.json")["seed"] for n in (1, 2)] == [0, 1]


def test_reading_json_names_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    with pytest.raises(UsageError, match=r"x\.json can not be read"):
        read_json(path)
    path.write_text('{"a": 1,\n "b": }')
    with pytest.raises(UsageError, match=r"x\.json, line 2"):
        read_json(path)
