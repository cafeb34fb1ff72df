"""An instance in an image, from its row to its verdict, on a real daemon: a small package in the image's /testbed.

The image is made here from our own base, as SWE-bench makes its own: the tree, its git history of one commit, a script.
"""

import io
import json
import tarfile
from dataclasses import replace

import pytest

from agentgym import registry
from agentgym.envs.swe import diffs
from agentgym.envs.swe.mini_swe_agent import maker, play
from agentgym.envs.swe.mini_swe_agent.agents import library
from agentgym.envs.swe.specs import POLICIES
from agentgym.envs.swe.swebench import instance as instances
from agentgym.envs.swe.swebench import predictions
from agentgym.envs.swe.swebench.applying import applied
from agentgym.envs.swe.swebench.bench import ID, BenchTasks, task_of
from agentgym.envs.swe.swebench.eval_script import script
from agentgym.envs.swe.swebench.images import derived, prepare
from agentgym.envs.swe.swebench.specs import BENCH, OPEN
from agentgym.envs.swe.swebench.verifier import BenchVerifier, contradicted
from agentgym.errors import SandboxError, TaskError, UsageError
from agentgym.rollout import collect
from agentgym.runtime import Runtime
from agentgym.sandboxes import docker_daemon, docker_images
from agentgym.sandboxes.sandbox import SandboxLimits
from agentgym.store import Store
from agentgym.testing import check_environment
from agentgym.types import Action, ToolCall
from agentgym.verifier import Evidence
from tests.envs.swe.conftest import FIXED, SOURCE, TESTS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

models = library(".models.test_models")
IMAGE = "agentgym-test/sweb.eval.x86_64.mini_1776_mini-1:latest"
OLD_TESTS = "from mini.core import total\n\n\ndef test_total():\n    assert total([1, 2, 3]) == 6\n"
RUNNER = '''"""A test runner in forty characters of output a test: the words of pytest's summary, without pytest."""
import importlib, sys, traceback

sys.path.insert(0, "/testbed")
failed = 0
for path in sys.argv[1:]:
    module = importlib.import_module(path.removesuffix(".py").replace("/", "."))
    for name, test in list(vars(module).items()):
        if name.startswith("test_"):
            try:
                test()
                status = "PASSED"
            except Exception:
                traceback.print_exc()
                status, failed = "FAILED", 1
            print(f"{status} {path}::{name}", flush=True)
sys.exit(failed)
'''
TREE = {
    "mini/__init__.py": "",
    "mini/core.py": SOURCE,
    "mini/data.txt": "one\r\ntwo\r\n",
    "tests/test_core.py": OLD_TESTS,
    "README.md": "mini\n",
    "pyproject.toml": "[project]\nname = 'mini'\n",
}
GIT = (
    "cd /testbed && git init -q && git config user.email a@b && git config user.name a && git add -A && git commit -qm base "
    "&& git tag base && ln -s core.py mini/alias.py && ln -s /etc/hostname mini/outside"
)


@pytest.fixture(scope="module")
def image(docker):
    """The instance's image on the daemon, made by a Dockerfile."""
    context = io.BytesIO()
    dockerfile = (
        f"FROM {docker_images.reference('base')}\nCOPY tree /testbed\nCOPY runner.py /opt/runner.py\n"
        f"ENV MINI=1 LANG=C.UTF-8\nRUN {GIT}\n"
    )
    files = {"Dockerfile": dockerfile, "runner.py": RUNNER, **{f"tree/{path}": text for path, text in TREE.items()}}
    with tarfile.open(fileobj=context, mode="w") as tar:
        for path, text in files.items():
            member = tarfile.TarInfo(path)
            member.size, member.mode = len(text.encode()), 0o644
            tar.addfile(member, io.BytesIO(text.encode()))
    context.seek(0)
    daemon = docker_daemon.current()
    steps = daemon.ask(
        "build",
        fileobj=context,
        custom_context=True,
        tag=IMAGE,
        network_mode="none",
        rm=True,
        forcerm=True,
        decode=True,
    )
    said = list(steps)
    assert not any("error" in step for step in said), said
    yield IMAGE
    for name in (IMAGE, derived(daemon.ask("inspect_image", IMAGE)["Id"])):
        daemon.ask("remove_image", name, force=True)


