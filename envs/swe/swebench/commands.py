"""`agentgym swebench`: predictions out of a store, tasks out of ours, patches tested, logs graded."""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from agentgym.envs.swe import release
from agentgym.envs.swe.release import DATA
from agentgym.envs.swe.swebench import export, instance, predictions
from agentgym.envs.swe.swebench.applying import applied
from agentgym.envs.swe.swebench.bench import instance_of, task_of
from agentgym.envs.swe.swebench.grading import grade
from agentgym.envs.swe.swebench.images import prepare
from agentgym.envs.swe.swebench.instance import Instance, filled
from agentgym.envs.swe.swebench.verifier import BenchVerifier
from agentgym.envs.swe.workspace import notes_text
from agentgym.errors import AgentGymError, TaskError, UsageError
from agentgym.runtime import Runtime
from agentgym.sandboxes.sandbox import SandboxLimits
from agentgym.store import Store
from agentgym.verifier import Evidence

LIMITS = SandboxLimits(memory_bytes=1 << 30, processes=64, disk_bytes=4 << 30)


def main(arguments: Sequence[str]) -> None:
    """Run a command and print what it says, one JSON object. Raises what it raises."""
    given = _parser().parse_args(arguments)
    print(json.dumps(given.run(given), indent=1))


def _predictions(given: argparse.Namespace) -> Any:
    if not (given.store / "trajectories.jsonl").is_file():
        raise UsageError(f"{given.store} is no run's folder: it has no trajectories.jsonl")
    made = predictions.of_trajectories(Store(given.store), given.name or given.store.name, given.sample)
    return {"written": predictions.write(given.out, made), "to": str(given.out)}


def _export(given: argparse.Namespace) -> Any:
    made, left_out = asyncio.run(_exported(given.tasks))
    if given.format == "jsonl":
        count = instance.write(given.out, (each.instance for each in made))
    else:
        count = export.write_repository(given.out, made, given.name)
    return {"written": count, "to": str(given.out), "left_out": left_out}


async def _exported(tasks: Path | None) -> tuple[list[export.Exported], list[str]]:
    """What can be exported, and why the rest can not."""
    made, left_out = [], []
    if tasks is not None and tasks.suffix == ".jsonl":
        return [export.of_instance(each) for each in instance.read(tasks)], []
    for split, entries in release.load(tasks or DATA).items():
        for entry in entries:
            try:
                made.append(await export.of_release(entry, split))
            except TaskError as error:
                left_out.append(str(error))
    return made, left_out


def _grade(given: argparse.Namespace) -> Any:
    """Every instance of the file has one place in the answer."""
    found = predictions.read(given.predictions)
    answer: dict[str, Any] = {"resolved": [], "unresolved": [], "no_prediction": [], "no_log": [], "reports": {}}
    instances = _known(instance.read(given.instances), found)
    for each in instances:
        id = each.instance_id
        log = next(
            (path for path in (given.logs / id / "test_output.txt", given.logs / f"{id}.log") if path.is_file()), None
        )
        if id not in found:
            answer["no_prediction"].append(id)
        elif log is None and found[id].model_patch is not None:
            answer["no_log"].append(id)
        else:
            text = log.read_text(encoding="utf-8", errors="replace") if log else ""
            report = grade(_gradable(each), found[id].model_patch, text)
            answer["resolved" if report.resolved else "unresolved"].append(id)
            answer["reports"][id] = report.row() | ({"why": report.why} if report.why else {})
    return answer


def _gradable(each: Instance) -> Instance:
    return each if each.log_parser and each.eval_type else filled(each)


def _test(given: argparse.Namespace) -> Any:
    found = predictions.read(given.predictions)
    instances = [each for each in _known(instance.read(given.instances), found) if each.instance_id in found]
    verifier = BenchVerifier(strict=not given.as_swebench, timeout=given.timeout)
    return asyncio.run(_tested(instances, found, verifier, given.sandbox))


async def _tested(
    instances: list[Instance], found: dict[str, predictions.Prediction], verifier: BenchVerifier, backend: str
) -> Any:
    """All at once, as far as the runtime has places for verifiers' boxes."""
    answer: dict[str, Any] = {"resolved": [], "unresolved": [], "failed": [], "reasons": {}}
    async with Runtime(backend=backend) as runtime:
        if "images" not in runtime.sandbox_class.capabilities:
            raise UsageError(f"instances run in their images, which the backend {backend!r} does not have: use docker")
        patches = [found[each.instance_id].model_patch for each in instances]
        results = await asyncio.gather(*map(partial(_judged, verifier, runtime), instances, patches))
    for each, (outcome, reason) in zip(instances, results, strict=True):
        answer[outcome].append(each.instance_id)
        answer["reasons"][each.instance_id] = reason
    return answer


async def _judged(verifier: BenchVerifier, runtime: Runtime, each: Instance, patch: str | None) -> tuple[str, str]:
    """What came of one prediction, and why. "failed" is no verdict, which is not the same as a bad one."""
    try:
        task = task_of(each)
        change = await applied(patch or "", await prepare(instance_of(task).image or "", runtime), LIMITS, runtime)
        artefacts = {"patch": change.text, "notes": notes_text(change.notes)}
        evidence = Evidence(task, artefacts, end="submit" if patch is not None else "nothing")
        scores = {score.channel: score for score in await verifier.verify(evidence, runtime)}
    except AgentGymError as error:
        return "failed", str(error)
    return "resolved" if scores["resolved"].value else "unresolved", scores["resolved"].reason


def _known(instances: list[Instance], found: dict[str, predictions.Prediction]) -> list[Instance]:
    if strange := sorted(found.keys() - {each.instance_id for each in instances}):
        raise TaskError(f"predictions for instances that the file does not have: {', '.join(strange[:5])}")
    return instances


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="agentgym swebench", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Any, about: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=about, description=about)
        made.set_defaults(run=run)
        return made

    out = command("predictions", _predictions, "Write the patches of a run's folder as predictions.")
    out.add_argument("store", type=Path)
    out.add_argument("out", type=Path)
    out.add_argument("--name", help="model_name_or_path (default: the folder's name)")
    out.add_argument("--sample", type=int, default=0, help="which episode of each task")

    out = command("export", _export, "Write tasks as 5.x JSON lines or as a task repository.")
    out.add_argument("out", type=Path)
    out.add_argument(
        "--tasks", type=Path, help="a release task file, or instances as .jsonl (default: swe/release-v0's)"
    )
    out.add_argument("--format", choices=("jsonl", "repo"), default="jsonl")
    out.add_argument("--name", default="agentgym/swe-release", help="the data set's name in a task repository")

    out = command("grade", _grade, "Grade logs of test runs: LOGS/ID/test_output.txt or LOGS/ID.log.")
    out.add_argument("instances", type=Path)
    out.add_argument("predictions", type=Path)
    out.add_argument("logs", type=Path)

    out = command("test", _test, "Test predictions in the instances' images, on this machine's Docker daemon.")
    out.add_argument("instances", type=Path)
    out.add_argument("predictions", type=Path)
    out.add_argument("--timeout", type=float, default=1800.0, help="seconds for an instance's script")
    out.add_argument("--as-swebench", action="store_true", help="no look at the patch, all trust in the log")
    out.add_argument("--sandbox", default="docker")
    return parser
