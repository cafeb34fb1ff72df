"""Attacks on what the host knows: the driver's environment, arguments, descriptors, files and keys, and the kernel's."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Callable
from pathlib import Path

from agentgym.sandboxes.attacks.arena import Arena, attack
from agentgym.sandboxes.attacks.bait import bait


@attack()
async def environment_of_the_driver(arena: Arena) -> str:
    """Find a variable of the driver's in any environment that can be read."""
    mark = f"AGENTGYM_ATTACK_{secrets.token_hex(8)}"
    os.environ[mark] = "secret"
    try:
        async with arena.fresh() as box:
            return await arena.probe(
                "met = {}\n"
                "for pid in [p for p in os.listdir('/proc') if p.isdigit()] + ['self', 'thread-self']:\n"
                "    try: seen = open('/proc/%s/environ' % pid, 'rb').read()\n"
                "    except OSError as error: met[pid] = error.strerror; continue\n"
                "    if MARK.encode() in seen: got((pid, MARK))\n"
                "    met[pid] = sorted(v.split(b'=')[0].decode() for v in seen.split(b'\\0') if v)\n"
                "stopped(met)",
                box,
                MARK=mark,
            )
    finally:
        del os.environ[mark]


@attack()
async def host_paths_in_command_lines(arena: Arena) -> str:
    """Read the driver's paths and the backend's options in any command line or mount table."""
    with tempfile.TemporaryDirectory(prefix="agentgym-attack-") as place:
        async with arena.fresh(workspace=Path(place)) as box:
            return await arena.probe(
                "met = []\n"
                "pids = [p for p in os.listdir('/proc') if p.isdigit() and int(p) != os.getpid()]\n"
                "for path in ['/proc/%s/%s' % (p, f) for p in pids for f in ('cmdline', 'mountinfo', 'mounts')] + ['/proc/self/mountinfo']:\n"
                "    try: seen = open(path, 'rb').read()\n"
                "    except OSError as error: met.append('%s: %s' % (path, error.strerror)); continue\n"
                "    for word in WORDS:\n"
                "        if word.encode() in seen: got((path, word))\n"
                "stopped('no such word in what can be read; %s' % met)",
                box,
                WORDS=[place, "--ro-bind", "--unshare"],
            )


@attack()
async def inherited_descriptors(arena: Arena) -> str:
    """Find a descriptor that the driver or the agent forgot to close."""
    with tempfile.NamedTemporaryFile() as held:
        os.set_inheritable(held.fileno(), True)
        return await arena.probe(
            "names = {}\n"
            "for fd in os.listdir('/proc/self/fd'):\n"
            "    try: names[int(fd)] = os.readlink('/proc/self/fd/' + fd)\n"
            "    except OSError: pass\n"
            "more = {f: n for f, n in names.items() if f > 2 and '/proc/' not in n}\n"
            "usual = all(n.startswith(('pipe:', '/dev/null')) for f, n in names.items() if f < 3)\n"
            "got(names) if more or not usual else stopped('only %s' % names)"
        )


_HOME = str(Path.home())
_KNOWN = (
    "/etc/shadow /etc/sudoers /root /home /var/lib/dpkg/status /var/log/dpkg.log /boot /etc/machine-id /etc/ssh /etc/hostname"
    " /etc/resolv.conf /etc/ssl/private /var/run/secrets /run/secrets /opt /srv /mnt /var/log /var/lib /.dockerenv"
)

_PRINT = """
import hashlib, os
def footprint(path):
    "What a path holds, as a digest; None if nothing."
    try:
        if os.path.isdir(path): held = "\\0".join(sorted(os.listdir(path))).encode()
        else: held = open(path, "rb").read(1 << 20)
    except OSError as error:
        return "", error.strerror
    return (hashlib.sha256(held).hexdigest(), "") if held else ("", "empty")
"""


def _footprints(paths: list[str]) -> dict[str, str]:
    helpers: dict[str, Callable[[str], tuple[str, str]]] = {}
    exec(_PRINT, helpers)
    return {path: digest for path in paths if (digest := helpers["footprint"](path)[0])}


@attack()
async def files_of_the_host(arena: Arena) -> str:
    """Read the driver's own source, home, keys, shells' histories and the host's account files."""
    with bait() as host:
        names = (".ssh", ".aws", ".bash_history", ".netrc", ".config", ".profile", ".gitconfig", ".cache", ".")
        paths = [str(host.file), __file__, *(f"{_HOME}/{each}" for each in names), *_KNOWN.split()]
        return await arena.probe(
            _PRINT + "met = {}\n"
            "for path, digest in HELD.items():\n"
            "    seen, why = footprint(path)\n"
            "    if seen == digest: got(path)\n"
            "    met.setdefault(why or 'of the same name, not the same', []).append(path)\n"
            "stopped(met)",
            HELD=_footprints(paths),
        )


@attack()
async def packages_of_the_host(arena: Arena) -> str:
    """Read the answer to a task in packages that the host has installed."""
    return await arena.probe(
        "import importlib\n"
        "found = []\n"
        "for top, dirs, files in os.walk('/', onerror=None):\n"
        "    if top.startswith(('/proc', '/sys')): dirs[:] = []; continue\n"
        "    if os.path.basename(top) in ('site-packages', 'dist-packages') and (dirs or set(files) - {'README.txt'}):\n"
        "        found.append(top)\n"
        "for name in ('agentgym', 'pytest', 'numpy', 'torch'):\n"
        "    try: importlib.import_module(name); found.append(name)\n"
        "    except ImportError: pass\n"
        "own = [f for f in found if not f.startswith(('/usr/local/lib/python', '/opt/'))] if IN_IMAGE else found\n"
        "got(found) if own else stopped('no packages in any directory for them')",
        IN_IMAGE=arena.backend.name == "docker",
    )


@attack()
async def kernel_addresses(arena: Arena) -> str:
    """Read the kernel's memory, its log, its symbols' addresses."""
    return await arena.probe(
        "def symbols():\n"
        "    for line in open('/proc/kallsyms'):\n"
        "        if int(line.split()[0], 16): return line\n"
        "    raise OSError(0, 'all addresses are zero')\n"
        "def log():\n"
        "    room = ctypes.create_string_buffer(4096); return call('syslog', 3, room, 4096)\n"
        "def core():\n"
        "    data = open('/proc/kcore', 'rb').read(4)\n"
        "    if not data: raise OSError(0, 'kcore is empty')\n"
        "    return data\n"
        "def first(path):\n"
        "    data = open(path, 'rb').read(64)\n"
        "    if not data.strip(b'\\0 \\n'): raise OSError(0, 'empty')\n"
        "    return data\n"
        "files = ['/proc/kmsg', '/dev/kmsg', '/dev/mem', '/sys/kernel/debug/kprobes', '/proc/vmallocinfo',\n"
        "         '/proc/slabinfo', '/proc/sched_debug', '/proc/timer_list']\n"
        "each_must_fail([('kallsyms', symbols), ('syslog', log), ('kcore', core)]\n"
        "    + [(f, lambda f=f: first(f)) for f in files])"
    )


@attack()
async def other_processes_of_the_host(arena: Arena) -> str:
    """See processes that are not the box's."""
    async with arena.fresh() as box:
        return await arena.probe(
            "pids = sorted(int(p) for p in os.listdir('/proc') if p.isdigit())\n"
            "if len(pids) > 4 or HOST in pids and HOST > 60: got(pids)\n"
            "stopped('only processes %s' % pids)",
            box,
            HOST=os.getpid(),
        )
