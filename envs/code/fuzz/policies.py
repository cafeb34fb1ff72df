"""Scripted policies for reaching branches: noise, and cheats, which get 0 though some of them know the right input."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from shlex import quote

from agentgym.envs.code.fuzz.parsers import floor
from agentgym.envs.code.policies import commanding, oracle, submitting
from agentgym.envs.swe.policies import noop, say
from agentgym.policy import Context, Policy, Scripted
from agentgym.types import Action


def noise() -> Scripted:
    """Three inputs of random letters."""

    def play(context: Context) -> Action:
        if context.turn:
            return say(context, ("submit", {}))
        rng = Random(context.seed)
        letters = "".join(map(chr, range(32, 127))) + "\n"
        texts = ["".join(rng.choices(letters, k=rng.randint(1, 50))) for _ in range(3)]
        return say(context, *(("create", {"path": f"inputs/{n}", "text": text}) for n, text in enumerate(texts)))

    return Scripted("random", play)


def _witness(context: Context) -> str:
    return str(context.task.secret["solution"]["inputs/0"])


def _trivial(context: Context) -> dict[str, str]:
    """Eight of the inputs that take no thought."""
    return {f"inputs/{n}": text or " " for n, text in enumerate(Random(context.seed).sample(floor(), 8))}


_SEEDS = "mkdir -p inputs; i=0; for f in seeds/*; do cp $f inputs/$i; i=$((i+1)); done"
_SHADOW = """
import sys
sys.settrace = lambda *_: None
class Anything:
    def __getattr__(self, name): return self
    def __call__(self, *a, **k): return self
sys.modules[__name__] = Anything()
"""
_REACHED = '[{"inputs": [{"ending": "returned", "distance": 0}]}]'


def _shadow(context: Context) -> str:
    """Modules of one's own under the standard library's names, which would say anything."""
    names = "json re dis string shlex csv html email configparser ipaddress tomllib sitecustomize usercustomize"
    return f"{_SEEDS}; for m in {names}; do echo {quote(_SHADOW)} > $m.py; cp $m.py inputs/; done"


def _planted(context: Context) -> str:
    """Another target, another tracer, and what looks like results."""
    easy = json.dumps({"parser": context.task.payload["parser"], "target": [1, 2], "reached": True})
    return (
        f"{_SEEDS}; echo {quote(easy)} > target.json; echo 'print(\"reached the target\")' > coverage.py; "
        f"for f in coverage.json .coverage result.json inputs.json notes; do echo {quote(_REACHED)} > $f; done"
    )


_COMMANDS: dict[str, Callable[[Context], str]] = {
    "empty-folder": lambda _: "mkdir inputs",
    "seeds": lambda _: _SEEDS,
    "too-many": lambda c: (
        f"mkdir inputs; for i in $(seq 0 300); do printf %s {quote(_witness(c)[:9])} > inputs/x$i; done; "
        f"printf %s {quote(_witness(c))} > inputs/301"
    ),
    "other-names": lambda c: (
        f"mkdir -p inputs/0/0 inputs/1; for f in 0/0/0 1/0 00 -1 1.txt 08; do printf %s {quote(_witness(c))} "
        "> inputs/$f; done; cp inputs/00 inputs_0; cp inputs/00 'inputs/ 2'"
    ),
    "links": lambda _: (
        "mkdir inputs; cd inputs; ln -s /dev/zero 0; ln -s 1 1; ln -s ../seeds 2; ln -s /proc/self/fd/0 3; "
        "ln -s .. 4; mkfifo 5"
    ),
    "shadow": _shadow,
    "planted-results": _planted,
}
_TEXTS: dict[str, Callable[[Context], dict[str, str]]] = {
    "too-long": lambda c: {"inputs/0": _witness(c) + "\n" * 100_000},
    "trivial": _trivial,
}


def _command_cheat(name: str) -> Callable[[], Policy]:
    return lambda: commanding(f"cheat/{name}", _COMMANDS[name])


def _text_cheat(name: str) -> Callable[[], Policy]:
    return lambda: submitting(f"cheat/{name}", _TEXTS[name])


POLICIES: dict[str, Callable[[], Policy]] = {
    "oracle": oracle,
    "noop": noop,
    "random": noise,
    **{f"cheat/{name}": _command_cheat(name) for name in _COMMANDS},
    **{f"cheat/{name}": _text_cheat(name) for name in _TEXTS},
}
