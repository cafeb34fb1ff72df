"""The command line: what it prints where, and the exit codes that scripts rely on."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Shell

pytestmark = pytest.mark.slow

ENV = "toy/echo-v0"


def one_object(text: str) -> dict[str, object]:
    """stdout, which must be exactly one JSON object."""
    content = json.loads(text)
    assert isinstance(content, dict)
    return content


def test_help_names_every_command(shell: Shell) -> None:
    done = shell("--help")
    assert done.returncode == 0
    for command in ("list", "doctor", "audit", "rollout", "train", "eval", "compare", "replay"):
        assert command in done.stdout


def test_environments_add_commands(shell: Shell) -> None:
    assert one_object(shell("toy", "--loud", "hello").stdout) == {"shouted": "--LOUD HELLO"}
    for arguments, said in (
        (["toy"], "error: say what to shout"),
        (["broken"], "'broken' (nowhere:main) can not be loaded"),
    ):
        done = shell(*arguments)
        assert done.returncode == 2 and said in done.stderr and "Traceback" not in done.stderr
    assert "environments" in one_object(shell("list", "--json").stdout), "no plug-in takes a name of ours"


def test_help_names_the_commands_of_environments_and_imports_none(shell: Shell) -> None:
    code = "import sys\nfrom agentgym.cli.app import app\napp(['--help'], standalone_mode=False)\n"
    code += "print([name for name in sys.modules if name.startswith(('agentgym.envs.', 'toyenv'))])"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=shell.folder,
        env=shell.environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert all(f"{name} " in done.stdout for name in ("swebench", "travel", "toy", "broken"))
    assert done.stdout.splitlines()[-1] == "[]"


def test_list_shows_the_plugin_with_its_sizes(shell: Shell) -> None:
    rows = one_object(shell("list", "--json").stdout)["environments"]
    toy = next(row for row in rows if row["id"] == ENV)  # type: ignore[attr-defined]
    assert toy["tasks"] == {"train": 4, "validation": 4, "test": 4}
    assert toy["policies"] == ["oracle", "noop", "random", "cheat/claim"]
    assert "Say the word." in shell("list").stdout


def test_a_broken_plugin_does_not_hide_the_others(shell: Shell) -> None:
    done = shell("list")
    assert done.returncode == 0
    assert "toy/echo-v0" in done.stdout
    assert "can not be loaded" in done.stdout


@pytest.mark.parametrize("command", [["audit"], ["rollout", "--policy", "noop"], ["eval", "--policy", "noop"]])
def test_an_unknown_environment_names_the_nearest(shell: Shell, command: list[str]) -> None:
    done = shell(command[0], "toy/ecko-v0", *command[1:])
    assert done.returncode == 2
    assert "Did you mean toy/echo-v0" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["rollout", ENV, "--policy", "orakle"], "Did you mean oracle?"),
        (["rollout", ENV, "--policy", "noop", "--split", "tset"], "no split 'tset'"),
        (["rollout", ENV, "--policy", "noop", "--set", "colour=red"], "option 'colour'"),
        (["rollout", ENV, "--policy", "noop", "--set", "number"], "KEY=VALUE"),
        (["audit", ENV, "--tasks", "missing.txt"], "no task file missing.txt"),
        (["audit", "toy/broken-v0"], "toy/broken-v0 can not be loaded: AttributeError"),
        (["train", ENV, "--recipe", "magic"], "no recipe 'magic'"),
        (["train", "--recipe", "demo", "--option", "colour=red"], "option colour"),
        (["audit", "missing.py"], "no Python file missing.py"),
        (["replay", "nowhere"], "holds no trajectories"),
        (["compare", "nowhere", "nowhere"], "is no run"),
        (["eval", ENV, "--policy", "noop", "--suite", "missing.json"], "no suite missing.json"),
        (["audit", ENV, "--sandbox", "none", "--set", "x=1"], "option 'x'"),
    ],
)
def test_bad_usage_is_one_message_and_exit_2(shell: Shell, arguments: list[str], said: str) -> None:
    done = shell(*arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_audit_prints_one_object_and_passes(shell: Shell) -> None:
    done = shell("audit", ENV, "--json")
    assert done.returncode == 0, done.stderr
    report = one_object(done.stdout)
    assert report["passed"] is True
    assert report["oracle"] == {"n": 12, "mean": 1.0, "max": 1.0}
    assert report["cheats"] == {"cheat/claim": 0.0}
    assert "passed" in shell("audit", ENV, "--limit", "2").stdout


def test_a_failed_audit_exits_1_and_says_why(shell: Shell) -> None:
    done = shell("audit", ENV, "--limit", "2", TOY_LENIENT="1")
    assert done.returncode == 1
    assert "noop has success 1" in done.stdout
    assert "cheat/claim has success 1" in done.stdout
    assert one_object(shell("audit", ENV, "--limit", "2", "--json", TOY_LENIENT="1").stdout)["passed"] is False


def test_a_broken_host_fails_the_audit_without_counting_zero(shell: Shell) -> None:
    done = shell("audit", ENV, "--limit", "2", "--json", TOY_CRASH="1")
    assert done.returncode == 1
    report = one_object(done.stdout)
    assert report["oracle"] == {"n": 0, "mean": None, "max": None}
    assert any("the toy's host is broken" in problem for problem in report["problems"])  # type: ignore[attr-defined]


def test_a_task_file_reaches_the_environment(shell: Shell) -> None:
    (shell.folder / "words.txt").write_text("alpha\nbeta\n")
    done = shell("audit", ENV, "--tasks", "words.txt", "--json")
    assert done.returncode == 0, done.stderr
    assert one_object(done.stdout)["oracle"] == {"n": 2, "mean": 1.0, "max": 1.0}


def test_rollout_stores_and_reports(shell: Shell) -> None:
    done = shell("rollout", ENV, "--policy", "oracle", "--samples", "3", "--out", "run", "--json")
    assert done.returncode == 0, done.stderr
    report = one_object(done.stdout)
    assert (report["episodes"], report["tasks"], report["samples"]) == (12, 4, 3)
    assert report["pass_at"] == {"1": 1.0, "2": 1.0}
    assert len((shell.folder / "run" / "trajectories.jsonl").read_text().splitlines()) == 12
    assert json.loads((shell.folder / "run" / "report.json").read_text()) == report
    assert "| success | 100.0%" in (shell.folder / "run" / "report.md").read_text()


def test_a_run_is_not_overwritten_nor_mixed(shell: Shell, run_of: Callable[..., Path]) -> None:
    run_of("noop", "run")
    again = shell("rollout", ENV, "--policy", "noop", "--out", "run")
    assert again.returncode == 2
    assert "--resume" in again.stderr
    mixed = shell("rollout", ENV, "--policy", "oracle", "--out", "run", "--resume")
    assert mixed.returncode == 2
    assert "was played with policy 'noop'" in mixed.stderr
    other = shell("rollout", ENV, "--policy", "noop", "--out", "run", "--resume", "--set", "number=3")
    assert other.returncode == 2
    assert "another version or configuration" in other.stderr


def test_failed_episodes_exit_1_and_are_named(shell: Shell) -> None:
    done = shell("rollout", ENV, "--policy", "oracle", "--out", "run", TOY_CRASH="1")
    assert done.returncode == 1
    assert "4 episodes failed" in done.stderr
    assert "the toy's host is broken" in done.stderr
    resumed = shell("rollout", ENV, "--policy", "oracle", "--out", "run", "--resume", "--json")
    assert resumed.returncode == 0, resumed.stderr
    assert one_object(resumed.stdout)["scored"] == 4


def test_eval_plays_held_out_tasks_and_pins_them(shell: Shell) -> None:
    first = shell("eval", ENV, "--policy", "oracle", "--pin", "mine.json", "--out", "a", "--json")
    assert first.returncode == 0, first.stderr
    assert one_object(first.stdout)["success"] == {
        "mean": 1.0,
        "low": pytest.approx(0.51, abs=0.01),
        "high": 1.0,
        "n": 4,
    }
    second = shell("eval", ENV, "--policy", "random", "--suite", "mine.json", "--out", "b", "--json")
    assert one_object(second.stdout)["suite"] == "mine"
    changed = shell("eval", ENV, "--policy", "random", "--suite", "mine.json", "--set", "number=4")
    assert changed.returncode == 2
    suite = json.loads((shell.folder / "mine.json").read_text())
    suite["tasks"]["w2"] = "0" * 64
    (shell.folder / "mine.json").write_text(json.dumps(suite))
    refused = shell("eval", ENV, "--policy", "random", "--suite", "mine.json")
    assert refused.returncode == 2
    assert "1 tasks are not as pinned: w2" in refused.stderr


def test_compare(shell: Shell, run_of: Callable[..., Path]) -> None:
    run_of("random", "a")
    run_of("oracle", "b")
    found = one_object(shell("compare", "a", "b", "--json").stdout)
    assert (found["difference"], found["tasks"], found["better"]) == (1.0, 4, 4)
    assert "B − A = +100.0%" in shell("compare", "a", "b").stdout
    run_of("oracle", "c", "--set", "number=30")
    warned = shell("compare", "a", "c")
    assert "different configurations" in warned.stderr


def test_replay_shows_checks_and_rescores(shell: Shell, run_of: Callable[..., Path]) -> None:
    run = run_of("oracle", "run")
    assert "said" in shell("replay", "run").stdout
    shown = shell("replay", "run", "--id", "w3").stdout
    for part in ("Say word3.", 'say {"word": "word3"}', "You said word3.", "success 1"):
        assert part in shown
    assert shell("replay", "run", "--check").returncode == 0

    rescored = one_object(shell("replay", "run", "--rescore", "--out", "again", "--json").stdout)["episodes"]
    assert all(row["before"] == row["after"] == 1.0 for row in rescored)  # type: ignore[attr-defined]

    lines = (run / "trajectories.jsonl").read_text().replace("You said word3.", "You said nothing.")
    (run / "trajectories.jsonl").write_text(lines)
    checked = shell("replay", "run", "--check", "--json")
    assert checked.returncode == 1
    rows = one_object(checked.stdout)["episodes"]
    assert [row["task"] for row in rows if not row["identical"]] == ["w3"]  # type: ignore[attr-defined]


def test_a_new_verifier_rescores_old_episodes(shell: Shell, run_of: Callable[..., Path]) -> None:
    run_of("noop", "run")
    rows = one_object(shell("replay", "run", "--rescore", "--json", TOY_LENIENT="1").stdout)["episodes"]
    assert {(row["before"], row["after"]) for row in rows} == {(0.0, 1.0)}  # type: ignore[attr-defined]


def test_doctor_tells_every_backend(shell: Shell) -> None:
    done = shell("doctor", "--json")
    content = one_object(done.stdout)
    names = {finding["name"] for finding in content["findings"]}  # type: ignore[attr-defined]
    assert {"python", "sandbox chosen", "training", "cache"} <= names
    assert any(name.startswith("sandbox ") and name != "sandbox chosen" for name in names)
    assert done.returncode == (0 if content["ok"] else 1)


def test_doctor_clean_says_what_it_removed(shell: Shell) -> None:
    findings = one_object(shell("doctor", "--clean", "--json").stdout)["findings"]
    states = {finding["name"]: finding["detail"] for finding in findings}  # type: ignore[attr-defined]
    assert states["left by bubblewrap"] == "nothing"
    assert "left by docker" in states
