"""`swe/bench` as the registry knows it, and its own scripted policy."""

from __future__ import annotations

from agentgym.envs.swe.normalise import normalise
from agentgym.envs.swe.policies import in_turn
from agentgym.envs.swe.rubric import rubric
from agentgym.envs.swe.specs import POLICIES
from agentgym.envs.swe.swebench.bench import BenchConfig, BenchEnvironment, BenchTasks, instance_of
from agentgym.envs.swe.swebench.eval_script import TESTBED
from agentgym.envs.swe.swebench.verifier import BenchVerifier
from agentgym.envspec import EnvSpec
from agentgym.policy import Policy
from agentgym.types import Limits

OPEN = ("cheat/knowing-equal",)
"""What gets through here: an object that is equal to whatever a test compares it with, which only a twin would notice."""
_PATCH = ".oracle.patch"
_APPLY = f"cd {TESTBED} && (git apply {_PATCH} || patch --batch -p1 -i {_PATCH}); rm {_PATCH}"


def oracle() -> Policy:
    """Applies the reference patch with what the image has for it, renames and all, then submits."""
    return in_turn(
        "oracle",
        lambda context: [
            [("create", {"path": _PATCH, "text": instance_of(context.task).patch})],
            [("shell", {"command": _APPLY})],
        ],
    )


BENCH = EnvSpec(
    id="swe/bench-v0",
    entry=BenchEnvironment,
    tasks=BenchTasks,
    verifier=BenchVerifier(),
    rubric=rubric(),
    config=BenchConfig(),
    limits=Limits(turns=100, call_s=90.0, output_chars=10_000),
    forking="native",
    determinism="normalised",
    verifies="sandbox",
    needs=frozenset({"network_off", "memory", "processes", "images"}),
    policies={name: play for name, play in POLICIES.items() if name not in OPEN} | {"oracle": oracle},
    normalise=normalise,
    description="Instances of SWE-bench from a file of yours (--tasks), in their images, graded as swebench 5.0.2 does.",
)
