"""A root file system for images where no registry can be reached: the host's own distribution, made by debootstrap.

Cached as a tar, so it is made once a machine, and imported into as many daemons as there are.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from pathlib import Path

from agentgym.errors import SandboxError
from agentgym.sandboxes.docker_daemon import Daemon

PACKAGES = ("python3", "git", "patch", "procps", "diffutils")
_LEFT_OUT = (
    "var/cache/apt",
    "var/lib/apt/lists",
    "usr/share/doc",
    "usr/share/man",
    "usr/share/locale",
    "usr/share/info",
)
_FALLBACK = ("stable", "http://deb.debian.org/debian")
_NO_ROOT = "no registry can be reached, so BASE_IMAGE must name an image with Python 3.11 that the daemon has; or"


def image(more: tuple[str, ...] = ()) -> str:
    """The name of the image with these packages besides."""
    return f"agentgym-root:{hashlib.sha256(repr((PACKAGES + more, _LEFT_OUT)).encode()).hexdigest()[:12]}"


IMAGE = image()


def make(daemon: Daemon, more: tuple[str, ...] = ()) -> None:
    """Give the daemon the image. Minutes the first time. SandboxError saying what is needed."""
    name = image(more)
    tar = _cache() / f"{name.replace(':', '-')}-{platform.machine()}.tar"
    if not tar.exists():
        _bootstrap(tar, PACKAGES + more)
    repository, _, tag = name.partition(":")
    changes = ["ENV PATH=/usr/local/bin:/usr/bin:/bin", 'CMD ["bash"]']
    daemon.ask("import_image_from_file", str(tar), repository=repository, tag=tag, changes=changes)
    daemon.ask("inspect_image", name)  # a failed import says so in words only


def _cache() -> Path:
    cache = Path(os.environ.get("AGENTGYM_CACHE") or Path.home() / ".cache" / "agentgym") / "images"
    cache.mkdir(parents=True, exist_ok=True)
    return cache


def _bootstrap(tar: Path, packages: tuple[str, ...]) -> None:
    """Make the tree and pack it."""
    if shutil.which("debootstrap") is None:
        raise SandboxError(f"{_NO_ROOT} debootstrap must be installed: apt-get install debootstrap")
    if os.geteuid() != 0:
        raise SandboxError(f"{_NO_ROOT} this must be run once as root, which debootstrap needs to be")
    suite, mirror = _source()
    with tempfile.TemporaryDirectory(dir=tar.parent) as scratch:
        tree, packed = Path(scratch, "tree"), Path(scratch, "tar")
        _run("debootstrap", "--variant=minbase", f"--include={','.join(packages)}", suite, str(tree), mirror)
        left_out = [f"--exclude=./{place}/*" for place in _LEFT_OUT]
        _run("tar", "-C", str(tree), "--one-file-system", *left_out, "-cf", str(packed), ".")
        packed.rename(tar)


def _source() -> tuple[str, str]:
    """The host's own suite and mirror as apt is configured."""
    wanted = platform.freedesktop_os_release().get("VERSION_CODENAME", "")
    try:
        listed = subprocess.run(
            ["apt-get", "indextargets", "--format", "$(CODENAME) $(COMPONENT) $(SITE)"],
            capture_output=True,
            text=True,
            timeout=60,
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return _FALLBACK
    for line in listed.splitlines():
        codename, component, site = line.split(" ", 2)
        if codename == wanted and component == "main" and "security" not in site:
            return codename, site
    return _FALLBACK


def _run(*argv: str) -> None:
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=1800)
    if done.returncode:
        raise SandboxError(f"`{' '.join(argv)}` failed:\n{(done.stdout + done.stderr)[-2000:]}")
