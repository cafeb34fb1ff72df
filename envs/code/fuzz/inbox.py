"""Runs inputs under a tracer and measures how near they come to a target. Runs in boxes, after `harnesses.py`.

Nodes are the lines of a parser's module that stand in functions; edges are what the bytecode can do from line to line
(jumps, falling through, exception handlers), and calls to functions of the module by name.  A target is a dynamic arc
(line, next line in the same frame).  Each input runs in a process of its own, so none can spoil the next.

Two uses: with files as arguments it tells an agent how near they come to the target in `target.json`; without, it reads
a job from standard input and writes what came of it to standard output.
"""

from __future__ import annotations

import base64
import contextlib
import dis
import hashlib
import importlib
import json
import os
import resource
import select
import signal
import sys
import time
from collections import deque

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType, FrameType
    from typing import Any

    from agentgym.envs.code.fuzz.harnesses import HARNESSES

    Arcs = set[tuple[int, int]]

MAX_STEPS = 400_000
CPU_S = 5
WALL_S = 60.0
MEMORY = 256 << 20
_END = (
    "JUMP_FORWARD",
    "JUMP_BACKWARD",
    "JUMP_BACKWARD_NO_INTERRUPT",
    "RETURN_VALUE",
    "RETURN_CONST",
    "RAISE_VARARGS",
    "RERAISE",
)
_NAMES = ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_ATTR", "LOAD_METHOD", "LOAD_DEREF", "LOAD_FAST", "LOAD_SUPER_ATTR")


class Module:
    """A parser's module: its file, text and graph."""

    def __init__(self, parser: str) -> None:
        name, self.harness = HARNESSES[parser]
        self.path = str(importlib.import_module(name).__file__)
        with open(self.path, "rb") as file:
            raw = file.read()
        self.sha256 = hashlib.sha256(raw).hexdigest()
        self.source = raw.decode()
        self.edges = line_graph(compile(self.source, self.path, "exec"))

    def branches(self, arcs: Arcs) -> list[tuple[int, int]]:
        """Those arcs that the graph knows and that were a choice."""
        return sorted(arc for arc in arcs if arc[1] in self.edges.get(arc[0], ()) and len(self.edges[arc[0]]) > 1)

    def hops_to(self, line: int) -> dict[int, int]:
        """From each line how many edges lie between it and `line`; lines without a way are left out."""
        into: dict[int, set[int]] = {}
        for start, ends in self.edges.items():
            for end in ends:
                into.setdefault(end, set()).add(start)
        hops, waiting = {line: 0}, deque([line])
        while waiting:
            here = waiting.popleft()
            for before in into.get(here, ()):
                if before not in hops:
                    hops[before] = hops[here] + 1
                    waiting.append(before)
        return hops


def line_graph(module: CodeType) -> dict[int, set[int]]:
    functions = [code for code in all_code(module) if code.co_flags & 1]  # CO_OPTIMIZED: not modules, not class bodies
    entries: dict[str, set[int]] = {}
    for code in functions:
        owner = code.co_qualname.split(".")[-2:] if code.co_name == "__init__" else [code.co_name]
        entries.setdefault(owner[0], set()).add(code.co_firstlineno)
    edges: dict[int, set[int]] = {}
    for code in functions:
        add_flow(code, edges, entries)
    return edges


def all_code(code: CodeType) -> list[CodeType]:
    found = [code]
    for constant in code.co_consts:
        if hasattr(constant, "co_code"):
            found += all_code(constant)
    return found


def add_flow(code: CodeType, edges: dict[int, set[int]], entries: dict[str, set[int]]) -> None:
    steps = list(dis.get_instructions(code))
    lines: dict[int, int] = {}
    line = code.co_firstlineno
    for step in steps:
        line = (step.positions.lineno if step.positions else None) or line
        lines[step.offset] = line

    def link(start: int, end: int) -> None:
        if start != end:
            edges.setdefault(start, set()).add(end)

    for step, after in zip(steps, [*steps[1:], None], strict=True):
        here = lines[step.offset]
        if after is not None and step.opname not in _END:
            link(here, lines[after.offset])
        if step.opcode in dis.hasjrel or step.opcode in dis.hasjabs:
            link(here, lines[step.argval])
        if step.opname in _NAMES:
            for entry in entries.get(str(step.argval).rpartition(" + ")[2], ()):
                link(here, entry)
    for handler in dis._parse_exception_table(code):  # type: ignore[attr-defined]
        for step in steps:
            if handler.start <= step.offset < handler.end:
                link(lines[step.offset], lines[handler.target])


