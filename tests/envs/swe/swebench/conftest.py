"""swebench 5.0.2 in a virtual environment of its own, and instances to ask it about."""

import json
import subprocess
import venv
from pathlib import Path

import pytest

from agentgym.envs.swe.packages import pip
from agentgym.envs.swe.swebench.instance import Instance

VERSION = "5.0.2"
DRIVER = Path(__file__).with_name("theirs.py")


def environment(folder, *options):
    """The interpreter of a new virtual environment with swebench in it."""
    venv.create(folder, with_pip=False)
    python = str(folder / "bin" / "python")
    command = [*pip(), "--python", python, "install", "--quiet", *options, f"swebench=={VERSION}"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        pytest.fail(f"swebench can not be installed with pip:\n{done.stderr[-2000:]}")
    return python


def asker(python, *flags):
    """Asks the swebench of that interpreter: `ask(grade=[...], parse=[...], check=[...])`."""

    def ask(**questions):
        command = [python, str(DRIVER), *flags]
        done = subprocess.run(command, input=json.dumps(questions), capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return ask


@pytest.fixture(scope="session")
def theirs(tmp_path_factory):
    """swebench's grader, its parsers and the check of its task layout: what needs little else."""
    return asker(environment(tmp_path_factory.mktemp("swebench") / "venv", "--no-deps", "PyYAML", "unidiff"))


@pytest.fixture(scope="session")
def theirs_whole(tmp_path_factory):
    """The same with everything that swebench depends on: half a gigabyte."""
    return asker(environment(tmp_path_factory.mktemp("swebench") / "whole"), "--whole")


@pytest.fixture
def instance():
    """Makes an instance with all of 5.x's fields."""

    def made(**fields):
        given = {
            "instance_id": "owner__name-1",
            "repo": "owner/name",
            "base_commit": "0" * 40,
            "patch": "",
            "test_patch": "",
            "problem_statement": "It does not work.",
            "version": "1.0",
            "FAIL_TO_PASS": ["t.py::a"],
            "PASS_TO_PASS": ["t.py::b"],
            "image": "swebench/sweb.eval.x86_64.owner_1776_name-1:latest",
            "eval_script": "#!/bin/bash\n",
            "log_parser": "parse_log_pytest_v2",
            "eval_type": "pass_and_fail",
        }
        return Instance.model_validate(given | fields)

    return made
