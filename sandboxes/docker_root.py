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
    tar = _tar(name)
    if not tar.exists():
        _add(tar, more) if more else _bootstrap(tar)
    repository, _, tag = name.partition(":")
    changes = ["ENV PATH=/usr/local/bin:/usr/bin:/bin", 'CMD ["bash"]']
    daemon.ask("import_image_from_file", str(tar), repository=repository, tag=tag, changes=changes)
    daemon.ask("inspect_image", name)  # a failed import says so in words only


def _tar(name: str) -> Path:
    return _cache() / f"{name.replace(':', '-')}-{platform.machine()}.tar"


def _cache() -> Path:
    cache = Path(os.environ.get("AGENTGYM_CACHE") or Path.home() / ".cache" / "agentgym") / "images"
    cache.mkdir(parents=True, exist_ok=True)
    return cache


def _bootstrap(tar: Path) -> None:
    """Make the tree and pack it."""
    if shutil.which("debootstrap") is None:
        raise SandboxError(f"{_NO_ROOT} debootstrap must be installed: apt-get install debootstrap")
    _must_be_root()
    suite, mirror = _source()
    with tempfile.TemporaryDirectory(dir=tar.parent) as scratch:
        tree = Path(scratch, "tree")
        _run("debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", suite, str(tree), mirror)
        _pack(tree, tar)


def _add(tar: Path, more: tuple[str, ...]) -> None:
    """The tree with these packages besides, installed by its own apt: debootstrap's order does not suit all of them."""
    _must_be_root()
    base = _tar(IMAGE)
    if not base.exists():
        _bootstrap(base)
    with tempfile.TemporaryDirectory(dir=tar.parent) as scratch:
        tree = Path(scratch, "tree")
        tree.mkdir()
        _run("tar", "-C", str(tree), "-xf", str(base))
        resolver = tree / "etc/resolv.conf"
        resolver.write_text(Path("/etc/resolv.conf").read_text())
        for step in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *more]):
            _run(
                "chroot",
                str(tree),
                "env",
                "DEBIAN_FRONTEND=noninteractive",
                "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
                "apt-get",
                *step,
            )
        resolver.write_text("")
        _pack(tree, tar)


def _must_be_root() -> None:
    if os.geteuid() != 0:
        raise SandboxError(f"{_NO_ROOT} this must be run once as root, which making a root file system takes")


def _pack(tree: Path, tar: Path) -> None:
    packed = tree.with_name("tar")
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
