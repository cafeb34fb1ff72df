"""The repair environment with its tools in a real box: what the agent is told, whatever it does."""

import hashlib
import json

import pytest

from agentgym.envs.swe.specs import RELEASE
from agentgym.episode import Episode
from agentgym.errors import SandboxError
from agentgym.policy import Scripted
from agentgym.seeds import content_hash
from agentgym.types import Action, ToolCall


async def test_first_observation_and_tools_are_pinned(make):
    """A change here is a change of the environment: raise its version, then these."""
    env = await make()
    text = env.observation.messages[0].text
    await env.close()
    assert text.startswith("The source tree of the Python package mini 1.0 is at /workspace.\n\nclamp does not")
    assert text.endswith("Steps remaining: 40")
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == "edf8f32d500c6b3c"
    assert content_hash([tool.openai() for tool in RELEASE.tools.values()])[:16] == "03135d06bca9e603"


async def test_hints_and_small_tools(make):
    env = await make(tools="small", hint="line")
    assert "near line 6" in env.observation.messages[0].text
    assert env.observation.tools == ("view", "suggest", "apply", "submit")
    await env.close()


async def test_the_shell_carries_directory_and_variables_and_nothing_else(make, call):
    env = await make()
    text, *_ = await call(env, "shell", command="cd mini; export X='a b'; y=1; sleep 60 & echo err >&2; echo out")
    assert text.startswith("err\nout\n[exit code 0]")
    text, *_ = await call(env, "shell", command='pwd; echo "$X-$y"; pgrep sleep; false')
    assert text.startswith("/workspace/mini\na b-\n[exit code 1]") and text.endswith("Steps remaining: 38")
    text, *_ = await call(env, "shell", command="mkdir ../d; cd ../d; rmdir ../d")
    text, *_ = await call(env, "shell", command="ls")
    assert "the directory is now /workspace" in text
    text, *_ = await call(env, "shell", command="ls; exit 7")
    assert "pyproject.toml" in text and "[exit code 7]" in text
    await env.close()


async def test_viewing_and_editing(make, call):
    env = await make()
    text, result, info = await call(env, "view", path="mini/core.py", start=4, end=6)
    assert text.startswith("4\tdef clamp(value, low, high):\n5\t") and "[lines 4 to 6 of 15]" in text
    assert [score.channel for score in info.scores] == ["file", "format"]
    text, *_ = await call(env, "view", path=".")
    assert "./mini/core.py" in text
    text, result, info = await call(env, "str_replace", path="mini/core.py", old_str="> low", new_str="< low")
    assert "6\t    if value < low:" in text and "edit" in [score.channel for score in info.scores]
    text, result, info = await call(env, "str_replace", path="mini/core.py", old_str="< low", new_str="< low")
    assert result.ok and not result.effective and "nothing changed" in text
    text, result, _ = await call(env, "str_replace", path="mini/core.py", old_str="value", new_str="x")
    assert not result.ok and "stands" in text and "at lines 4, 5, 6" in text
    await call(env, "insert", path="mini/core.py", line=0, text="# top")
    await call(env, "edit_line", path="mini/core.py", line=2, text='"""Numbers."""')
    await call(env, "create", path="new/file.txt", text="hello")
    text, *_ = await call(env, "search", pattern="low\\b.*:")
    assert "mini/core.py:7:    if value < low:" in text
    await call(env, "shell", command="for i in $(seq 300); do echo low: > many$i; done")
    text, *_ = await call(env, "search", pattern="^low:")
    assert "[100 more]" in text
    text, *_ = await call(env, "view", path=".")
    assert "[110 more]" in text
    await call(env, "shell", command="rm many*")
    patch = (await env.artefacts())["patch"]
    assert [line for line in patch.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")] == [
        '-"""Small numbers."""',
        "+# top",
        '+"""Numbers."""',
        "-    if value > low:",
        "+    if value < low:",
        "+hello",
    ]
    await env.close()


