"""Prover environments as the registry knows them."""

from __future__ import annotations

from agentgym.envs.prover.cheats import CHEATS
from agentgym.envs.prover.config import ProverConfig
from agentgym.envs.prover.environment import ProverEnvironment
from agentgym.envs.prover.lean.config import LeanConfig
from agentgym.envs.prover.lean.environment import LeanEnvironment, LeanVerifier, lean_tasks
from agentgym.envs.prover.lean.files import ENV as LEAN_ENV
from agentgym.envs.prover.normalise import normalise
from agentgym.envs.prover.policies import automation, noop, oracle, random_player
from agentgym.envs.prover.rubric import rubric
from agentgym.envs.prover.tasks import ENV, StdlibTasks
from agentgym.envs.prover.verifier import ProverVerifier
from agentgym.envspec import EnvSpec
from agentgym.types import Limits

STDLIB = EnvSpec(
    id=ENV,
    entry=ProverEnvironment,
    tasks=StdlibTasks,
    verifier=ProverVerifier(),
    rubric=rubric(),
    config=ProverConfig(),
    limits=Limits(turns=100, call_s=900.0, output_chars=10_000),
    forking="native",
    determinism="normalised",
    verifies="sandbox",
    needs=frozenset({"network_off", "memory", "processes"}),
    chance=0.06,
    policies={"oracle": oracle, "noop": noop, "random": random_player, "automation": automation, **CHEATS},
    normalise=normalise,
    description="Prove theorems of Coq's standard library step by step, each from what its file has before it.",
)

LEAN = EnvSpec(
    id=LEAN_ENV,
    entry=LeanEnvironment,
    tasks=lean_tasks,
    verifier=LeanVerifier(),
    rubric=rubric(),
    config=LeanConfig(),
    limits=Limits(turns=100, call_s=1800.0, output_chars=10_000),
    forking="native",
    determinism="normalised",
    verifies="sandbox",
    needs=frozenset({"network_off", "memory", "processes"}),
    policies={"noop": noop},
    description="Prove problems in Lean 4 from a file of yours (the option tasks), with your own Lean, through lean-interact's REPL.",
)
