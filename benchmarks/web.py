"""What an episode on a web page costs: agentgym beside BrowserGym and Farama's MiniWoB, on the same pages with the same script.

Contestants take turns, each in a process of its own: `--peers` names a Python that has browsergym-miniwob (and playwright 1.44) and
miniwob with all they need.  All act by one solver, which reads the same kind of text; finding the next action is outside of the time
counted.  Times are of resets and steps; processor seconds are of the process and all its children, start included (and told apart).
"""

from __future__ import annotations

import argparse
import asyncio
import glob
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
PAGES = ("click-button", "login-user", "click-checkboxes", "choose-list", "read-table", "enter-text")
CONTESTANTS = ("agentgym", "agentgym+screenshot", "agentgym x4", "agentgym x16", "browsergym", "browsergym bare")


class Clock:
    """Seconds of resets and steps."""

    def __init__(self) -> None:
        self.resets: list[float] = []
        self.steps: list[float] = []
        self.solved = 0


def next_action(page: str, goal: str, first: str, text: str, done: list) -> tuple[str, dict]:
    from agentgym.envs.web.miniwob.solvers import SOLVERS
    from agentgym.envs.web.miniwob.solvers.scene import Scene
    from agentgym.envs.web.reading import rows_of

    made = SOLVERS[page](Scene(goal, rows_of(text), rows_of(first), done))
    assert isinstance(made, tuple)
    return made


async def agentgym(clock: Clock, episodes: int, sessions: int, screenshot: bool) -> None:
    from agentgym.envs.web.miniwob.specs import MINIWOB
    from agentgym.registry import make
    from agentgym.runtime import Runtime
    from agentgym.types import Action, ToolCall

    spec = MINIWOB.configure(screenshot="plain" if screenshot else "never")
    todo = [(PAGES[n % len(PAGES)], n) for n in range(episodes)]

    async def player() -> None:
        env = make(spec, runtime=runtime)
        while todo:
            page, seed = todo.pop()
            begun = time.perf_counter()
            observation, _ = await env.reset(task=await runtime.tasks(spec).get(f"{page}/{seed}"))
            clock.resets.append(time.perf_counter() - begun)
            first = text = observation.messages[-1].text
            done: list = []
            for _ in range(15):
                name, given = next_action(page, first.partition("\n")[0], first, text, done)
                done.append((name, given))
                action = Action(calls=(ToolCall("1", name, json.dumps(given)),))
                begun = time.perf_counter()
                observation, _, terminated, _, info = await env.step(action)
                clock.steps.append(time.perf_counter() - begun)
                text = observation.messages[-1].text
                if terminated:
                    clock.solved += info.record.success == 1
                    break
        await env.close()

    async with Runtime() as runtime:
        await asyncio.gather(*(player() for _ in range(sessions)))
        METER.look()


def browsergym(clock: Clock, episodes: int, bare: bool) -> None:
    """bare: without its waiting (half a second a step, 100 ms a call)."""
    import browsergym.core.env as core
    import browsergym.miniwob  # noqa: F401
    import gymnasium
    import playwright.sync_api
    from browsergym.utils.obs import flatten_axtree_to_str

    launch = playwright.sync_api.BrowserType.launch
    program = os.environ["AGENTGYM_CHROMIUM"]

    def launch_ours(self, **options):  # type: ignore[no-untyped-def]
        options |= {"executable_path": program, "args": [*(options.get("args") or []), "--no-sandbox"]}
        if bare:
            options["slow_mo"] = 0
        return launch(self, **options)

    playwright.sync_api.BrowserType.launch = launch_ours  # type: ignore[method-assign]
    options = {"pre_observation_delay": 0.0} if bare else {}
    assert core
    for n in range(episodes):
        page = PAGES[n % len(PAGES)]
        env = gymnasium.make(f"browsergym/miniwob.{page}", headless=True, **options)
        begun = time.perf_counter()
        seen, _ = env.reset(seed=n)
        clock.resets.append(time.perf_counter() - begun)
        first = text = flatten_axtree_to_str(seen["axtree_object"]).replace(" value=", ", value=")
        done: list = []
        for _ in range(15):
            name, given = next_action(page, seen["goal"], first, text, done)
            done.append((name, given))
            call = f"{name}({', '.join(repr(str(each)) for each in given.values())})"
            begun = time.perf_counter()
            seen, reward, terminated, truncated, _ = env.step(call)
            clock.steps.append(time.perf_counter() - begun)
            text = flatten_axtree_to_str(seen["axtree_object"]).replace(" value=", ", value=")
            if terminated or truncated:
                clock.solved += reward > 0
                break
        METER.look()
        env.close()


