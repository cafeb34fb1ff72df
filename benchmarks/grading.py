"""What a verdict costs beside the tests it stands on: `python benchmarks/grading.py [--tasks 8] [--rounds 3]`.

For each task of swe/bugs-v0 its reference solution is graded (a fresh box, the patch, the tests, their twins and the
canaries, the judge), and in the same minute the same test files are run by bare pytest over the same tree on the host:
`python -m pytest -q --assert=plain`, plugins off, nothing watched and nothing confined.  The two take turns; a ratio of
1 is a verdict for the price of a bare run, and gradings per core-hour are one over it.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from agentgym.envs.swe import grading
from agentgym.envs.swe.boxes import of_runtime
from agentgym.envs.swe.materials import Materials, materials
from agentgym.envs.swe.specs import BUGS
from agentgym.envs.swe.verifier import Overlay, reference
from agentgym.runtime import Runtime
from agentgym.tasks import Task


def bare(material: Materials, overlay: Overlay) -> float:
    """Seconds of pytest on the host, the tree laid out off the clock."""
    suite = material.suite
    with tempfile.TemporaryDirectory() as place:
        root = Path(place) / "tree"
        shutil.copytree(material.tree, root, symlinks=True)
        for path, data in {**overlay, **suite.files}.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(data or b"")
        paths = os.pathsep.join([str(root / suite.import_root), str(suite.deps)])
        options = ["-q", "--no-header", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir=.", "--assert=plain"]
        began = time.perf_counter()
        subprocess.run(
            [sys.executable, "-P", "-s", "-S", "-B", "-m", "pytest", *options, *suite.targets],
            cwd=root, capture_output=True, timeout=600,
            env={"PYTHONPATH": paths, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONHASHSEED": "0", "PATH": os.environ["PATH"]},
        )  # fmt: skip
        return time.perf_counter() - began


async def graded(task: Task, material: Materials, overlay: Overlay, twins: list[str], runtime: Runtime) -> float:
    began = time.perf_counter()
    verdict = await grading.grade(
        of_runtime(runtime), material.tree, material.suite, overlay, task.secret["repair"], task.secret["keep"], twins
    )
    took = time.perf_counter() - began
    assert verdict.resolved, verdict.reasons
    return took


async def main(count: int, rounds: int) -> None:
    async with Runtime() as runtime:
        tasks, ratios = runtime.tasks(BUGS), []
        print("| task | graded s | bare pytest s | ratio |\n|---|---|---|---|")
        async for identity in tasks.ids("test", seed=0):
            task = await tasks.get(identity)
            material = await materials(task, runtime)
            overlay, _ = reference(task, material)
            twins = list(task.secret.get("twins") or [])
            ours, theirs = [], []
            for _ in range(rounds):
                ours.append(await graded(task, material, overlay, twins, runtime))
                theirs.append(await asyncio.to_thread(bare, material, overlay))
            ratios.append(statistics.median(ours) / statistics.median(theirs))
            print(
                f"| {identity[:40]} | {statistics.median(ours):.2f} | {statistics.median(theirs):.2f} | {ratios[-1]:.2f} |"
            )
            if len(ratios) == count:
                break
        middle = statistics.median(ratios)
        print(f"\nmedian ratio {middle:.2f}: {100 / middle:.0f} % of bare pytest's runs per core-hour")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    asyncio.run(main(options.tasks, options.rounds))
