"""Tasks on a web application that nobody here wrote: Trac, an issue tracker (needs Chromium, and pip to install Trac once).

Three parts: how the site comes up (`host`: a copy of a prepared folder, and a process), what its server holds (`facts`: a
query), and tasks with what it should hold in the end. Check it with `agentgym audit examples/own_site.py --limit 2`.
"""

import asyncio
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from agentgym import (
    Action,
    Channel,
    Context,
    EnvSpec,
    Evidence,
    Limits,
    Rubric,
    Runtime,
    Score,
    Scripted,
    Task,
    TaskList,
    ToolCall,
    Verifier,
    collect,
)
from agentgym.envs.web.config import WebConfig
from agentgym.envs.web.reading import Row, page_of
from agentgym.envs.web.site.environment import HostedEnvironment
from agentgym.envs.web.site.program import ProgramSite

ID = "example/trac-v0"
PACKAGES = ("Trac==1.6", "setuptools<80", "multipart>=1.1")
PYTHON = (sys.executable, "-S")  # without what is installed beside us
TICKETS = (("Crash on empty input", "defect", "major"), ("Dark theme", "enhancement", "minor"))


# ---- the site -------------------------------------------------------------------------------------------------------


def prepare(cache: Path) -> Path:
    """Install Trac into a folder of its own and make a project with two tickets; once."""
    home = cache / "trac-1.6"
    if home.exists():
        return home
    cache.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(dir=cache))
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-warn-conflicts", "--target", str(new / "lib")]
    subprocess.run([*pip, *PACKAGES], check=True, capture_output=True)
    python = {**os.environ, "PYTHONPATH": str(new / "lib")}
    admin = [*PYTHON, "-m", "trac.admin.console", str(new / "project")]
    allowed = ["TICKET_CREATE", "TICKET_MODIFY", "WIKI_CREATE", "WIKI_MODIFY"]
    for command in (["initenv", "demo", "sqlite:db/trac.db"], ["permission", "add", "anonymous", *allowed]):
        subprocess.run([*admin, *command], env=python, cwd=new, check=True, capture_output=True)
    with closing(sqlite3.connect(new / "project/db/trac.db")) as base, base:
        for summary, kind, priority in TICKETS:
            base.execute(
                "INSERT INTO ticket (type, time, changetime, component, priority, owner, reporter, status, summary, "
                "description, cc, version, keywords, milestone, severity, resolution) VALUES (?, 0, 0, 'component1', "
                "?, 'somebody', 'anonymous', 'new', ?, '', '', '', '', '', '', '')",
                (kind, priority, summary),
            )
    try:
        new.rename(home)
    except OSError:  # another process was quicker
        shutil.rmtree(new)
    return home


def tickets(folder: Path) -> dict[str, str]:
    query = "SELECT id, summary, type, priority, status, coalesce(resolution, '') FROM ticket ORDER BY id"
    with closing(sqlite3.connect(folder / "db/trac.db")) as base:
        return {"tickets": json.dumps(base.execute(query).fetchall())}


class Trac(HostedEnvironment[WebConfig]):
    name = "http://trac.test"

    async def host(self) -> ProgramSite:
        home = await self.runtime.resource("trac", lambda: asyncio.to_thread(prepare, self.runtime.cache))
        serve = ["-m", "trac.web.standalone", "-s", "--hostname=127.0.0.1", "--port={port}", "{folder}"]
        python = {"PYTHONPATH": str(home / "lib")}
        return await ProgramSite.open([*PYTHON, *serve], home / "project", tickets, python)


# ---- tasks and verdict ----------------------------------------------------------------------------------------------


def report(summary: str, kind: str, priority: str) -> Task:
    goal = f"Open a new ticket with the summary {summary!r}, of type {kind}, with priority {priority}."
    row = [len(TICKETS) + 1, summary, kind, priority, "new", ""]
    return Task(f"report-{summary.split()[0].lower()}", ID, {"goal": goal, "start": "/"}, {"changed": row})


