"""Our release tasks as instances: swebench's own tool finds nothing wrong with them, and in an image they tell a repair."""

import asyncio
import io
import json
import tarfile

import pytest

from agentgym.envs.swe import release
from agentgym.envs.swe.boxes import of_backend, python_of
from agentgym.envs.swe.swebench import export
from agentgym.envs.swe.swebench import instance as instances
from agentgym.envs.swe.swebench.commands import main
from agentgym.envs.swe.swebench.images import derived
from agentgym.envs.swe.testdeps import test_deps as deps_of
from agentgym.errors import AgentGymError, TaskError
from agentgym.sandboxes import docker_daemon, docker_images
from agentgym.sandboxes.docker import Docker
from agentgym.store import Store
from agentgym.types import EpisodeKey, Trajectory
from tests.envs.swe.swebench.logs import END, START

TASK = "cachetools__7.3.0__7.3.1"
INSTALL = "RUN pip install --no-cache-dir --no-deps -r /tmp/requirements.txt\n"
SITE = (
    'COPY site /opt/site\nRUN python3 -c "import os, site; folder = site.getsitepackages()[0]; '
    "os.makedirs(folder, exist_ok=True); open(folder + '/site.pth', 'w').write('/opt/site')\"\n"
)


@pytest.fixture
def tasks(tmp_path):
    """A task file with one release."""
    [entry] = [entry for entry in json.loads(release.DATA.read_text())["train"] if entry["id"] == TASK]
    (tmp_path / "tasks.json").write_text(json.dumps({"train": [entry]}))
    return tmp_path / "tasks.json"


@pytest.fixture
def run(capfd):
    """Runs the command: 0 and what it printed, or 1 and what it raised."""

    def ran(*arguments):
        try:
            main([str(each) for each in arguments])
        except AgentGymError as error:
            return 1, str(error)
        return 0, json.loads(capfd.readouterr().out)

    return ran


def test_swebench_reads_what_we_write(theirs, run, tasks, tmp_path):
    assert run("export", tmp_path / "out.jsonl", "--tasks", tasks)[1]["left_out"] == []
    assert run("export", tmp_path / "repo", "--tasks", tasks, "--format", "repo")[1]["written"] == 1
    again = tmp_path / "again"
    assert run("export", again, "--tasks", tmp_path / "out.jsonl", "--format", "repo", "--name", "me/mine")[0] == 0
    [row] = map(json.loads, (tmp_path / "out.jsonl").read_text().splitlines())
    assert instances.read(tmp_path / "out.jsonl")[0].missing == []
    for answer, name in zip(
        theirs(check=[str(tmp_path / "repo"), str(again)])["check"], ("agentgym/swe-release", "me/mine"), strict=True
    ):
        assert answer["problems"] == []
        [loaded] = answer["instances"]
        assert loaded.pop("datasets") == [name] and loaded.pop("split") in ("train", "test")
        assert loaded.pop("hints_text") == ""
        lists = {key: json.loads(row[key]) for key in ("FAIL_TO_PASS", "PASS_TO_PASS")}
        assert loaded == {key: value for key, value in (row | lists).items() if key != "hints_text"}
    assert (again / "tasks" / TASK / "Dockerfile").read_text() == f"FROM {row['image']}\n"


def test_what_is_written_is_the_user_s_own_copy(run, tasks, tmp_path):
    run("export", tmp_path / "repo", "--tasks", tasks, "--format", "repo")
    files = [path for path in (tmp_path / "repo").rglob("*") if path.is_file()]
    assert len(files) > 20 and all(path.stat().st_nlink == 1 for path in files)
    status, said = run("export", tmp_path / "repo", "--tasks", tasks, "--format", "repo")
    assert status == 1 and "is there already: name a new or empty folder" in said


async def test_ids_that_a_log_can_not_carry(tasks):
    [task] = release.load(tasks)["train"]
    odd = ["t.py::two  spaces", "t.py::tab\there", "t.py::ends ", "t.py::[31m"]
    made = await export.of_release(
        task.model_copy(update={"PASS_TO_PASS": [*odd, "t.py::p[a - b]", *task.PASS_TO_PASS]}), "train"
    )
    assert ["t.py::p[a - b]", *task.PASS_TO_PASS] == made.instance.PASS_TO_PASS
    with pytest.raises(TaskError, match=r"a log can not carry the test 't.py::two  spaces'"):
        await export.of_release(task.model_copy(update={"FAIL_TO_PASS": odd}), "train")


