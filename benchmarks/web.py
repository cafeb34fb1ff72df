"""What an episode on a web page costs: agentgym beside BrowserGym and Farama's MiniWoB, on the same pages with the same script.

Contestants take turns, each in a process of its own: `--peers` names a Python that has browsergym-miniwob (and playwright 1.44) and
miniwob with all they need; Farama's also wants a chromedriver.  All act by one solver, which reads the same kind of text; finding the
next action is outside of the time of a step.  Each is warmed up before the clock starts; processor seconds are of the process and all
its children from then on.
"""

from __future__ import annotations

import argparse
import asyncio
import glob
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
PAGES = ("click-button", "login-user", "click-checkboxes", "choose-list", "read-table", "enter-text")
OURS = ("agentgym", "agentgym picture", "agentgym x4", "agentgym x16")
PEERS = ("farama", "farama fresh", "browsergym", "browsergym bare")
WARM = len(PAGES)


class Clock:
    """Seconds of resets and steps, and of all that came after the warm-up."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        self.resets: list[float] = []
        self.steps: list[float] = []
        self.solved = 0
        self._begun, self._cpu = time.perf_counter(), METER.look()

    def end(self) -> None:
        self.wall, self.cpu = time.perf_counter() - self._begun, METER.look() - self._cpu
        self.mb = METER.most_mb


def next_action(page: str, goal: str, first: str, text: str, done: list) -> tuple[str, dict]:
    from agentgym.envs.web.miniwob.solvers import SOLVERS
    from agentgym.envs.web.miniwob.solvers.scene import Scene
    from agentgym.envs.web.reading import rows_of

    made = SOLVERS[page](Scene(goal, rows_of(text), rows_of(first), done))
    assert isinstance(made, tuple)
    return made


def played(episodes: int) -> list[tuple[str, int]]:
    return [(PAGES[n % len(PAGES)], n) for n in range(episodes)]


async def agentgym(clock: Clock, episodes: int, sessions: int, screenshot: bool) -> None:
    from agentgym.envs.web.miniwob.specs import MINIWOB
    from agentgym.registry import make
    from agentgym.runtime import Runtime
    from agentgym.types import Action, ToolCall

    spec = MINIWOB.configure(screenshot="plain" if screenshot else "never", sessions=max(sessions, 4))
    todo: list[tuple[str, int]] = []

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
        todo += played(max(WARM, sessions))  # each session is opened
        await asyncio.gather(*(player() for _ in range(sessions)))
        clock.begin()
        todo += played(episodes)
        await asyncio.gather(*(player() for _ in range(sessions)))
        clock.end()


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
    for at, (page, n) in enumerate([(PAGES[0], 0), *played(episodes)]):
        if at == 1:
            clock.begin()
        env = gymnasium.make(f"browsergym/miniwob.{page}", headless=True, **options)
        begun = time.perf_counter()
        seen, _ = env.reset(seed=n)
        clock.resets.append(time.perf_counter() - begun)
        first = text = as_ours(flatten_axtree_to_str(seen["axtree_object"]))
        done: list = []
        for _ in range(15):
            name, given = next_action(page, seen["goal"], first, text, done)
            done.append((name, given))
            call = f"{name}({', '.join(repr(str(each)) for each in given.values())})"
            begun = time.perf_counter()
            seen, reward, terminated, truncated, _ = env.step(call)
            clock.steps.append(time.perf_counter() - begun)
            text = as_ours(flatten_axtree_to_str(seen["axtree_object"]))
            if terminated or truncated:
                clock.solved += reward > 0
                break
        METER.look()
        env.close()
    clock.end()


def as_ours(tree: str) -> str:
    """BrowserGym's tree, with the states that the solver looks for written as ours writes them."""
    return tree.replace(" value=", ", value=").replace(", checked='false'", "").replace(", checked='true'", ", checked")


def farama(clock: Clock, episodes: int, fresh: bool) -> None:
    """As it comes, it keeps its pages and takes a picture after each step; fresh: a page loaded for each episode, and no pictures."""
    import gymnasium
    import miniwob

    gymnasium.register_envs(miniwob)
    # one browser for each page: an environment of its can not change it
    envs = {page: gymnasium.make(f"miniwob/{page}-v1", refresh_freq=int(fresh)) for page in PAGES}
    for n, env in enumerate(envs.values()):
        env.reset(seed=n)
        env.unwrapped.set_record_screenshots(not fresh)
    clock.begin()
    for page, n in played(episodes):
        env = envs[page]
        begun = time.perf_counter()
        seen, info = env.reset(seed=n)
        clock.resets.append(time.perf_counter() - begun)
        first = text = tree_of(info["root_dom"])
        done: list = []
        for _ in range(15):
            name, given = next_action(page, seen["utterance"], first, text, done)
            done.append((name, given))
            typed = given.get("value", given.get("options"))
            what = {"ref": given["bid"]} | ({} if typed is None else {"text": typed})
            kind = "CLICK_ELEMENT" if typed is None else "FOCUS_ELEMENT_AND_TYPE_TEXT"
            action = env.unwrapped.create_action(kind, **what)
            begun = time.perf_counter()
            seen, reward, terminated, truncated, info = env.step(action)
            clock.steps.append(time.perf_counter() - begun)
            if terminated or truncated:
                clock.solved += reward > 0
                break
            text = tree_of(
                info["root_dom"], {given["bid"]: typed for _, given in done if (typed := given.get("options"))}
            )
    clock.end()
    for env in envs.values():
        env.close()


