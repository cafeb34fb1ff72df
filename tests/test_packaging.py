"""What is shipped: one import package with everything in it, light to import, open to plug-ins from outside the tree."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
pytestmark = pytest.mark.slow
FOLDERS = ("envs", "sandboxes", "trainers", "evals")


def python(code: str, cwd: Path, **variables: str) -> str:
    """What `code` prints in a new interpreter."""
    environment = {**os.environ, **variables}
    done = subprocess.run([sys.executable, "-c", code], cwd=cwd, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel, built from a copy so that nothing is left in the tree."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    tracked = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(tracked, capture_output=True, check=True).stdout.split(b"\0")
    present = b"\0".join(name for name in names if name and (ROOT / name.decode()).exists())
    copy = f"tar -C {ROOT} --null -T - -cf - | tar -C {source} -xf -"
    subprocess.run(["sh", "-c", copy], input=present, check=True)
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(source)]
    done = subprocess.run(build, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return zipfile.ZipFile(next(out.glob("*.whl")))


def test_the_wheel_holds_one_package_with_everything(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"agentgym"}
    assert "agentgym/py.typed" in names
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in (".py", ".json") and "__pycache__" not in path.parts:
                assert f"agentgym/{path.relative_to(ROOT).as_posix()}" in names
    for path in (ROOT / "docker").glob("*/Dockerfile"):
        assert f"agentgym/images/{path.relative_to(ROOT / 'docker').as_posix()}" in names


def test_the_wheel_works_from_its_own_files(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    wheel.extractall(tmp_path)
    code = (
        "import agentgym, agentgym.evals.metrics, agentgym.sandboxes.sandbox as s, agentgym.sandboxes.docker_images as d\n"
        "print(agentgym.__file__, s.__file__, d._folder())"
    )
    for file in python(code, Path("/"), PYTHONPATH=str(tmp_path)).split():
        assert file.startswith(str(tmp_path))


def test_the_top_level_folders_are_never_modules_of_their_own() -> None:
    code = """
import json, pkgutil, sys, agentgym
from importlib import import_module
for module in pkgutil.walk_packages(agentgym.__path__, "agentgym."):
    if "trainers" not in module.name and not module.name.endswith("__main__"):
        import_module(module.name)
print(json.dumps(sorted(sys.modules)))
"""
    modules = set(json.loads(python(code, ROOT)))
    assert "agentgym.sandboxes.sandbox" in modules
    assert not modules & set(FOLDERS)


def test_the_docker_folder_is_not_taken_for_the_sdk(tmp_path: Path) -> None:
    blocked = (
        "import sys\nsys.modules.pop('docker', None)\nsys.path[:] = [p for p in sys.path if 'site-packages' not in p]\n"
    )
    code = "import docker; print(getattr(docker, '__file__', None), hasattr(docker, 'from_env'))"
    assert python(blocked + code, ROOT).split() == ["None", "False"], "the folder passes as a namespace package here"
    finding = python(
        "import json\nfrom agentgym import backends\n"
        "print(json.dumps({name: backends.load(name).unavailable() for name in backends.names()}))",
        ROOT,
    )
    for name, why in json.loads(finding).items():
        assert why is None or "from_env" not in why, f"{name} took the folder for the SDK"


def test_importing_the_core_is_light_and_does_nothing(tmp_path: Path) -> None:
    code = """
import json, os, sys, threading, warnings
before = set(os.environ.items())
import agentgym
for name in agentgym.__all__:
    getattr(agentgym, name)
heavy = {"torch", "transformers", "trl", "docker", "playwright", "openai", "typer", "rich", "numpy"} & set(sys.modules)
print(json.dumps([sorted(heavy), before == set(os.environ.items()), threading.active_count(), os.listdir(".")]))
"""
    assert json.loads(python(code, tmp_path, AGENTGYM_CACHE=str(tmp_path / "cache"))) == [[], True, 1, []]


def test_importing_the_core_is_fast(tmp_path: Path) -> None:
    code = "import time\nt = time.process_time()\nimport agentgym; agentgym.make, agentgym.collect\nprint(time.process_time() - t)"
    assert min(float(python(code, tmp_path)) for _ in range(3)) < 0.4


def test_a_plugin_from_outside_the_tree_is_listed_and_made(tmp_path: Path) -> None:
    project, site = tmp_path / "project", tmp_path / "site"
    project.mkdir()
    (project / "outsider.py").write_bytes((ROOT / "tests" / "cli" / "toy.py").read_bytes())
    (project / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
        '[project]\nname = "outsider"\nversion = "1"\n'
        '[project.entry-points."agentgym.environments"]\n"toy/echo-v0" = "outsider:SPEC"\n'
        '[tool.setuptools]\npy-modules = ["outsider"]\n'
    )
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*install, "--target", str(site), str(project)], check=True, capture_output=True)
    code = """
import asyncio, agentgym
from agentgym.testing import check_environment
async def main():
    env = agentgym.make("toy/echo-v0", number=6)
    observation, _ = await env.reset(seed=1)
    report = await check_environment("toy/echo-v0", limit=2)
    print("toy/echo-v0" in agentgym.ids(), observation.messages[0].text.startswith("Say word"), report.passed)
asyncio.run(main())
"""
    assert python(code, tmp_path, PYTHONPATH=str(site)).split() == ["True", "True", "True"]
