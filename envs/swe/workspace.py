"""What an agent did to its workspace: a listing taken inside its box, and a patch made outside it.

The listing and the contents come from the agent's box and are not trusted: they only say what the agent submits.  The
diff is made here, against the pristine tree, so no git configuration, attribute or hook of the agent's has a say.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from agentgym.envs.swe import diffs
from agentgym.errors import SandboxError
from agentgym.sandboxes.sandbox import WORKSPACE, Sandbox

MAX_FILES = 5_000
_ROW = 800  # bytes of a listing that a file may take on the average
_IGNORED = ("__pycache__", ".git", ".hypothesis", ".pytest_cache", ".mypy_cache", ".ruff_cache")

# Paths travel as hex: a file name may hold anything.
_LIST = r"""
import hashlib, os, stat, sys
ignored, most, count = set(sys.argv[2].split(",")), int(sys.argv[3]), 0
for folder, folders, names in os.walk(os.fsencode(sys.argv[1])):
    links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
    folders[:] = sorted(name for name in folders if os.fsdecode(name) not in ignored and name not in links)
    for name in sorted(names + links):
        path = os.path.join(folder, name)
        if name.endswith((b".pyc", b".pyo")):
            continue
        count += 1
        if count > most:
            print("full")
            sys.exit()
        try:
            mode = os.lstat(path).st_mode
            if stat.S_ISREG(mode):
                digest = hashlib.sha256()
                with open(path, "rb") as file:
                    while part := file.read(1 << 20):
                        digest.update(part)
                what = digest.hexdigest()
            else:
                what = "link:" + os.readlink(path).hex() if stat.S_ISLNK(mode) else "special"
        except OSError:
            what = "unreadable"
        print(os.path.relpath(path, os.fsencode(sys.argv[1])).hex(), what)
"""


@dataclass(slots=True)
class Patch:
    """A submitted change: `text` is a unified diff, `notes` name what could not be part of it."""

    text: str = ""
    notes: list[str] = field(default_factory=list)


async def listing(box: Sandbox, most: int = MAX_FILES) -> dict[str, str]:
    """SHA-256 (or the kind) of every file of the workspace by path, without caches and compiled files; `most` at most.

    Raises SandboxError (ambiguous) if the box can not tell any more.
    """
    command = ["python3", "-I", "-S", "-c", _LIST, WORKSPACE, ",".join(_IGNORED), str(most)]
    try:
        result = await box.exec(command, cwd="/", timeout=60, max_output=most * _ROW)
    except OSError as error:
        raise SandboxError(f"the box could not list its workspace: {error}", "ambiguous") from error
    if not result.ok or result.stdout_dropped:
        why = result.killed_by or result.stderr[-300:].decode("utf-8", "replace")
        raise SandboxError(f"the box could not list its workspace: {why}", "ambiguous")
    files: dict[str, str] = {}
    for row in result.stdout.decode("ascii", "replace").splitlines():
        path, _, what = row.partition(" ")
        if what:
            files[bytes.fromhex(path).decode("utf-8", "surrogateescape")] = what
    return files


def listing_of(tree: Path) -> dict[str, str]:
    """The same listing of a pristine tree on this machine."""
    files = {}
    for path in sorted(tree.rglob("*")):
        name = path.relative_to(tree).as_posix()
        if path.suffix in (".pyc", ".pyo") or set(_IGNORED) & set(name.split("/")):
            continue
        if path.is_symlink():
            files[name] = "link:" + os.readlink(os.fsencode(path)).hex()
        elif path.is_file():
            files[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return files


async def patch_of(box: Sandbox, base: Path, pristine: Mapping[str, str], most: int, files: int = MAX_FILES) -> Patch:
    """The change from `base`, whose listing is `pristine`, to the box's workspace, in at most `most` characters.

    At most `files` files are looked at.
    """
    now = await listing(box, files)
    patch = Patch()
    if len(now) >= files:
        patch.notes.append(f"the workspace has more than {files} files: only the first were looked at")
    changed = sorted(path for path in pristine.keys() | now.keys() if pristine.get(path) != now.get(path))
    for path in changed:
        if path not in now and len(now) >= files:
            continue
        linked = pristine.get(path, "").startswith("link:")
        before = "" if path not in pristine else None if linked else _text((base / path).read_bytes())
        after = await _after(box, path, now.get(path), most)
        piece = ""
        if isinstance(after, Refused) or before is None:
            patch.notes.append(
                f"{_printable(path)}: {after.why if isinstance(after, Refused) else 'was a link' if linked else 'binary'}"
            )
        elif not _plain(path):
            patch.notes.append(f"{_printable(path)}: an odd character in the path")
        else:
            piece = await asyncio.to_thread(diffs.make, path, before if path in pristine else None, after)
        if len(patch.text) + len(piece) > most:
            patch.notes.append(f"{path}: left out, the patch would be longer than {most} characters")
        else:
            patch.text += piece
    patch.notes[50:] = [f"and {len(patch.notes) - 50} more"] if len(patch.notes) > 50 else []
    return patch


@dataclass(slots=True, frozen=True)
class Refused:
    """Why a file can not be part of a patch."""

    why: str


async def _after(box: Sandbox, path: str, what: str | None, most: int) -> str | Refused | None:
    """A file's text in the box; None if it is gone."""
    if what is None:
        return None
    if what.startswith("link:"):
        return Refused("a link")
    if what in ("special", "unreadable"):
        return Refused(f"a {what} file" if what == "special" else "unreadable")
    try:
        text = _text(await box.read(f"{WORKSPACE}/{path}", most))
    except FileNotFoundError:
        return None
    except OSError as error:
        return Refused(f"could not be read: {error.strerror or error}")
    return Refused("binary") if text is None else text


def _text(data: bytes) -> str | None:
    """Text that a diff can carry; None if it is binary."""
    try:
        return None if b"\0" in data else data.decode()
    except UnicodeDecodeError:
        return None


def _plain(path: str) -> bool:
    return path.isprintable() and not any(letter in path for letter in '"\\')


def _printable(path: str) -> str:
    return path if path.isprintable() and len(path) < 200 else ascii(path[:200])


def notes_text(notes: list[str]) -> str:
    """Notes as an artefact."""
    return json.dumps(notes)