@pytest.fixture
def row():
    """The instance, as a file has it."""
    patch = diffs.make("mini/core.py", SOURCE, FIXED)
    test_patch = diffs.make("tests/test_core.py", OLD_TESTS, TESTS)
    made = script(
        prepare=[],
        commit="base",
        test_patch=test_patch,
        files=["tests/test_core.py"],
        command='test "$MINI" = 1 && python3 -B /opt/runner.py tests/test_core.py',
    )
    return {
        "instance_id": "mini__mini-1",
        "repo": "mini/mini",
        "base_commit": "base",
        "patch": patch,
        "test_patch": test_patch,
        "problem_statement": "clamp does not keep to its lower bound.",
        "version": "1.0",
        "FAIL_TO_PASS": json.dumps([f"tests/test_core.py::test_clamp_{name}" for name in ("low", "middle", "high")]),
        "PASS_TO_PASS": json.dumps(["tests/test_core.py::test_total"]),
        "image": IMAGE,
        "eval_script": made,
        "log_parser": "parse_log_pytest_v2",
        "eval_type": "pass_and_fail",
    }


@pytest.fixture
def file(tmp_path, row):
    path = tmp_path / "instances.jsonl"
    path.write_text(json.dumps(row) + "\n")
    return path


@pytest.fixture
def spec(file):
    return BENCH.configure(tasks_file=file)


@pytest.fixture
async def runtime(tmp_path, docker):
    async with Runtime(backend="docker", cache=tmp_path / "cache") as runtime:
        yield runtime
        assert runtime.leaks == []


async def judged(runtime, row, patch, end="submit", verifier=None):
    task = task_of(instances.Instance.model_validate(row))
    scores = await (verifier or BenchVerifier()).verify(Evidence(task, {"patch": patch}, end=end), runtime)
    by_channel = {score.channel: score for score in scores}
    return by_channel["resolved"].value, by_channel["outcome"].value, by_channel["outcome"].reason


SOME = ("oracle", "noop", "random", "cheat/conftest-hook", "cheat/picked-outcomes")


@pytest.mark.parametrize("every", [False, pytest.param(True, marks=pytest.mark.nightly)])
async def test_the_release_gate(image, spec, every):
    if not every:
        spec = replace(spec, policies={name: spec.policies[name] for name in SOME})
    report = await check_environment(spec, backend="docker")
    assert report.problems == [] and report.oracle.mean == 1.0 and report.passed


@pytest.mark.nightly
async def test_what_is_said_to_be_open_is(image, spec, runtime):
    """A verdict from a log can not tell an object that is equal to everything: the day one does, OPEN is empty."""
    tasks = await runtime.tasks(spec).take("test", 1)
    for name in OPEN:
        assert [each.success async for each in collect(spec, POLICIES[name](), tasks, runtime=runtime)] == [1.0]


async def test_rollouts_are_stored_and_become_predictions_that_grade(image, spec, runtime, tmp_path, row):
    tasks = await runtime.tasks(spec).take("test", 5)
    found = {}
    for name in ("oracle", "noop"):
        store = Store(tmp_path / name)
        async for each in collect(spec, spec.policies[name](), tasks, runtime=runtime, run=name, store=store):
            found[name] = each.success
        predictions.write(tmp_path / f"{name}.jsonl", predictions.of_trajectories(store, name))
    assert found == {"oracle": 1.0, "noop": 0.0}
    for name, wanted in found.items():
        made = predictions.read(tmp_path / f"{name}.jsonl")["mini__mini-1"]
        assert (await judged(runtime, row, made.model_patch))[0] == wanted
    assert "+    if value < low:" in predictions.read(tmp_path / "oracle.jsonl")["mini__mini-1"].model_patch


async def test_the_agent_works_at_the_path_of_the_image(image, spec, runtime):
    env = registry.make(spec, runtime=runtime, verdict=False)
    task = (await runtime.tasks(spec).take("test", 1))[0]
    try:
        observation, _ = await env.reset(task=task)
        assert "clamp does not keep" in observation.messages[0].text and "/testbed" in observation.messages[0].text
        commands = [
            "pwd; git status --short; git log --oneline | wc -l; echo $MINI; id -u",
            "printf x >> mini/data.txt",
            "cat mini/alias.py",
        ]
        said = []
        for command in commands:
            call = ToolCall("c", "shell", json.dumps({"command": command}))
            said.append((await env.step(Action(calls=(call,))))[0].messages[0].text)
        assert said[0].startswith("/testbed\n?? mini/alias.py\n1\n1\n1000\n"), said[0]
        assert "def clamp" in said[2]
        artefacts = await env.artefacts()
        assert "-two\r\n" not in artefacts["patch"] and "+x" in artefacts["patch"] and artefacts["notes"] == "[]"
    finally:
        await env.close()