def run_input(module: Module, data: bytes) -> tuple[str, Arcs]:
    """How one input ended, in words, and the arcs that it took; run in a child process."""
    output, handle = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(output)
        try:
            traced(module, data, handle)
        finally:
            os._exit(70)
    os.close(handle)
    told, deadline = bytearray(), time.monotonic() + WALL_S
    while (left := deadline - time.monotonic()) > 0 and select.select([output], [], [], left)[0]:
        part = os.read(output, 1 << 16)
        if not part:
            break
        told += part
    os.close(output)
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    _, state, usage = os.wait4(child, 0)
    if told.endswith(b"\n"):
        ending, arcs = json.loads(told)
        return ending, {(start, end) for start, end in arcs}
    if left <= 0 and usage.ru_utime + usage.ru_stime < CPU_S / 2:
        return "starved", set()
    return ("hangs" if os.waitstatus_to_exitcode(state) in (-signal.SIGXCPU, -signal.SIGKILL) else "dies"), set()


def traced(module: Module, data: bytes, handle: int) -> None:
    """In the child: run the harness and report. Does not return."""
    null = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(null, number)
    for what, most in ((resource.RLIMIT_CPU, CPU_S), (resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_CORE, 0)):
        resource.setrlimit(what, (most, most))
    arcs: Arcs = set()
    steps = 0

    def report(ending: str) -> None:
        sys.settrace(None)
        text = json.dumps([ending, sorted(arcs)]).encode() + b"\n"
        while text:
            text = text[os.write(handle, text) :]
        os._exit(0)

    def enter(frame: FrameType, event: str, argument: Any) -> Any:
        if frame.f_code.co_filename != module.path:
            return None
        before = frame.f_lineno

        def step(frame: FrameType, event: str, argument: Any) -> Any:
            nonlocal before, steps
            if event == "line":
                steps += 1
                if steps > MAX_STEPS:
                    arcs.clear()
                    report("hangs")
                arcs.add((before, frame.f_lineno))
                before = frame.f_lineno
            return step

        return step

    ending = "returned"
    text = data.decode("utf-8", "surrogateescape")
    sys.settrace(enter)
    try:
        module.harness(text)
    except BaseException as error:
        ending = f"raised {type(error).__name__}"
    report(ending)


def measure(module: Module, target: tuple[int, int], data: bytes, hops: dict[int, int]) -> dict[str, Any]:
    """How one input did: `distance` is 0 at the target, else 1 more than the hops to its line; None without a way."""
    ending, arcs = run_input(module, data)
    reached = target in arcs
    near = min((hops[line] for arc in arcs for line in arc if line in hops), default=None)
    return {"ending": ending, "distance": 0 if reached else None if near is None else near + 1}


def answer(job: dict[str, Any]) -> dict[str, Any]:
    module = Module(job["parser"])
    inputs = [base64.b64decode(data) for data in job["inputs"]]
    told: dict[str, Any] = {"path": module.path, "sha256": module.sha256, "python": sys.version}
    if "target" in job:
        target = (job["target"][0], job["target"][1])
        hops = module.hops_to(target[0])
        return {**told, "inputs": [measure(module, target, data, hops) for data in inputs]}
    runs = [run_input(module, data) for data in inputs]
    branches = [[ending, module.branches(arcs)] for ending, arcs in runs]
    return {**told, "source": module.source, "inputs": branches}


def advise(paths: list[str]) -> None:
    """For an agent: how near each file comes to the target."""
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "target.json")) as file:
        job = json.load(file)
    module, target = Module(job["parser"]), (job["target"][0], job["target"][1])
    hops = module.hops_to(target[0])
    for path in paths:
        with open(path, "rb") as file:
            told = measure(module, target, file.read(), hops)
        steps = told["distance"]
        away = {None: "no way to the target", 0: "reached the target"}.get(steps, f"distance {steps}")
        print(f"{path}: {told['ending']}, {away}")


def main() -> None:
    if len(sys.argv) > 1:
        advise(sys.argv[1:])
    else:
        json.dump([answer(job) for job in json.load(sys.stdin)], sys.stdout)


if __name__ == "__main__":
    main()
