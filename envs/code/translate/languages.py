"""The four languages: files, commands, and whether a box has the tools, found out by compiling and running a program."""

from __future__ import annotations

import importlib.resources
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from agentgym.envs.code.boxes import ground
from agentgym.envs.code.verifier import trouble
from agentgym.errors import TaskError
from agentgym.sandboxes.sandbox import WORKSPACE, ExecResult, Sandbox, SandboxLimits

if TYPE_CHECKING:
    from agentgym.runtime import Runtime

LIMITS = SandboxLimits(memory_bytes=1 << 30, processes=128, disk_bytes=64 << 20, file_bytes=32 << 20)
PROGRAMS: Mapping[str, str] = {
    "gcc": "gcc", "node": "nodejs", "javac": "default-jdk-headless", "java": "default-jdk-headless",
}  # fmt: skip
_LOADERS = {"dlopen", "dlmopen", "dlsym", "dlvsym", "__libc_dlopen_mode"}
"""By these a C program could call an interpreter without starting one."""
_JVM = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")


@dataclass(slots=True, frozen=True)
class Language:
    """`file` is what a program must be called; `compile` makes it ready (if need be), `run` runs it.

    `imports` lists the functions of other libraries that a compiled program would call.
    """

    title: str
    file: str
    run: tuple[str, ...]
    probe: str
    compile: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()
    package: str = ""


LANGUAGES = {
    "python": Language("Python 3", "main.py", ("python3", "-s", "-P", "main.py"), "print(input())\n"),
    "c": Language(
        "C (gnu11)",
        "main.c",
        ("./main",),
        "#include <stdio.h>\nint main(void) { int x; return scanf(\"%d\", &x) == 1 && printf(\"%d\\n\", x) ? 0 : 1; }\n",
        ("gcc", "-std=gnu11", "-O1", "-o", "main", "main.c", "-lm"),
        ("nm", "-D", "--undefined-only", "main"),
        "gcc libc6-dev",
    ),
    "javascript": Language(
        "JavaScript (Node)",
        "main.js",
        ("node", "main.js"),
        'console.log(require("fs").readFileSync(0, "utf8").trim());\n',
        package="nodejs",
    ),
    "java": Language(
        "Java",
        "Main.java",
        ("java", *_JVM, "-Xmx256m", "-Xss16m", "Main"),
        "public class Main { public static void main(String[] a) { "
        "System.out.println(new java.util.Scanner(System.in).nextInt()); } }\n",
        ("javac", *(f"-J{option}" for option in _JVM), "-proc:none", "Main.java"),
        package="default-jdk-headless",
    ),
}  # fmt: skip
PAIRS = tuple((source, target) for source in LANGUAGES for target in LANGUAGES if source != target)


def starter() -> str:
    """The program that starts another that can start no third (`alone.py`), as text."""
    return importlib.resources.files("agentgym.envs.code").joinpath("alone.py").read_text()


async def trouble_compiling(box: Sandbox, language: Language, timeout: float) -> str:
    """Make a program that lies in the workspace ready; why it is not ("" if it is)."""
    for argv in filter(None, (language.compile, language.imports)):
        done = await box.exec(argv, cwd=WORKSPACE, timeout=timeout, max_output=1 << 16)
        if why := trouble(done, timeout):
            return why
        names = {word.partition("@")[0] for word in done.stdout.decode("utf-8", "replace").split()}
        if argv == language.imports and (found := sorted(names & _LOADERS)):
            return f"it may load no library: {', '.join(found)}"
    return ""


async def ran(
    box: Sandbox, language: Language, given: str, timeout: float, *, alone: bool = True, most: int = 1 << 16
) -> ExecResult:
    """Run it on an input; `alone`: so that it can start no other program."""
    before = ("python3", "-I", "-S", "-c", starter()) if alone else ()
    argv = [*before, *language.run]
    return await box.exec(argv, cwd=WORKSPACE, stdin=given.encode(), timeout=timeout, max_output=most)


async def missing(runtime: Runtime, names: Iterable[str] = LANGUAGES) -> dict[str, str]:
    """Those of the languages that do not work in this runtime's boxes, and what to do about it. Tried once a runtime."""
    found = {}
    for name in names:
        if why := await runtime.resource(("translate-language", name), partial(_tried, name, runtime)):
            found[name] = why
    return found


async def require(names: Iterable[str], runtime: Runtime) -> None:
    """Raises TaskError, saying what to install, if one of the languages does not work."""
    for name, why in (await missing(runtime, names)).items():
        raise TaskError(f"no tasks with {LANGUAGES[name].title} here: {why}")


async def _tried(name: str, runtime: Runtime) -> str:
    language = LANGUAGES[name]
    spec = ground(PROGRAMS, runtime)
    box = await runtime.sandbox(replace(spec, limits=LIMITS))
    try:
        await box.write(f"{WORKSPACE}/{language.file}", language.probe.encode())
        why = await trouble_compiling(box, language, 60)
        if not why:
            done = await ran(box, language, "42\n", 60)
            why = trouble(done, 60) or ("" if done.stdout == b"42\n" else "a small program does not work")
    finally:
        await runtime.release_sandbox(box)
    how = "python -m agentgym.sandboxes.docker_images code" if spec.image.name != "base" else (
        f"apt-get install {language.package}"
    )  # fmt: skip
    return f"{why.splitlines()[0][:200]} ({how})" if why else ""