async def test_mini_swe_agent_works_there_as_its_prompts_for_swe_bench_say(image, spec, runtime):
    commands = [
        "pwd && sed -i 's/value > low/value < low/' mini/core.py",
        "git diff -- mini/core.py > patch.txt && cat patch.txt",
        "echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT && cat patch.txt",
    ]
    outputs = [models.make_output("Now this.", [{"command": command}]) for command in commands]
    make = maker(lambda: models.DeterministicModel(outputs=outputs), config="swebench", cost_limit=0)
    task = (await runtime.tasks(spec).take("test", 1))[0]
    done = await play(registry.make(spec, runtime=runtime, verdict=False), task, make)
    assert (done.status, done.end, done.success) == ("scored", "submit", 1.0), done.cause
    submission = json.loads(done.artefacts["mini-swe-agent"])["info"]["submission"]
    assert submission.startswith("diff --git a/mini/core.py") and "+    if value < low:" in submission


async def test_nothing_of_the_image_is_run_and_links_out_of_the_tree_are_left(image, runtime):
    prepared = await prepare(IMAGE, runtime)
    assert prepared.env["MINI"] == "1" and "HOME" not in prepared.env
    assert prepared.text("mini/core.py") == SOURCE and prepared.text("mini/data.txt") == "one\r\ntwo\r\n"
    assert "mini/outside" not in prepared.listing and (prepared.tree / "mini/alias.py").is_symlink()


async def test_patches_of_every_kind_have_a_verdict_and_a_reason(image, runtime, row):
    good = row["patch"]
    crlf = "diff --git a/mini/data.txt b/mini/data.txt\n--- a/mini/data.txt\n+++ b/mini/data.txt\n@@ -1,2 +1,2 @@\n one\r\n-two\r\n+2\r\n"
    cases = {
        "the reference": (good, 1, ""),
        "with a file of carriage returns": (good + crlf, 1, ""),
        "with binary": (good + "diff --git a/x.bin b/x.bin\nnew file mode 100644\nGIT binary patch\nliteral 3\nKcmX\n\n", 1, "x.bin (binary)"),
        "with a link": (good + link("l", "120000"), 1, "l (a link)"),
        "with a submodule": (good + link("sub", "160000"), 1, "sub (a link)"),
        "with a test": (good + created("tests/test_new.py", "x\n"), 1, "tests/test_new.py (a test)"),
        "with an odd path": (good + created("a b\\c", "x\n"), 1, "an odd character in the path"),
        "a rename": ("diff --git a/mini/core.py b/mini/c.py\nsimilarity index 100%\nrename from mini/core.py\nrename to mini/c.py\n", 0, "renames"),
        "carriage returns where there are none": (good.replace("\n", "\r\n"), 0, "does not apply"),
        "no diff": ("please fix it", 0, "not a unified diff"),
        "empty": ("", 0, "nothing was changed"),
        "another place": (good.replace("value", "colour"), 0, "does not match"),
        "wrong": (diffs.make("mini/core.py", SOURCE, SOURCE.replace("> low", ">= low")), 0, "not repaired: tests/test_core.py::test_clamp_low"),
        "broken": (diffs.make("mini/core.py", SOURCE, "syntax error\n"), 0, "no test has a status"),
        "deleted": (diffs.make("mini/core.py", SOURCE, None), 0, "no test has a status"),
    }  # fmt: skip
    for name, (patch, wanted, said) in cases.items():
        resolved, _, reason = await judged(runtime, row, patch)
        assert (resolved, said in reason) == (wanted, True), (name, resolved, reason)
    assert (await judged(runtime, row, good, end="turn_limit"))[:2] == (0, 0)


