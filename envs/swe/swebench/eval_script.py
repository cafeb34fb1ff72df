"""The script that tests an instance, between the markers that graders look for. Written here, run in a box elsewhere."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Sequence

START = ">>>>> Start Test Output"
END = ">>>>> End Test Output"
EXIT_CODE = ">>>>> Test Exit Code"
TESTBED = "/testbed"
"""Where an instance's image holds the source tree."""

_VARIABLE = "SWEBENCH_TEST_EXIT_CODE"
_CONDA = "/opt/miniconda3/bin/activate"
_NO_TESTS = (".json", ".png", "csv", ".txt", ".md", ".jpg", ".jpeg", ".pkl", ".yml", ".yaml", ".toml")


def with_exit_code(script: str) -> str:
    """`script` with its own first lines, telling the test command's exit status after the end marker, as 5.0.2 does."""
    lines = [line for line in script.strip().split("\n") if line not in ("#!/bin/bash", "set -uxo pipefail")]
    at = next((number for number, line in enumerate(lines) if END in line), None)
    if at is not None:
        lines.insert(at, f"{_VARIABLE}=$?")
        lines.insert(at + 2, f'echo "{EXIT_CODE}: ${_VARIABLE}"')
    return "\n".join(["#!/bin/bash", "set -uxo pipefail", *lines]) + "\n"


def pytest_script(commit: str, test_patch: str, files: Sequence[str]) -> str:
    """A script for a project that plain pytest tests, in an image of SWE-bench's making."""
    modules = [file for file in files if not file.endswith(_NO_TESTS)]
    return script(
        prepare=[f"source {_CONDA}", "conda activate testbed"],
        commit=commit,
        test_patch=test_patch,
        files=files,
        command=f"pytest -rA {shlex.join(modules)}",
    )


def script(*, prepare: Sequence[str], commit: str, test_patch: str, files: Sequence[str], command: str) -> str:
    """Reset the test files to `commit`, lay `test_patch` over them, run `command` between the markers, reset again.

    `files` are those that `test_patch` touches; what it creates must not be there before.
    """
    paths = shlex.join(files)
    end = f"EOF_{hashlib.sha256(test_patch.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"
    reset = f'for file in {paths}; do git checkout {commit} -- "$file" 2>/dev/null || rm -f -- "$file"; done'
    lines = [
        "#!/bin/bash",
        "set -uxo pipefail",
        *prepare,
        f"cd {TESTBED}",
        f"git config --global --add safe.directory {TESTBED}",
        reset,
        f"git apply -v - <<'{end}'\n{test_patch if test_patch.endswith(chr(10)) else test_patch + chr(10)}{end}",
        f": '{START}'",
        command,
        f": '{END}'",
        reset,
    ]
    return "\n".join(lines) + "\n"
