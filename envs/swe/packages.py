"""Source distributions by pinned hash: `fetch` gives an unpacked tree in the cache. Runs nothing of the package.

The download goes through the user's own pip, so that mirrors, proxies, certificates and credentials are those that
pip is configured with.  pip insists on asking a source distribution for its metadata, which would run the package's
build code; so its child processes find a stand-in for every build back end (`_STAND_IN`), which answers with the
pinned name and version.  The hash is checked by pip before that, and by us after.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Collection
from pathlib import Path, PurePosixPath

from agentgym.envs.swe.cache import cache_dir, digest, publish
from agentgym.errors import TaskError

MAX_FILES = 20_000
MAX_BYTES = 256 << 20
_MTIME = 315_532_800
_LAYOUT = "2"  # of the unpacked tree; part of the cache's key
_DROPPED = re.compile(r"(^|/)(\.git|\.hg|\.svn|__pycache__)(/|$)|\.py[co]$")

_STAND_IN = """
import os, sys, types

name = os.environ.get("_PYPROJECT_HOOKS_BUILD_BACKEND") or os.environ.get("PEP517_BUILD_BACKEND")
if name:
    def metadata(directory, config_settings=None):
        project, version = os.environ["AGENTGYM_SDIST"].split("==")
        folder = "%s-%s.dist-info" % (project.replace("-", "_"), version)
        os.mkdir(os.path.join(directory, folder))
        with open(os.path.join(directory, folder, "METADATA"), "w") as file:
            file.write("Metadata-Version: 2.1\\nName: %s\\nVersion: %s\\n" % (project, version))
        return folder

    paths = os.environ.get("_PYPROJECT_HOOKS_BACKEND_PATH") or os.environ.get("PEP517_BACKEND_PATH") or "."
    where = paths.split(os.pathsep)[0]
    path, _, attribute = name.partition(":")
    for end in range(len(path.split("."))):
        parent = ".".join(path.split(".")[: end + 1])
        sys.modules[parent] = types.ModuleType(parent)
        sys.modules[parent].__file__ = os.path.join(where, "stand_in.py")  # older pips check that it is in there
    backend = sys.modules[path]
    if attribute:
        setattr(backend, attribute, backend)
    backend.get_requires_for_build_wheel = lambda config_settings=None: []
    backend.prepare_metadata_for_build_wheel = metadata
"""


class FetchError(TaskError):
    """A package could not be had: not found, or no index was reached. The message holds pip's own last words."""


class ChangedError(TaskError):
    """The index has another file under a pinned name."""


async def fetch(name: str, version: str, sha256: str, filename: str, cache: Path | None = None) -> Path:
    """The unpacked tree of a source distribution, from the cache or through pip. Never write to it.

    Files are regular files of mode 644 or 755 with one fixed time; links, version control and bytecode are left out.  Raises TaskError if the file is not the pinned one or is unsafe, FetchError if it cannot be had.
    """
    if not re.fullmatch(r"[0-9a-f]{64}", sha256):
        raise TaskError(f"{name} {version}: sha256 must be 64 lower-case hex digits, not {sha256!r}")
    _check_name(name, version)
    target = (cache or cache_dir()) / "sdists" / f"{sha256}-{_LAYOUT}"
    if target.is_dir():
        return target
    return await asyncio.to_thread(_fetch, name, version, sha256, filename, target)


def _fetch(name: str, version: str, sha256: str, filename: str, target: Path) -> Path:
    with tempfile.TemporaryDirectory(prefix="agentgym-fetch-") as scratch:
        archive = _download(name, version, sha256, filename, Path(scratch))
        actual = hashlib.sha256(archive.read_bytes()).hexdigest()
        if actual != sha256:
            raise ChangedError(f"{filename}: sha256 is {actual}, pinned is {sha256}: not unpacked")
        return publish(target, lambda folder: unpack(archive, folder))


def _check_name(name: str, version: str) -> None:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name) or not re.fullmatch(r"[A-Za-z0-9.+!_-]+", version):
        raise TaskError(f"{name!r} {version!r} is not a package name and version")


async def pin(name: str, version: str, cache: Path | None = None) -> tuple[str, str]:
    """File name and SHA-256 of the source distribution that the index has now; its tree is in the cache after.

    For makers of tasks only: everything else names a hash and uses `fetch`.  Raises as `fetch` does.
    """
    _check_name(name, version)
    return await asyncio.to_thread(_pin, name, version, (cache or cache_dir()) / "sdists")


