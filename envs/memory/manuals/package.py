"""Where the pages come from: Debian's package of manual pages, unpacked into the cache; only their hashes are part of this.

A page is used if its text has the hash that is written down in `pages.json`, wherever it came from: a folder of yours, the
system's /usr/share/man, or the package, fetched by apt without being installed.  Nothing of it is run.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import shutil
import subprocess
import tempfile
import threading
from functools import cache
from pathlib import Path

from agentgym.envs.memory.manuals.pages import Page, parse
from agentgym.errors import UsageError

PACKAGE = "manpages"
_LIST = Path(__file__).with_name("pages.json")
_SYSTEM = Path("/usr/share/man")
_LOCK = threading.Lock()
_HOW = (
    f"install Debian's package {PACKAGE!r} (apt-get install {PACKAGE}) or make `apt-get download {PACKAGE}` work; or give "
    "a folder that holds man7/capabilities.7.gz and so on with --set documents=FOLDER"
)


@cache
def listed() -> dict[str, str]:
    """SHA-256 of each page's source, by its path below the folder of manuals."""
    pages: dict[str, str] = json.loads(_LIST.read_text())["pages"]
    return pages


def pages(cache: Path, documents: Path | None = None) -> dict[str, Page]:
    """Every listed page by name. Raises UsageError, saying what to do, if they are not to be had."""
    with _LOCK:  # tasks are made in threads
        return _pages(cache, documents)


@cache
def _pages(cache: Path, documents: Path | None) -> dict[str, Page]:
    folders = [documents] if documents is not None else [_SYSTEM, cache / "manuals"]
    for folder in folders:
        if (found := _read(folder)) is not None:
            return found
    if documents is None:
        _fetch(cache / "manuals")
        if (found := _read(cache / "manuals")) is not None:
            return found
    where = documents or "what apt has"
    raise UsageError(f"{where} does not hold the {len(listed())} manual pages that are expected, unchanged: {_HOW}")


def _read(folder: Path) -> dict[str, Page] | None:
    """The pages below `folder`, if all are there and as expected."""
    found = {}
    for path, digest in listed().items():
        try:
            source = gzip.decompress((folder / f"{path}.gz").read_bytes())
        except (OSError, EOFError):
            return None
        if hashlib.sha256(source).hexdigest() != digest:
            return None
        name, _, section = path.rpartition("/")[2].rpartition(".")
        page = parse(f"{name}({section})", source.decode("utf-8", "replace"))
        found[page.name] = page
    return found


def _fetch(target: Path) -> None:
    """Download the package with the system's own apt and unpack its manuals into `target`."""
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        raise UsageError(f"there is no apt here to fetch {PACKAGE} with: {_HOW}")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        try:
            run = {"cwd": folder, "check": True, "capture_output": True, "text": True, "timeout": 300}
            subprocess.run(["apt-get", "download", PACKAGE], **run)  # type: ignore[call-overload]
            [deb] = Path(folder).glob("*.deb")
            subprocess.run(["dpkg-deb", "-x", str(deb), "out"], **run)  # type: ignore[call-overload]
        except (subprocess.SubprocessError, ValueError) as error:
            said = getattr(error, "stderr", "") or str(error)
            raise UsageError(f"apt-get download {PACKAGE}: {said.strip()[-300:]}: {_HOW}") from None
        if _read(target) is None:  # another process may have been quicker
            shutil.rmtree(target, ignore_errors=True)
            with contextlib.suppress(OSError):
                (Path(folder) / "out/usr/share/man").rename(target)