ROLES = {
    "button": "button",
    "input_text": "textbox",
    "input_password": "textbox",
    "input_checkbox": "checkbox",
    "select": "combobox",
    "td": "cell",
    "label": "LabelText",
    "t": "StaticText",
}


def tree_of(root, chosen: dict[int, str] | None = None) -> str:  # type: ignore[no-untyped-def]
    """Farama's elements as the solver reads them. chosen: by list, what its DOM does not tell."""
    lines = []
    for each in root.subtree_elements:
        name = each.text or ""
        if each.tag == "input_checkbox":
            name = next((other.text for other in each.parent.children if other.tag == "t"), "")
        held = (chosen or {}).get(each.ref, each.value)
        value = f", value={held!r}" if isinstance(held, str) else ", checked" if held else ""
        if each.ref > 0:
            lines.append(f"[{each.ref}] {ROLES.get(each.tag, 'generic')} {name!r}{value}")
    return "\n".join(lines)


class Meter:
    """Processor seconds of this process and all that were ever seen below it, and the most memory (PSS) that those below it
    were seen to hold: look before something ends."""

    def __init__(self) -> None:
        self._ticks: dict[int, int] = {}
        self.most_mb = 0.0

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
        self.most_mb = max(self.most_mb, sum(pss_mb(pid) for pid in below - {os.getpid()}))
        return sum(self._ticks.values()) / os.sysconf("SC_CLK_TCK")


def pss_mb(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


METER = Meter()


def contest(name: str, episodes: int) -> None:
    """One contestant's turn; prints its numbers."""
    clock = Clock()
    if name.startswith("browsergym"):
        browsergym(clock, episodes, name.endswith("bare"))
    elif name.startswith("farama"):
        farama(clock, episodes, name.endswith("fresh"))
    else:
        asyncio.run(agentgym(clock, episodes, int(name.partition(" x")[2] or 1), name.endswith("picture")))
    kept = ("resets", "steps", "solved", "wall", "cpu", "mb")
    print(json.dumps({name: getattr(clock, name) for name in kept} | {"episodes": episodes}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", default="", help="a Python that has the peers")
    parser.add_argument("--episodes", type=int, default=48)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--contestant", default="")
    given = parser.parse_args()
    if given.contestant:
        contest(given.contestant, given.episodes)
        return
    from agentgym.envs.web.browser.chromium import find
    from agentgym.envs.web.miniwob.tasks import pages

    base = {**os.environ, "AGENTGYM_CHROMIUM": find(), "MINIWOB_URL": f"file://{pages()}/miniwob/"}
    if driver := shutil.which("chromedriver"):
        base |= {"MINIWOB_CHROMEDRIVER": driver, "MINIWOB_CHROME_BINARY": find()}
    names = [*OURS, *(PEERS if given.peers else ())]
    found: dict[str, list[dict]] = {name: [] for name in names}
    for _ in range(given.rounds):
        for name in names:
            slow = name.startswith("browsergym")
            command = [sys.executable if name in OURS else given.peers, __file__, "--contestant", name]
            command += ["--episodes", str(max(given.episodes // 8, 3) if slow else given.episodes)]
            ran = subprocess.run(command, env=base, capture_output=True, text=True, timeout=900)
            if ran.returncode:
                print(f"{name} failed: {ran.stderr.strip()[-800:]}", file=sys.stderr)
                continue
            found[name].append(json.loads(ran.stdout.splitlines()[-1]))
    print(f"load average {os.getloadavg()[0]:.0f}\n")
    print(
        "| contestant | solved | reset p50 ms | step p50 ms | steps/s with resets | CPU s an episode | browsers, MB |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|")
    for name, runs in found.items():
        if runs:
            print(row(name, runs))


def row(name: str, runs: list[dict]) -> str:
    """Steps/s: with one session in the seconds of its resets and steps; with several in all seconds, the solver's included."""
    resets = [each for run in runs for each in run["resets"]]
    steps = [each for run in runs for each in run["steps"]]
    episodes = sum(run["episodes"] for run in runs)
    seconds = sum(run["wall"] for run in runs) if " x" in name else sum(resets) + sum(steps)
    solved, cpu = (sum(run[key] for run in runs) for key in ("solved", "cpu"))
    mb = max(run["mb"] for run in runs)
    p50 = [1e3 * statistics.median(each) for each in (resets, steps)]
    return f"| {name} | {solved}/{episodes} | {p50[0]:.0f} | {p50[1]:.0f} | {len(steps) / seconds:.2f} | {cpu / episodes:.2f} | {mb:.0f} |"


if __name__ == "__main__":
    main()