def _pin(name: str, version: str, folder: Path) -> tuple[str, str]:
    with tempfile.TemporaryDirectory(prefix="agentgym-fetch-") as scratch:
        archive = _download(name, version, None, f"{name}-{version}", Path(scratch))
        sha256 = hashlib.sha256(archive.read_bytes()).hexdigest()
        publish(folder / f"{sha256}-{_LAYOUT}", lambda target: unpack(archive, target))
        return archive.name, sha256


def _download(name: str, version: str, sha256: str | None, filename: str, scratch: Path) -> Path:
    (scratch / "stand-in").mkdir()
    (scratch / "stand-in" / "sitecustomize.py").write_text(_STAND_IN)
    line = f"{name}=={version}" if sha256 is None else f"{name}=={version} --hash=sha256:{sha256}"
    (scratch / "pinned.txt").write_text(f"{line}\n")
    environment = os.environ | {
        "PYTHONPATH": str(scratch / "stand-in"),
        "AGENTGYM_SDIST": f"{name}=={version}",
        "PIP_REQUIRE_VIRTUALENV": "0",
    }
    options = "--no-deps --no-binary :all: --no-build-isolation --use-pep517 --no-input -q"
    if sha256 is not None:
        options += " --require-hashes"
    command = [*pip(), "download", *options.split(), "-d", str(scratch / "out"), "-r", str(scratch / "pinned.txt")]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, errors="replace", timeout=900)
    files = list((scratch / "out").glob("*")) if (scratch / "out").is_dir() else []
    if run.returncode or len(files) != 1:
        raise _explain(f"{name}=={version} ({filename})", run.stdout + run.stderr)
    return files[0]


def pip() -> list[str]:
    """The command line of a pip: this interpreter's own, else the one on PATH."""
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip"]
    if program := shutil.which("pip3") or shutil.which("pip"):
        return [program]
    raise FetchError("downloading packages needs pip: `python -m ensurepip`, or put a pip on PATH")


def _explain(what: str, output: str) -> TaskError:
    last = "\n".join(line for line in output.splitlines() if line.strip())[-1500:]
    if "DO NOT MATCH THE HASHES" in output:
        return ChangedError(f"{what}: the index has another file than the pinned one:\n{last}")
    return FetchError(
        f"{what} could not be downloaded with pip. If this machine is offline, run the same once where there is a "
        f"network and copy AGENTGYM_CACHE, or point PIP_FIND_LINKS at a folder that holds the file. pip said:\n{last}"
    )


def unpack(archive: Path, folder: Path) -> None:
    """Unpack the regular files of a source distribution below `folder`, without its top directory."""
    total = count = 0
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                path = PurePosixPath(member.name)
                if path.is_absolute() or ".." in path.parts or "\\" in member.name or "\0" in member.name:
                    raise TaskError(f"{archive.name}: refuses to unpack the path {member.name!r}")
                relative = "/".join(path.parts[1:])
                if not member.isreg() or not relative or _DROPPED.search(relative):
                    continue
                total, count = total + member.size, count + 1
                if total > MAX_BYTES or count > MAX_FILES:
                    raise TaskError(f"{archive.name}: more than {MAX_FILES} files or {MAX_BYTES} bytes")
                stream = tar.extractfile(member)
                assert stream is not None  # a regular file has one
                file = folder / relative
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(stream.read())
                file.chmod(0o755 if member.mode & 0o100 else 0o644)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise TaskError(f"{archive.name} cannot be unpacked: {error}") from None
    if not count:
        raise TaskError(f"{archive.name} holds no files")
    for each in [folder, *folder.rglob("*")]:
        if each.is_dir():
            each.chmod(0o755)
        os.utime(each, (_MTIME, _MTIME))


def copy_tree(origin: Path, folder: Path, left_out: Collection[str] = ()) -> None:
    """Copy a tree without some of its files, by hard links where the file system has them: it costs its directories."""

    def skipped(directory: str, names: list[str]) -> list[str]:
        inside = Path(directory).relative_to(origin)
        return [name for name in names if (inside / name).as_posix() in left_out]

    shutil.copytree(origin, folder, dirs_exist_ok=True, ignore=skipped, copy_function=_link)


def replace_file(file: Path, content: bytes, like: Path) -> None:
    """Give a copied file its own content: a hard link is cut, not written through."""
    file.unlink()
    file.write_bytes(content)
    shutil.copystat(like, file)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def tree_digest(tree: Path) -> str:
    """A digest of every path, mode and content of a tree."""
    parts: list[bytes | str] = []
    for path in sorted(p for p in tree.rglob("*") if p.is_file()):
        parts += [path.relative_to(tree).as_posix(), str(path.stat().st_mode & 0o777), path.read_bytes()]
    return digest(*parts)