async def test_patches_from_elsewhere_apply_as_swebench_applies_them(image, runtime, row):
    good, prepared = row["patch"], await prepare(IMAGE, runtime)
    moved = (
        "diff --git a/mini/core.py b/mini/kern.py\nsimilarity index 100%\nrename from mini/core.py\nrename to mini/kern.py\n"
        + diffs.make("mini/core.py", None, "from mini.kern import *\n")
    )
    binary = (
        f"diff --git a/x.bin b/x.bin\nnew file mode 100644\nindex {'0' * 40}..eaf36c1daccfdf325514461cd1a2ffbc139b5464\n"
        "GIT binary patch\nliteral 4\nLcmZQzWMT#Y01f~L\n\nliteral 0\nHcmV?d00001\n\n"
    )
    cases = {
        "the reference": (good, ["mini/core.py"], ""),
        "other context": (good.replace("def clamp", "def clamps"), ["mini/core.py"], ""),
        "a rename": (moved, ["mini/core.py", "mini/kern.py"], ""),
        "binary": (good + binary, ["mini/core.py"], "x.bin: binary"),
        "a link": (good + link("l", "120000").replace("+x\n", "+mini\n\\ No newline at end of file\n"), ["mini/core.py"], "l: a link"),
        "half of it": (good + good.replace("core.py", "none.py"), [], "does not apply"),
        "no diff": ("please fix it", [], "does not apply"),
        "nothing": ("", [], ""),
    }  # fmt: skip
    for name, (patch, paths, note) in cases.items():
        change = await applied(patch, prepared, SandboxLimits(), runtime)
        assert [file.path for file in diffs.parse(change.text)] == paths, (name, change)
        assert note in " ".join(change.notes) and bool(note) == bool(change.notes), (name, change)


async def test_a_log_that_contradicts_itself_is_believed_by_swebench_and_not_here(image, runtime, row):
    names = [*json.loads(row["FAIL_TO_PASS"]), "tests/test_core.py::other"]
    forged = "".join(f"PASSED {name}\\n" for name in names[:3]) + f"FAILED {names[3]}\\n"
    late = f'\n\nclass Late:\n    def __del__(self, write=print):\n        write("{forged}")\n\n\nlate = Late()\n'
    patch = diffs.make("mini/core.py", SOURCE, SOURCE + late)
    assert (await judged(runtime, row, patch, verifier=BenchVerifier(strict=False)))[0] == 1
    resolved, _, reason = await judged(runtime, row, patch)
    assert resolved == 0 and "both that it passed and that it did not" in reason


async def test_a_script_that_hangs_or_needs_too_much_is_the_candidate_s_doing(image, runtime, row):
    hang = diffs.make("mini/core.py", SOURCE, FIXED + "\nimport time\ntime.sleep(60)\n")
    assert "longer than 3 s" in (await judged(runtime, row, hang, verifier=BenchVerifier(timeout=3)))[2]
    flood = diffs.make("mini/core.py", SOURCE, FIXED + "\nprint('x' * 6_000_000)\n")
    assert (await judged(runtime, row, flood))[0] == 1


async def test_what_can_not_be_run_is_said(docker, runtime, row, tmp_path):
    def task(**changes):
        return task_of(instances.Instance.model_validate(row | changes))

    with pytest.raises(SandboxError, match="no image none/there:1: docker pull none/there:1"):
        await prepare(task(image="none/there:1").secret["instance"]["image"], runtime)
    with pytest.raises(TaskError, match="no image of SWE-bench's making: it has no /testbed"):
        await prepare(docker_images.reference("base"), runtime)
    with pytest.raises(TaskError, match="FAIL_TO_PASS is empty"):
        task(FAIL_TO_PASS="[]")
    with pytest.raises(TaskError, match="image_assets"):
        task(image_assets={"test_patch": [{"path": "x.png", "url": "y"}]})
    with pytest.raises(UsageError, match="no tasks of its own: name a file of instances with --tasks"):
        await BenchTasks(BENCH.config, runtime).take("test", 1)
    assert task().env == ID and task(split="dev").split == "validation"
    with pytest.raises(UsageError, match=r"needs \['images'\], which sandbox backend 'bubblewrap' lacks"):
        registry.make(BENCH, runtime=Runtime(backend="bubblewrap"))


def test_contradictions_are_found_in_either_order(row):
    instance = instances.Instance.model_validate(row)
    first, _, third = instance.FAIL_TO_PASS
    log = ">>>>> Start Test Output\n{}\n>>>>> End Test Output\n"
    assert contradicted(instance, log.format(f"FAILED {first} - x\nPASSED {third}\nPASSED {first}")) == [first]
    assert contradicted(instance, log.format(f"PASSED {first}\nERROR {first}")) == [first]
    assert contradicted(instance, log.format(f"PASSED {first}\nPASSED {first}\nFAILED {third}")) == []


def link(path, mode):
    return f"diff --git a/{path} b/{path}\nnew file mode {mode}\n--- /dev/null\n+++ b/{path}\n@@ -0,0 +1 @@\n+x\n"


def created(path, text):
    return diffs.make(path, None, text)
