"""`agentgym doctor`: what works on this machine, what does not, and what to type about it."""

from __future__ import annotations

import asyncio
import json
import platform
import shutil
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, Literal

import typer
from pydantic import BaseModel
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from agentgym import backends
from agentgym.cli.failures import FAILED
from agentgym.cli.options import Json
from agentgym.registry import ids
from agentgym.registry import spec as spec_of
from agentgym.runtime import default_cache

_TRAINING = ("torch", "transformers", "trl", "accelerate", "peft")
_LOW_DISK = 2 << 30


class Finding(BaseModel):
    """`missing`: something optional is not there; `bad`: agentgym can not do its work."""

    name: str
    state: Literal["ok", "missing", "bad"]
    detail: str


Clean = Annotated[bool, typer.Option("--clean", help="First remove the boxes that dead runs have left behind.")]


def doctor(as_json: Json = False, clean: Clean = False) -> None:
    """Check this machine: sandboxes, Python, the training extra, cache, disk. Exit 1 if nothing can run here."""
    findings = [
        *(_cleaned() if clean else []),
        _python(),
        *_sandboxes(),
        _any_sandbox(),
        _training(),
        _cache(),
        *_environments(),
    ]
    healthy = all(finding.state != "bad" for finding in findings)
    if as_json:
        print(json.dumps({"ok": healthy, "findings": [finding.model_dump() for finding in findings]}))
    else:
        _show(findings, healthy)
    if not healthy:
        raise typer.Exit(FAILED)


def _python() -> Finding:
    good = sys.version_info >= (3, 11)
    return Finding(
        name="python", state="ok" if good else "bad", detail=f"{platform.python_version()}, {platform.platform()}"
    )


def _sandboxes() -> list[Finding]:
    return [_sandbox(name) for name in backends.names()]


def _sandbox(name: str) -> Finding:
    try:
        why = backends.load(name).unavailable()
    except Exception as error:
        why = f"it can not be loaded: {type(error).__name__}: {error}"
    return Finding(name=f"sandbox {name}", state="missing" if why else "ok", detail=why or "works")


def _cleaned() -> list[Finding]:
    return [_swept(name) for name in backends.names()]


def _swept(name: str) -> Finding:
    try:
        count = asyncio.run(backends.load(name).sweep())
        return Finding(name=f"left by {name}", state="ok", detail=f"{count} boxes removed" if count else "nothing")
    except Exception as error:
        return Finding(name=f"left by {name}", state="missing", detail=f"not looked for: {error}")


def _any_sandbox() -> Finding:
    try:
        return Finding(name="sandbox chosen", state="ok", detail=backends.choose().name)
    except Exception as error:
        return Finding(name="sandbox chosen", state="bad", detail=f"none: {error}".splitlines()[0])


def _training() -> Finding:
    found, lacking = {}, []
    for package in _TRAINING:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            lacking.append(package)
    have = ", ".join(f"{package} {number}" for package, number in found.items())
    if lacking:
        return Finding(
            name="training", state="missing", detail=f"no {', '.join(lacking)}: pip install 'agentgym[train]'"
        )
    return Finding(name="training", state="ok", detail=have)


def _cache() -> Finding:
    cache = default_cache()
    there = next(folder for folder in (cache, *cache.parents) if folder.exists())
    free = shutil.disk_usage(there).free
    detail = f"{cache}, {free / 2**30:.0f} GiB free"
    if not _writable(there):
        return Finding(
            name="cache", state="bad", detail=f"{detail}; not writable: set AGENTGYM_CACHE to a folder that is"
        )
    if free < _LOW_DISK:
        return Finding(name="cache", state="missing", detail=f"{detail}: little room; set AGENTGYM_CACHE elsewhere")
    return Finding(name="cache", state="ok", detail=detail)


def _writable(folder: Path) -> bool:
    import os

    return os.access(folder, os.W_OK | os.X_OK)


def _environments() -> list[Finding]:
    findings = []
    for id in ids():
        try:
            spec_of(id)
        except Exception as error:
            detail = f"can not be loaded: {type(error).__name__}: {error}"
            findings.append(Finding(name=id, state="bad", detail=detail))
    return findings or [Finding(name="environments", state="ok", detail=f"{len(ids())} can be loaded")]


def _show(findings: list[Finding], healthy: bool) -> None:
    marks = {"ok": "[green]✓[/]", "missing": "[yellow]–[/]", "bad": "[red]✗[/]"}
    table = Table.grid(padding=(0, 2))
    for finding in findings:
        table.add_row(marks[finding.state], finding.name, escape(finding.detail))
    console = Console(highlight=False)
    console.print(table)
    console.print("[bold green]ready[/]" if healthy else "[bold red]not ready[/]: see ✗ above")