def close(number: int, resolution: str) -> Task:
    summary, kind, priority = TICKETS[number - 1]
    goal = f"Close the ticket about {summary!r} as {resolution}."
    row = [number, summary, kind, priority, "closed", resolution]
    return Task(f"close-{number}", ID, {"goal": goal, "start": "/report/1"}, {"changed": row}, "test")


TASKS = (
    *(report("Printing fails", "defect", "critical"), report("Export as CSV", "enhancement", "trivial")),
    *(close(1, "fixed"), close(2, "wontfix")),
)


class Tickets(Verifier):
    """The one ticket is as it should be, all others as they were; what the agent says or sees does not count."""

    name = "tickets"

    async def verify(self, evidence: Evidence, runtime: Runtime) -> list[Score]:
        row = evidence.task.secret["changed"]
        wanted = {n: [n, *ticket, "new", ""] for n, ticket in enumerate(TICKETS, 1)} | {row[0]: row}
        return [Score("done", float(json.loads(evidence.artefacts["tickets"]) == list(wanted.values())))]


# ---- scripted policies ----------------------------------------------------------------------------------------------


def say(*calls: tuple[str, dict]) -> Action:
    return Action(calls=tuple(ToolCall(f"c{n}", name, json.dumps(given)) for n, (name, given) in enumerate(calls)))


def find(page: list[Row], role: str, name: str) -> int:
    return next(row.ref for row in page if row.role == role and row.name.startswith(name))


def oracle(context: Context) -> Action:
    page, (number, summary, kind, priority, status, resolution) = page_of(context), context.task.secret["changed"]
    if context.turn == 0:
        return say(("goto", {"url": "/newticket" if status == "new" else f"/ticket/{number}"}))
    if context.turn == 1 and status == "new":
        fields = (("Type:", kind), ("Priority:", priority))
        chosen = [("select_option", {"bid": find(page, "combobox", name), "options": v}) for name, v in fields]
        filled = ("fill", {"bid": find(page, "textbox", "Summary:"), "value": summary})
        return say(filled, *chosen, ("click", {"bid": find(page, "button", "Create ticket")}))
    if context.turn == 1:
        return say(("click", {"bid": find(page, "link", "Modify Ticket")}))
    if context.turn == 2 and status == "closed":
        as_what = next(row.ref for row in page if resolution in row.options)
        picked = (
            ("click", {"bid": find(page, "radio", "resolve")}),
            ("select_option", {"bid": as_what, "options": resolution}),
        )
        return say(*picked, ("click", {"bid": find(page, "button", "Submit changes")}))
    return say(("send_msg_to_user", {"text": "Done."}))


def random_player(context: Context) -> Action:
    rows = [row for row in page_of(context) if row.role in ("link", "button", "checkbox")]
    return say(("click", {"bid": rows[context.seed % len(rows)].ref}) if rows else ("go_back", {}))


def claim(context: Context) -> Action:
    return say(("send_msg_to_user", {"text": "The ticket is closed as fixed."}))


SPEC = EnvSpec(
    id=ID,
    entry=Trac,
    tasks=lambda config, runtime: TaskList(TASKS),
    verifier=Tickets(),
    rubric=Rubric((Channel("done", "outcome"),)),
    config=WebConfig(),
    limits=Limits(turns=30),
    forking="none",
    determinism="none",  # it shows the time, and where it scrolls to depends on what has come first
    description="Work with the tickets of a Trac.",
    policies={
        "oracle": lambda: Scripted("oracle", oracle, privileged=True),
        "noop": lambda: Scripted("noop", lambda context: say(("noop", {"wait_ms": 1}))),
        "random": lambda: Scripted("random", random_player),
        "cheat/claim": lambda: Scripted("cheat/claim", claim),
    },
)


async def main() -> None:
    async with Runtime() as runtime:
        async for trajectory in collect(SPEC, SPEC.policies["oracle"](), TASKS, runtime=runtime, concurrency=1):
            print(
                f"{trajectory.key.task}: success {trajectory.record.success if trajectory.record else trajectory.cause}"
            )


if __name__ == "__main__":
    asyncio.run(main())
