"""Forks: fork in mid-episode, act differently in the two, and compare both with runs that never forked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from agentgym.environment import Environment
from agentgym.envspec import EnvSpec
from agentgym.registry import make
from agentgym.runtime import Runtime
from agentgym.testing.replay import Job
from agentgym.testing.trace import Trace, drive, of_env, state_of, walk
from agentgym.types import Action


async def check_fork(spec: EnvSpec, job: Job, other: Sequence[Action], runtime: Runtime) -> str | None:
    """What is wrong with forks of `job`'s episode, whose branch goes on with `other`; None if nothing is."""
    middle = len(job.actions) // 2
    before, after = job.actions[:middle], job.actions[middle:]
    straight = await drive(make(spec, runtime=runtime), job.task, job.seed, job.actions)
    aside = await drive(make(spec, runtime=runtime), job.task, job.seed, [*before, *other])
    parent = make(spec, runtime=runtime)
    branch: Environment[Any] | None = None
    try:
        await parent.reset(task=job.task, seed=job.seed)
        states = [await state_of(parent)]
        await walk(parent, before, states)
        if parent.ended is not None:
            return f"the episode ended after {len(states)} steps although it once went on"
        branch = await parent.fork()
        branched = await _go_on(branch, other, states)
        if await state_of(parent) != states[-1]:
            return f"after {middle} steps: acting in the branch changed the state of its parent"
        forked = await _go_on(parent, after, states)
    finally:
        await parent.close()
        if branch is not None:
            await branch.close()
    if said := branched.difference(aside):
        return f"the branch after {middle} steps differs from a straight run: {said}"
    if said := forked.difference(straight):
        return f"the parent, forked after {middle} steps, differs from a straight run: {said}"
    return None


async def check_snapshot(spec: EnvSpec, job: Job, other: Sequence[Action], runtime: Runtime) -> str | None:
    """What is wrong with coming back to a snapshot from which the episode went on with `other`; None if nothing is."""
    middle = len(job.actions) // 2
    env = make(spec, runtime=runtime)
    try:
        await env.reset(task=job.task, seed=job.seed)
        states = [await state_of(env)]
        await walk(env, job.actions[:middle], states)
        ref = await env.snapshot()
        try:
            await walk(env, list(other)[:1], [])
            await env.restore(ref)
        finally:
            await env.release(ref)
            await env.release(ref)
        if await state_of(env) != states[-1]:
            return f"after {middle} steps: restoring a snapshot gave another state"
        again = await _go_on(env, job.actions[middle:], states)
    finally:
        await env.close()
    straight = await drive(make(spec, runtime=runtime), job.task, job.seed, job.actions)
    said = again.difference(straight)
    return f"going on from a snapshot after {middle} steps differs from a straight run: {said}" if said else None


async def _go_on(env: Environment[Any], actions: Sequence[Action], states: list[str | None]) -> Trace:
    mine = list(states)
    rewards = await walk(env, actions, mine)
    return of_env(env, mine, rewards)
