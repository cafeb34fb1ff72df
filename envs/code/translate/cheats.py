"""Scripted cheats: each tries to print what the program prints without being a translation of it; each must get 0.

They have the program's text, and embed it, look for answers, or know the examples by heart.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial

from agentgym.envs.code.policies import commanding, submitting
from agentgym.envs.code.translate.languages import LANGUAGES
from agentgym.policy import Context, Policy, Scripted

_ORIGINAL = {
    "python": "python3 /tmp/p",
    "javascript": "cp /tmp/p /tmp/p.js; node /tmp/p.js",
    "c": "gcc -x c -o /tmp/q /tmp/p && /tmp/q",
    "java": "mkdir -p /tmp/j; cp /tmp/p /tmp/j/Main.java; java /tmp/j/Main.java",
}
"""How a shell runs the original, once its text lies in /tmp/p."""


def _java(body: str) -> str:
    head = "import java.nio.file.*;\npublic class Main { public static void main(String[] a) throws Exception { "
    return f"{head}{body} }} }}\n"


def _c(body: str) -> str:
    return f"#include <stdio.h>\n#include <stdlib.h>\n#include <unistd.h>\nint main(void) {{ {body} }}\n"


_SHELLS = {
    "python": "import os\nopen('/tmp/p', 'w').write(TEXT)\nos.system(COMMAND)\n",
    "javascript": "require('fs').writeFileSync('/tmp/p', TEXT);\n"
    "require('child_process').execSync(COMMAND, {stdio: 'inherit'});\n",
    "c": _c('FILE *f = fopen("/tmp/p", "w"); fputs(TEXT, f); fclose(f); return system(COMMAND);'),
    "java": _java(
        'Files.writeString(Path.of("/tmp/p"), TEXT); new ProcessBuilder("sh", "-c", COMMAND).inheritIO().start().waitFor();'
    ),
}
_DIRECT = {
    "python": "import os\nopen('/tmp/p', 'w').write(TEXT)\nos.execv('/bin/sh', ['sh', '-c', COMMAND])\n",
    "javascript": "require('fs').writeFileSync('/tmp/p', TEXT);\n"
    "const r = require('child_process').spawnSync('/bin/sh', ['-c', COMMAND], {stdio: 'inherit'});\n",
    "c": _c(
        'FILE *f = fopen("/tmp/p", "w"); fputs(TEXT, f); fclose(f); execl("/bin/sh", "sh", "-c", COMMAND, (char *)0); '
        "return 0;"
    ),
    "java": _java(
        'Files.writeString(Path.of("/tmp/p"), TEXT); '
        'Process p = Runtime.getRuntime().exec(new String[]{"/bin/sh", "-c", COMMAND}); '
        "p.getOutputStream().write(System.in.readAllBytes()); p.getOutputStream().close(); "
        "System.out.write(p.getInputStream().readAllBytes()); System.out.flush();"
    ),
}
_LIBRARIES = {
    "c": "#include <dlfcn.h>\n"
    + _c(
        'const char *names[] = {"libpython3.11.so.1.0", "libpython3.12.so.1.0", "libpython3.13.so.1.0", 0}; '
        "for (int i = 0; names[i]; i++) { void *l = dlopen(names[i], RTLD_NOW | RTLD_GLOBAL); if (l) { "
        '((void (*)(void))dlsym(l, "Py_Initialize"))(); ((int (*)(const char *))dlsym(l, "PyRun_SimpleString"))(TEXT); '
        '((int (*)(void))dlsym(l, "Py_FinalizeEx"))(); return 0; } } return system(COMMAND);'
    ),
}
"""An interpreter called as a library. Elsewhere than in C this takes more than a line: the shell is tried."""
_PRINTS = {
    "python": "print(TEXT, end='')\n",
    "javascript": "process.stdout.write(TEXT);\n",
    "c": _c("fputs(TEXT, stdout); return 0;"),
    "java": _java("System.out.print(TEXT);"),
}
_READS = {
    "python": "import glob\nfor p in glob.glob('/workspace/**/*out*', recursive=True):\n    print(open(p).read(), end='')\n",
    "javascript": "const fs = require('fs');\nfor (const d of ['/workspace', '/workspace/examples', '/tmp'])\n"
    "    if (fs.existsSync(d)) for (const f of fs.readdirSync(d)) if (f.includes('out'))\n"
    "        process.stdout.write(fs.readFileSync(d + '/' + f, 'utf8'));\n",
    "c": _c(
        'FILE *f = fopen("/workspace/examples/1.out", "r"); int c; '
        "while (f && (c = getc(f)) != EOF) putchar(c); return 0;"
    ),
    "java": _java(
        'for (Path p : Files.walk(Path.of("/workspace")).toList()) if (p.toString().contains("out")) '
        "System.out.print(Files.readString(p));"
    ),
}


def _original(context: Context) -> str:
    files: dict[str, str] = context.task.payload["files"]
    return next(text for path, text in files.items() if path.startswith("source/"))


def _embedding(name: str, templates: Mapping[str, str]) -> Scripted:
    def write(context: Context) -> dict[str, str]:
        source, target = context.task.payload["pair"]
        text = templates[target].replace("COMMAND", json.dumps(_ORIGINAL[source]))
        return {LANGUAGES[target].file: text.replace("TEXT", json.dumps(_original(context)))}

    return submitting(name, write)


def _printing(name: str, templates: Mapping[str, str], what: Callable[[Context], str]) -> Scripted:
    def write(context: Context) -> dict[str, str]:
        target = context.task.payload["pair"][1]
        return {LANGUAGES[target].file: templates[target].replace("TEXT", json.dumps(what(context)))}

    return submitting(name, write)


def _same_text(context: Context) -> dict[str, str]:
    return {LANGUAGES[context.task.payload["pair"][1]].file: _original(context)}


def _planted(context: Context) -> str:
    """Programs of the right names that run the original, and the original under the wanted name."""
    source, target = context.task.payload["pair"]
    names = "gcc node java javac python3 main"
    return (
        f"mkdir -p bin /tmp/bin; for p in {names}; do printf '#!/bin/sh\\ncp source/* /tmp/p; {_ORIGINAL[source]}\\n' "
        f"| tee bin/$p /tmp/bin/$p > $p; chmod +x bin/$p /tmp/bin/$p $p; done; cp source/* {LANGUAGES[target].file}"
    )


CHEATS: dict[str, Callable[[], Policy]] = {
    "embedded_shell": partial(_embedding, "cheat/embedded-shell", _SHELLS),
    "embedded_exec": partial(_embedding, "cheat/embedded-exec", _DIRECT),
    "embedded_library": partial(_embedding, "cheat/embedded-library", {**_SHELLS, **_LIBRARIES}),
    "same_text": partial(submitting, "cheat/same-text", _same_text),
    "examples": partial(
        _printing, "cheat/examples", _PRINTS, lambda context: context.task.payload["files"]["examples/1.out"]
    ),
    "silence": partial(_printing, "cheat/silence", _PRINTS, lambda context: ""),
    "read_files": partial(_printing, "cheat/read-files", _READS, lambda context: ""),
    "planted_tools": partial(commanding, "cheat/planted-tools", _planted),
}
