"""`agentgym list`: what environments there are, and how many tasks each has."""

from __future__ import annotations

import json
from typing import Any

from rich.console import Console
from rich.table import Table

from agentgym.cli.options import Json
from agentgym.registry import ids
from agentgym.registry import spec as spec_of
from agentgym.runtime import Runtime
from agentgym.tasks import SPLITS


def listing(as_json: Json = False) -> None:
    """List every environment that can be made here."""
    rows = [_describe(id) for id in ids()]
    if as_json:
        print(json.dumps({"environments": rows}))
        return
    table = Table("id", *SPLITS, "needs", "description", box=None, header_style="bold", pad_edge=False)
    for row in rows:
        sizes = ["∞" if size is None else str(size) for size in row.get("tasks", {}).values()] or ["?"] * len(SPLITS)
        table.add_row(row["id"], *sizes, "sandbox" if row.get("needs") else "", row["description"])
    Console().print(table)


def _describe(id: str) -> dict[str, Any]:
    """One environment; a broken plug-in must not hide the others."""
    try:
        spec = spec_of(id)
        tasks = Runtime().tasks(spec)
        sizes = {split: tasks.size(split) for split in SPLITS}
    except Exception as error:
        return {"id": id, "description": f"can not be loaded: {type(error).__name__}: {error}"}
    policies = list(spec.policies)
    needs = sorted(spec.needs)
    return {"id": id, "description": spec.description, "tasks": sizes, "needs": needs, "policies": policies}
