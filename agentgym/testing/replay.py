"""Replay in a new process: stored actions played again from nothing must show the same, with another hash seed.

`replay` asks a child process (`python -m agentgym.testing.replay`) for the traces.  How traces are compared is
`trace`'s business.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from types import ModuleType
from typing import Any

from agentgym.envspec import EnvSpec
from agentgym.errors import AgentGymError, UsageError
from agentgym.registry import make
from agentgym.registry import spec as spec_of
from agentgym.runtime import Runtime
from agentgym.seeds import derive_seed
from agentgym.tasks import Task
from agentgym.testing.trace import Trace, drive
from agentgym.types import Action, ToolCall, Trajectory

_CHILD_GRACE_S = 20.0


@dataclass(slots=True)
class Job:
    """One episode to be played again."""

    task: Task
    seed: int
    actions: list[Action]
    end: str = ""
    masked: bool = False

    @classmethod
    def of(cls, trajectory: Trajectory, task: Task) -> Job:
        actions = [replace(turn.action, sample=None) for turn in trajectory.turns]
        seed = derive_seed("environment", trajectory.seed, task.id)
        return cls(task, seed, actions, trajectory.end, trajectory.status == "masked")


@dataclass(slots=True)
class Request:
    """What the child is told. `path` makes it import what its parent can import."""

    env: str
    module: str
    file: str
    config: dict[str, Any]
    spec_hash: str
    backend: str
    concurrency: int
    path: list[str]
    jobs: list[Job]


async def play(spec: EnvSpec, job: Job, runtime: Runtime) -> Trace:
    """`job` played again in this process."""
    env = make(spec, runtime=runtime)
    return await drive(env, job.task, job.seed, job.actions, end=job.end, masked=job.masked)


async def replay(spec: EnvSpec, jobs: Sequence[Job], runtime: Runtime, concurrency: int = 8) -> list[Trace | str]:
    """Each job's trace as a new process gives it, or what went wrong there.

    Raises UsageError if a new process can not find the spec: one that is no entry point must be a variable of a module.
    """
    module = _home(spec)
    backend = runtime.sandbox_class.name if spec.needs else runtime.backend
    request = Request(
        spec.id,
        module.__name__ if module else "",
        getattr(module, "__file__", None) or "",
        spec.config.model_dump(mode="json"),
        spec.hash,
        backend,
        concurrency,
        [path or os.getcwd() for path in sys.path],
        list(jobs),
    )
    answer = await _ask_child(json.dumps(asdict(request)).encode())
    return [item if isinstance(item, str) else Trace(**item) for item in answer]


async def _ask_child(request: bytes) -> list[Any]:
    environment = {**os.environ, "PYTHONHASHSEED": "random"}
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "agentgym.testing.replay"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment,
    )
    try:
        output, errors = await child.communicate(request)
    finally:
        await _end(child)
    if child.returncode:
        raise UsageError(f"the replaying process failed: {errors.decode(errors='replace').strip()[-2000:]}")
    answer: list[Any] = json.loads(output)
    return answer


async def _end(child: asyncio.subprocess.Process) -> None:
    if child.returncode is None:
        child.terminate()
        try:
            async with asyncio.timeout(_CHILD_GRACE_S):
                await child.wait()
        except TimeoutError:
            child.kill()


def _home(spec: EnvSpec) -> ModuleType | None:
    """The module that holds the spec in a variable, the one that defines its class first."""
    first = sys.modules.get(spec.entry.__module__)
    modules = ([first] if first else []) + [module for module in sys.modules.values() if module is not None]
    return next((module for module in modules if _spec_in(module, spec.id)), None)


def _spec_in(module: ModuleType, id: str) -> EnvSpec | None:
    values = list(vars(module).values())
    return next((value for value in values if isinstance(value, EnvSpec) and value.id == id), None)


# ---- the child ------------------------------------------------------------------------------------------------------


def _find_spec(request: Request) -> EnvSpec:
    found = _spec_in(_load(request.module, request.file), request.env) if request.module else spec_of(request.env)
    spec = (found or spec_of(request.env)).configure(**request.config)
    if spec.hash != request.spec_hash:
        raise UsageError(f"{request.env} has another spec hash in a new process: it is not made the same way twice")
    return spec


def _load(name: str, file: str) -> ModuleType:
    name = "__agentgym_main__" if name == "__main__" else name
    try:
        module = importlib.import_module(name)
        if getattr(module, "__file__", None) == file:
            return module
    except ImportError:
        pass
    found = importlib.util.spec_from_file_location(name, file)
    if found is None or found.loader is None:
        raise UsageError(f"a new process can not import {name} from {file or 'nowhere'}")
    module = importlib.util.module_from_spec(found)
    sys.modules[name] = module
    found.loader.exec_module(module)
    return module


async def _play_all(request: Request) -> list[Any]:
    spec = _find_spec(request)
    gate = asyncio.Semaphore(request.concurrency)

    async def one(job: Job) -> Any:
        async with gate:
            try:
                trace = await play(spec, job, runtime)
                trace.task_hash = await _own_hash(runtime, spec, job.task)
                return asdict(trace)
            except Exception as error:
                return f"{type(error).__name__}: {error}"

    async with Runtime(backend=request.backend) as runtime:
        return await asyncio.gather(*(one(job) for job in request.jobs))


async def _own_hash(runtime: Runtime, spec: EnvSpec, task: Task) -> str:
    """The hash of the task as this process makes it, if its set has it: tasks must not change between processes."""
    try:
        return (await runtime.tasks(spec).get(task.id)).hash
    except AgentGymError:
        return task.hash


def main() -> None:
    """Read a Request from stdin, answer on stdout; what environments print goes to stderr."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    raw = json.load(sys.stdin)
    sys.path[:] = raw["path"]
    request = Request(**{**raw, "jobs": [_job(job) for job in raw["jobs"]]})
    json.dump(asyncio.run(_play_all(request)), out)
    out.close()


def _job(raw: dict[str, Any]) -> Job:
    """Not through pydantic: what a model wrote may hold lone surrogates, which it refuses."""
    actions = [
        Action(action["text"], tuple(ToolCall(**call) for call in action["calls"]), action["reasoning"])
        for action in raw["actions"]
    ]
    return Job(
        Task(**{**raw["task"], "tags": tuple(raw["task"]["tags"])}), raw["seed"], actions, raw["end"], raw["masked"]
    )


if __name__ == "__main__":
    main()
