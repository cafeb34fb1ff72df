"""Whether a program really does its work and can really be attacked: run in a box. Tests use it, verdicts do not.

A family's proof defines `works()` and `exploited()`; they run beside the program, in a workspace that holds its files.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from agentgym.envs.code.vuln.program import Program
from agentgym.errors import SandboxError
from agentgym.sandboxes.sandbox import Sandbox

_COMMON = """
import json, os, sys

def write(path, text):
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)

def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()

def call(route, session=None, /, **request):
    return handle({"route": route, **request}, session or {})

def attempt(route, session=None, /, **request):
    try:
        call(route, session, **request)
    except Exception:
        pass
"""

_C = """
import glob, subprocess
subprocess.run(["gcc", "-std=c11", "-O0", "-w", "-o", "program", *sorted(glob.glob("*.c"))], check=True)

def run(text):
    return subprocess.run(["./program"], input=text, capture_output=True, text=True, timeout=10).stdout
"""

_TELL = """
def told(claim):
    try:
        return bool(claim())
    except Exception as error:
        print(repr(error), file=sys.stderr)
        return False

print(json.dumps({"works": told(works), "exploited": told(exploited)}))
"""


@dataclass(slots=True, frozen=True)
class Proof:
    """What came of it; `said` is what went wrong on the way, for people."""

    works: bool
    exploited: bool
    said: str


async def prove(program: Program, box: Sandbox, folder: str) -> Proof:
    """Lay the program out in `folder` (new) of the box's workspace and try it. Raises SandboxError if that fails."""
    for path, text in program.files.items():
        await box.write(f"{folder}/{path}", text.encode())
    script = _COMMON + (_C if program.language == "c" else "sys.path.insert(0, os.getcwd())\n") + program.proof + _TELL
    await box.write(f"{folder}/proof.py", script.encode())
    done = await box.exec(["python3", "-B", "proof.py"], cwd=f"/workspace/{folder}", timeout=60)
    said = done.stderr.decode("utf-8", "replace")
    try:
        told = json.loads(done.stdout.splitlines()[-1])
    except (ValueError, IndexError):
        raise SandboxError(f"the proof of {program.family} did not run: {said[-500:]}") from None
    return Proof(told["works"], told["exploited"], said)