def test_grades_on_the_command_line(run, tmp_path, instance):
    made = [instance(instance_id=f"owner__name-{number}") for number in range(5)]
    instances.write(tmp_path / "i.jsonl", made)
    patches = {0: "x", 1: "x", 2: "x", 3: None}
    rows = [{"instance_id": f"owner__name-{number}", "model_patch": patch} for number, patch in patches.items()]
    (tmp_path / "p.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    logs = tmp_path / "logs"
    (logs / "owner__name-0").mkdir(parents=True)
    (logs / "owner__name-0" / "test_output.txt").write_text(f"{START}\nPASSED t.py::a\nPASSED t.py::b\n{END}\n")
    (logs / "owner__name-1.log").write_bytes(b"\xff no markers")
    status, said = run("grade", tmp_path / "i.jsonl", tmp_path / "p.jsonl", logs)
    assert status == 0 and {key: [each[-1] for each in said[key]] for key in said if key != "reports"} == {
        "resolved": ["0"], "unresolved": ["1", "3"], "no_prediction": ["4"], "no_log": ["2"],
    }  # fmt: skip
    assert "both markers" in said["reports"]["owner__name-1"]["why"]
    (tmp_path / "p.jsonl").write_text(json.dumps({"instance_id": "other", "model_patch": ""}))
    status, said = run("grade", tmp_path / "i.jsonl", tmp_path / "p.jsonl", logs)
    assert status == 1 and "predictions for instances that the file does not have: other" in said


def test_predictions_on_the_command_line(run, tmp_path):
    key = EpisodeKey("run", "owner__name-1")
    Store(tmp_path / "run").append(Trajectory(key, "x", "", 0, "", [], "scored", "submit", artefacts={"patch": "diff"}))
    assert run("predictions", tmp_path / "run", tmp_path / "p.jsonl")[1]["written"] == 1
    wanted = {"instance_id": "owner__name-1", "model_name_or_path": "run", "model_patch": "diff"}
    assert json.loads((tmp_path / "p.jsonl").read_text()) == wanted
    status, said = run("predictions", tmp_path / "none", tmp_path / "p.jsonl")
    assert status == 1 and "is no run's folder" in said and not (tmp_path / "none").exists()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_an_exported_task_tells_a_repair_in_its_image(docker, run, tasks, tmp_path, request):
    run("export", tmp_path / "i.jsonl", "--tasks", tasks)
    run("export", tmp_path / "repo", "--tasks", tasks, "--format", "repo")
    [made] = instances.read(tmp_path / "i.jsonl")
    build(tmp_path / "repo" / "tasks" / TASK, made.image)
    request.addfinalizer(lambda: remove(made.image))
    note = "diff --git a/NOTE b/NOTE\nnew file mode 100644\n--- /dev/null\n+++ b/NOTE\n@@ -0,0 +1 @@\n+note\n"
    for patch, answer, why in (
        (made.patch, "resolved", ""),
        (note, "unresolved", "not repaired: "),
        ("", "unresolved", "nothing"),
    ):
        (tmp_path / "p.jsonl").write_text(json.dumps({"instance_id": TASK, "model_patch": patch}))
        status, said = run("test", tmp_path / "i.jsonl", tmp_path / "p.jsonl", "--timeout", 120)
        assert status == 0 and said[answer] == [TASK] and said["reasons"][TASK].startswith(why), said


def remove(image):
    daemon = docker_daemon.current()
    for name in (image, derived(daemon.ask("inspect_image", image)["Id"])):
        daemon.ask("remove_image", name, force=True)


def build(folder, image):
    """The image as the folder's Dockerfile says, but for what it would fetch: that is taken from the cache."""
    text = (folder / "Dockerfile").read_text()
    assert INSTALL in text
    text = text.replace(INSTALL, SITE).replace("python:3.11-slim", docker_images.reference("base"))
    site = asyncio.run(_site())
    context = io.BytesIO()
    with tarfile.open(fileobj=context, mode="w") as tar:
        tar.add(folder, ".")
        tar.add(site, "site")
        member = tarfile.TarInfo("Dockerfile")
        member.size = len(text.encode())
        tar.addfile(member, io.BytesIO(text.encode()))
    context.seek(0)
    api = docker_daemon.current().api
    steps = api.build(
        fileobj=context, custom_context=True, tag=image, network_mode="none", rm=True, forcerm=True, decode=True
    )
    said = list(steps)
    assert not any("error" in step for step in said), said


async def _site():
    try:
        return await deps_of(await python_of(of_backend(Docker)))
    finally:
        await Docker.tidy()