async def test_suggest_and_apply(make, call):
    env = await make(tools="small")
    text, *_ = await call(env, "suggest", path="mini/core.py", line=6)
    choices = dict(row.split(": ", 1) for row in text.split("\n\n")[0].splitlines())
    assert choices["0"] == "if value > low:"
    right = next(number for number, line in choices.items() if line == "if value < low:")
    wrong = next(number for number in choices if number not in ("0", right))
    await call(env, "apply", path="mini/core.py", line=6, choice=int(wrong))
    again, *_ = await call(env, "suggest", path="./mini/core.py", line=6)
    assert again.split("\n\n")[0] == text.split("\n\n")[0], "choices are those of the line as it was"
    text, result, _ = await call(env, "apply", path="mini/core.py", line=6, choice=int(right))
    assert text.startswith("line 6 is now: if value < low:")
    _, result, _ = await call(env, "apply", path="mini/core.py", line=6, choice=int(right))
    assert result.ok and not result.effective
    await call(env, "apply", path="mini/core.py", line=6, choice=0)
    assert (await env.artefacts())["patch"] == ""
    _, result, _ = await call(env, "apply", path="mini/core.py", line=6, choice=99)
    assert "from 0 to" in result.error
    _, result, _ = await call(env, "shell", command="ls")
    assert "not the time" in result.error
    await env.close()


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("view", "{", "bad arguments"),
        ("view", '{"path": 3}', "bad arguments"),
        ("view", "[]", "bad arguments"),
        ("shell", '{"command": "ls", "colour": 1}', "colour"),
        ("shell", '{"command": "a\\u0000b"}', "can not be passed on"),
        ("create", '{"path": "\\ud800", "text": "x"}', "error"),
        ("create", '{"path": "mini", "text": "x"}', "directory"),
        ("create", '{"path": "/usr/x", "text": "x"}', "can not be written"),
        ("view", '{"path": "nothing.py"}', "no file nothing.py"),
        ("view", '{"path": "mini/core.py", "start": 900}', "has 15 lines"),
        ("edit_line", '{"path": "mini/core.py", "line": 0, "text": ""}', "has 15 lines"),
        ("search", '{"pattern": "("}', "error"),
        ("fly", "{}", "no tool"),
    ],
)
async def test_bad_calls_are_answered(make, name, arguments, said):
    env = await make()
    observation, _, terminated, truncated, info = await env.step(Action(calls=(ToolCall("c", name, arguments),)))
    assert said in observation.messages[0].text and not info.calls[0].ok
    assert not terminated and not truncated
    await env.close()


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("yes x | head -c 100000000", "bytes left out ...]"),
        ("sleep 100", "[stopped after 1 s"),
        (":(){ :|:& };:", "[exit code"),
        ("exec setsid bash -c 'while :; do sleep 9 & done' & disown; exec true", "[exit code 0]"),
        ("kill -9 $$", "[killed by a signal]"),
        ("kill -9 1 -1; echo still", "still"),
        ("python3 -c 'x = bytearray(10**10)'", "[exit code 1"),
        ("head -c 400000000 /dev/zero > big; cat big big big big > bigger", "[exit code"),
        ("head -c 300000 /dev/urandom | tee junk.bin | head -c 3000", "[exit code 0]"),
        ("rm -rf /workspace/* /tmp/*", "[exit code 0]"),
        ("chmod 000 mini .", "[exit code 0]"),
        ("unset PATH HOME; export PATH=/nowhere", "[exit code 0]"),
    ],
)
async def test_a_hard_command_leaves_a_working_episode(make, call, command, said):
    env = await make(command_s=1.0 if command.startswith("sleep") else 20.0)
    text, *_ = await call(env, "shell", command=command)
    assert said in text and len(text) < 20_000
    await call(env, "shell", command="chmod 755 /workspace")  # where it was locked, this finds another directory first
    text, *_ = await call(env, "shell", command="echo alive")
    assert "alive" in text
    artefacts = await env.artefacts()
    if "junk" in command:
        assert artefacts["patch"] == "" and json.loads(artefacts["notes"]) == ["junk.bin: binary"]
    await env.close()


async def test_a_full_disk_is_told(make, call):
    env = await make(disk_mb=4)
    await call(env, "shell", command="head -c 8000000 /dev/zero > big")
    text, result, _ = await call(env, "create", path="x.txt", text="y" * 10_000)
    assert not result.ok and "No space left" in text
    assert "big" in (await env.artefacts())["notes"]
    await env.close()


async def test_states_are_those_of_the_workspace_whatever_led_there(make):
    """A look leaves the state as it is; two ways to one edit lead to one state; another edit to another."""

    async def states(*calls):
        env = await make()
        plan = [*calls, ("submit", {})]

        def play(context):
            name, arguments = plan[context.turn]
            return Action(calls=(ToolCall("c", name, json.dumps(arguments)),))

        episode = await Episode.start(env, Scripted("plan", play), env.task, hash_states=True)
        while not await episode.turn():
            pass
        trajectory = episode.trajectory("masked")
        await env.close()
        return trajectory.states

    look = ("view", {"path": "mini/core.py"})
    edit = ("str_replace", {"path": "mini/core.py", "old_str": "> low", "new_str": "< low"})
    sed = ("shell", {"command": "sed -i 's/> low/< low/' mini/core.py; python3 -c 'import mini.core'"})
    one = await states(look, edit, look)
    other = await states(sed)
    wrong = await states(("str_replace", {"path": "mini/core.py", "old_str": "> low", "new_str": ">= low"}))
    assert None not in (*one, *other, *wrong)
    assert one[0] == one[1] == other[0] == wrong[0]
    assert one[2] == one[3] == other[1] != one[0]
    assert wrong[1] not in (*one, *other)


async def test_a_box_killed_from_outside_is_no_score(make, call):
    env = await make()
    await env.live.close()
    with pytest.raises(SandboxError):
        await call(env, "shell", command="ls")
    await env.close()


async def test_forks_go_on_apart(make, call):
    env = await make()
    await call(env, "shell", command="export X=1; cd mini; echo one > a.txt")
    before = await env.state_hash()
    branch = await env.fork()
    assert await branch.state_hash() == before
    await call(branch, "shell", command="echo two > a.txt")
    text, *_ = await call(env, "shell", command="cat a.txt; pwd; echo $X")
    assert text.startswith("one\n/workspace/mini\n1\n")
    assert await branch.state_hash() != before == await env.state_hash()
    await branch.close()
    await env.close()


async def test_the_patch_ignores_planted_configuration(make, call):
    env = await make()
    await call(env, "shell", command="git init -q . && git config core.fsmonitor 'touch /tmp/planted'")
    await call(env, "shell", command="ln -s /etc/passwd link; mkfifo pipe; printf 'x\\n' > $'odd\\nname'; touch empty")
    artefacts = await env.artefacts()
    assert artefacts["patch"] == "diff --git a/empty b/empty\nnew file mode 100644\n"
    assert sorted(json.loads(artefacts["notes"])) == [
        "'odd\\nname': an odd character in the path",
        "link: a link",
        "pipe: a special file",
    ]
    text, *_ = await call(env, "shell", command="ls /tmp")
    assert "planted" not in text
    await env.close()


async def test_running_out_of_turns_truncates(make, call):
    env = await make()
    for _ in range(40):
        *_, info = await env.step("I think")
    assert info.end == "turn_limit" and env.truncated
    await env.close()