class Meter:
    """Processor seconds of this process and all that were ever seen below it: look before something ends."""

    def __init__(self) -> None:
        self._ticks: dict[int, int] = {}

    def look(self) -> float:
        rows = {}
        for stat in glob.glob("/proc/[0-9]*/stat"):
            try:
                fields = Path(stat).read_text().rpartition(")")[2].split()
            except OSError:
                continue
            rows[int(stat.split("/")[2])] = (int(fields[1]), int(fields[11]) + int(fields[12]))
        below = {os.getpid()}
        while more := {pid for pid, (parent, _) in rows.items() if parent in below and pid not in below}:
            below |= more
        self._ticks |= {pid: rows[pid][1] for pid in below}
        return sum(self._ticks.values()) / os.sysconf("SC_CLK_TCK")


METER = Meter()


def contest(name: str, episodes: int) -> None:
    """One contestant's turn; prints its numbers."""
    clock = Clock()
    begun = time.perf_counter()
    if name.startswith("browsergym"):
        browsergym(clock, episodes, name.endswith("bare"))
    else:
        sessions = int(name.partition(" x")[2] or 1)
        asyncio.run(agentgym(clock, episodes, sessions, "screenshot" in name))
    wall = time.perf_counter() - begun
    numbers = {
        "resets": clock.resets,
        "steps": clock.steps,
        "solved": clock.solved,
        "wall": wall,
        "cpu": METER.look(),
    }
    print(json.dumps(numbers))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", default="", help="a Python that has the peers")
    parser.add_argument("--episodes", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--contestant", default="")
    given = parser.parse_args()
    if given.contestant:
        contest(given.contestant, given.episodes)
        return
    from agentgym.envs.web.browser.chromium import find
    from agentgym.envs.web.miniwob.tasks import pages

    base = {**os.environ, "AGENTGYM_CHROMIUM": find(), "MINIWOB_URL": f"file://{pages()}/miniwob/"}
    names = [name for name in CONTESTANTS if given.peers or not name.startswith("browsergym")]
    found: dict[str, list[dict]] = {name: [] for name in names}
    for _ in range(given.rounds):
        for name in names:
            python = given.peers if name.startswith("browsergym") else sys.executable
            # two lengths, so that what starting costs can be taken off
            for episodes in (given.episodes // 2, given.episodes):
                command = [python, __file__, "--contestant", name, "--episodes", str(episodes)]
                ran = subprocess.run(command, env=base, capture_output=True, text=True, timeout=900)
                if ran.returncode:
                    print(f"{name} failed: {ran.stderr.strip()[-800:]}", file=sys.stderr)
                    continue
                found[name].append({**json.loads(ran.stdout.splitlines()[-1]), "episodes": episodes})
    print(f"load average {os.getloadavg()[0]:.0f}\n")
    print(
        "| contestant | solved | reset p50 ms | step p50 ms | steps/s with resets | CPU s an episode |\n|---|---:|---:|---:|---:|---:|"
    )
    for name, runs in found.items():
        if runs:
            print(row(name, runs))


def row(name: str, runs: list[dict]) -> str:
    resets = [each for run in runs for each in run["resets"]]
    steps = [each for run in runs for each in run["steps"]]
    sessions = int(name.partition(" x")[2] or 1)
    extra = [b["cpu"] - a["cpu"] for a, b in zip(runs[::2], runs[1::2], strict=False)]
    count = [b["episodes"] - a["episodes"] for a, b in zip(runs[::2], runs[1::2], strict=False)]
    rate = len(steps) / (sum(resets) + sum(steps)) * sessions
    solved = f"{sum(run['solved'] for run in runs)}/{sum(run['episodes'] for run in runs)}"
    cpu = sum(extra) / sum(count) if count else float("nan")
    return f"| {name} | {solved} | {1e3 * statistics.median(resets):.0f} | {1e3 * statistics.median(steps):.0f} | {rate:.2f} | {cpu:.2f} |"


if __name__ == "__main__":
    main()
