"""Episodes played by mini-swe-agent: it runs in a thread of its own, the episode stays on the loop, limits hold.

Ends as episodes do: scored, masked (wall time) or failed (its model's endpoint, our box).
"""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from typing import Any

from agentgym.environment import Environment
from agentgym.envs.swe.mini_swe_agent.agents import Make, library
from agentgym.envs.swe.mini_swe_agent.box import BoxEnvironment, Stopped
from agentgym.envspec import EnvSpec
from agentgym.episode import Episode
from agentgym.errors import AgentGymError, PolicyError, UsageError
from agentgym.policy import Context, Scripted
from agentgym.registry import make as make_environment
from agentgym.runtime import Runtime
from agentgym.store import Store
from agentgym.tasks import Task
from agentgym.types import EpisodeKey, Trajectory

NAME = "mini-swe-agent"
log = logging.getLogger("agentgym")
_CONTEXT = "ContextWindowExceededError"


async def collect(
    spec: str | EnvSpec,
    make: Make,
    tasks: Iterable[Task],
    *,
    runtime: Runtime,
    run: str = "run",
    seed: int = 0,
    group_size: int = 1,
    concurrency: int = 4,
    store: Store | None = None,
) -> AsyncIterator[Trajectory]:
    """Play `group_size` episodes of every task, at most `concurrency` at once, and yield them as they end.

    With a `store` each is appended first, and what it has is skipped.  Closing the generator ends what runs.
    """
    keys = [(task, EpisodeKey(run, task.id, sample)) for task in tasks for sample in range(group_size)]
    waiting = [job for job in keys if store is None or not store.has(job[1])]
    make_environment(spec, runtime=runtime, verdict=False)  # a bad id or backend is told before anything runs
    gate = asyncio.Semaphore(concurrency)

    async def one(task: Task, key: EpisodeKey) -> Trajectory:
        async with gate:
            env = make_environment(spec, runtime=runtime, verdict=False)
            return await play(env, task, make, key, seed=seed)

    playing = [asyncio.create_task(one(*job)) for job in waiting]
    try:
        for next_one in asyncio.as_completed(playing):
            trajectory = await next_one
            if store is not None:
                store.append(trajectory)
            yield trajectory
    finally:
        for each in playing:
            each.cancel()
        await asyncio.gather(*playing, return_exceptions=True)


async def play(
    env: Environment[Any], task: Task, make: Make, key: EpisodeKey | None = None, *, seed: int = 0
) -> Trajectory:
    """One episode of `env` (made with verdict=False), which is closed after. Only cancellation and UsageError get out.

    The artefact "mini-swe-agent" is its own record of the conversation, as JSON, without its model's configuration.
    """
    if missing := {"shell", "submit"} - env.toolbox.keys():
        raise UsageError(f"{env.spec.id} has no tool {' and no tool '.join(sorted(missing))}: {NAME} needs both")
    exceptions = library(".exceptions")
    episode = Episode(env, {}, key or EpisodeKey("run", task.id), seed)
    agent = None
    try:
        nobody = Scripted(NAME, _unasked)
        episode = await Episode.start(env, dict.fromkeys(env.spec.actors, nobody), task, episode.key, seed=seed)
        box = BoxEnvironment(episode, asyncio.get_running_loop(), exceptions)
        agent = make(box)
        _keep_a_turn_to_submit(agent, env.spec.limits.turns)
        box.agent = agent
        await _drive(episode, box, agent)
        trajectory = await episode.finish()
    except UsageError:
        raise
    except Exception as error:
        if not isinstance(error, AgentGymError):
            log.exception("%s sample %d failed", episode.key.task, episode.key.sample)
        trajectory = await episode.failed(error)
    finally:
        await env.close()
    if agent is None:
        return trajectory
    return replace(trajectory, artefacts={**trajectory.artefacts, NAME: _record(agent)})


async def _drive(episode: Episode, box: BoxEnvironment, agent: Any) -> None:
    """Run the agent to its end, or to the episode's. Afterwards the episode is over."""
    try:
        async with asyncio.timeout(episode.env.spec.limits.episode_s) as clock:
            status = await _in_thread(agent, episode.env.task.payload["statement"])
    except TimeoutError:
        if not clock.expired():
            raise
        status = "wall_time"
        await box.stop()
    except asyncio.CancelledError:
        box.abandon()
        raise
    if not episode.over:
        episode.end, episode.truncated = status, True


async def _in_thread(agent: Any, statement: str) -> str:
    """Why the agent stopped. Its thread is left to itself when we are cancelled: it ends at its next command.

    Raises AgentGymError as a turn does, PolicyError if its model fails.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[str] = loop.create_future()

    def tell(result: str, error: Exception | None) -> None:
        if not done.done():
            done.set_exception(error) if error else done.set_result(result)

    def work() -> None:
        result, failure = "", None
        try:
            result = str(agent.run(statement).get("exit_status", ""))
        except Stopped:
            result = "stopped"
        except AgentGymError as error:
            failure = error
        except Exception as error:
            if type(error).__name__ == _CONTEXT:
                result = "context"
            else:
                failure = PolicyError(f"{NAME} failed: {type(error).__name__}: {error}")
        if not loop.is_closed():
            loop.call_soon_threadsafe(tell, result, failure)

    threading.Thread(target=work, name=NAME, daemon=True).start()
    return _ENDS.get(status := await done, status)


_ENDS = {"LimitsExceeded": "turn_limit", "TimeExceeded": "wall_time"}


def _keep_a_turn_to_submit(agent: Any, turns: int | None) -> None:
    """The submission is a turn of its own: the agent's own limit leaves room for it."""
    if turns is not None:
        given = agent.config.step_limit
        agent.config.step_limit = min(given, turns - 1) if given else max(1, turns - 1)


def _record(agent: Any) -> str:
    """As mini-swe-agent saves it, but for the configuration of its model, which may hold a key."""
    ended = agent.messages[-1].get("extra", {}) if agent.messages else {}
    info = {
        "model_stats": {"instance_cost": agent.cost, "api_calls": agent.n_calls},
        "mini_version": library("").__version__,
        "exit_status": ended.get("exit_status", ""),
        "submission": ended.get("submission", ""),
    }
    record = {"info": info, "messages": agent.messages, "trajectory_format": "mini-swe-agent-1.1"}
    return json.dumps(record, default=str)


def _unasked(context: Context) -> Any:
    raise PolicyError(f"{NAME} acts by itself and is not asked")
