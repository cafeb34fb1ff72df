"""Attacks for privilege: set-uid programs, capabilities in every way to come by them, user namespaces in every way to make them."""

from __future__ import annotations

from agentgym.sandboxes.attacks.arena import Arena, attack

_POWERS = """
def powers():
    fields = dict(line.split(":", 1) for line in open("/proc/self/status") if ":" in line)
    return {n: int(fields[n], 16) for n in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")}
"""


@attack()
async def capabilities_from_the_start(arena: Arena) -> str:
    """Have any capability, or any that an exec could bring."""
    return await arena.probe(
        _POWERS + "have = powers()\n"
        "got({n: hex(v) for n, v in have.items()}) if any(have.values()) or os.geteuid() == 0 else stopped('all sets are empty')"
    )


@attack()
async def capabilities_by_capset(arena: Arena) -> str:
    """Take capabilities by capset, and keep them over an exec as ambient or inheritable ones."""
    return await arena.probe(
        _POWERS + "header = ctypes.create_string_buffer(struct.pack('=II', 0x20080522, 0))\n"
        "def take(effective, permitted, inheritable):\n"
        "    call('capset', header, ctypes.create_string_buffer(struct.pack('=6I', *(effective, permitted, inheritable) * 2)))\n"
        "def ambient(which):\n"
        "    if _libc.prctl(47, 2, which, 0, 0): raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))\n"
        "each_must_fail([('all', lambda: take(0xffffffff, 0xffffffff, 0xffffffff)), ('sys_admin', lambda: take(1 << 21, 1 << 21, 0)),\n"
        "    ('inheritable', lambda: take(0, 0, 1 << 21))] + [('ambient %d' % n, lambda n=n: ambient(n)) for n in (0, 1, 7, 12, 21)])"
    )


@attack()
async def root_by_identity(arena: Arena) -> str:
    """Become root, another user or a member of another group."""
    return await arena.probe(
        "each_must_fail([('setuid 0', lambda: os.setuid(0)), ('setresuid', lambda: os.setresuid(0, 0, 0)),\n"
        "    ('setuid 65534', lambda: os.setuid(65534)), ('setgid 0', lambda: os.setgid(0)), ('setgroups', lambda: os.setgroups([0])),\n"
        "    ('setfsuid', lambda: (lambda p: p if p != os.geteuid() else (_ for _ in ()).throw(OSError(1, 'unchanged')))\n"
        "                  ((_libc.setfsuid(0), _libc.setfsuid(-1))[1]))])"
    )


@attack()
async def set_uid_programs(arena: Arena) -> str:
    """Run every set-uid and set-gid program in sight, and one of its own making, for another identity."""
    return await arena.probe(
        "import shutil, stat, subprocess\n"
        "found = []\n"
        "for top, dirs, files in os.walk('/'):\n"
        "    if top.startswith(('/proc', '/sys')): dirs[:] = []; continue\n"
        "    for name in files:\n"
        "        try: mode = os.lstat(os.path.join(top, name)).st_mode\n"
        "        except OSError: continue\n"
        "        if stat.S_ISREG(mode) and mode & 0o6000: found.append(os.path.join(top, name))\n"
        'status = \'import os; print([l.split()[1:] for l in open("/proc/self/status") if l[:4] in ("Uid:", "Gid:")])\'\n'
        "for place in ('/tmp', '/workspace', '/dev/shm'):\n"
        "    own = place + '/own-sh'; shutil.copy('/bin/sh', own)\n"
        "    try: os.chown(own, 0, 0); got('chown to root')\n"
        "    except OSError: pass\n"
        "    os.chmod(own, 0o6755)\n"
        "    try: seen = subprocess.run([own, '-pc', 'grep -E ^[UG]id: /proc/self/status'], capture_output=True, text=True).stdout\n"
        "    except PermissionError: seen = ''\n"
        "    if len(set(seen.split()) - {'Uid:', 'Gid:'}) > 2: got(seen)\n"
        "    os.remove(own)\n"
        "for program in found:\n"
        "    if os.path.basename(program) not in ('su', 'sudo', 'newgrp', 'mount', 'umount', 'passwd', 'unix_chkpwd'): continue\n"
        "    child = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=-1, stderr=-1)\n"
        "    try:\n"
        "        time.sleep(0.02)\n"
        "        ids = [l.split()[1:5] for l in open('/proc/%d/status' % child.pid) if l[:4] in ('Uid:', 'Gid:')]\n"
        "        if len(set(map(tuple, ids))) > 1 or any(len(set(i)) > 1 for i in ids): got((program, ids))\n"
        "    except OSError: pass\n"
        "    finally: child.kill(); child.wait()\n"
        "flag = [l.split()[1] for l in open('/proc/self/status') if l.startswith('NoNewPrivs')]\n"
        "if flag != ['1']: got('new privileges are allowed; set-uid programs: %s' % found)\n"
        "stopped('NoNewPrivs 1; %d set-uid programs in sight ran as the same user' % len(found))"
    )


@attack()
async def capabilities_of_a_file(arena: Arena) -> str:
    """Give its own program capabilities by an extended attribute."""
    return await arena.probe(
        "value = struct.pack('=5I', 0x02000001, 0xffffffff, 0, 0xffffffff, 0)\n"
        "value3 = struct.pack('=6I', 0x03000001, 0xffffffff, 0, 0xffffffff, 0, 0)\n"
        "def plant(place, data):\n"
        "    path = place + '/capable'; open(path, 'w').close(); os.setxattr(path, 'security.capability', data)\n"
        "each_must_fail([('%s v%d' % (p, v), lambda p=p, d=d: plant(p, d)) for p in ('/workspace', '/tmp', '/dev/shm')\n"
        "                for v, d in ((2, value), (3, value3))])"
    )


@attack()
async def new_namespaces(arena: Arena) -> str:
    """Make a user namespace, and with it mount, network and others: by unshare, clone and clone3."""
    return await arena.probe(
        "kinds = dict(user=0x10000000, mount=0x20000, net=0x40000000, ipc=0x8000000, uts=0x4000000, pid=0x20000000,\n"
        "             cgroup=0x2000000)\n"
        "attempts = []\n"
        "for name, flag in kinds.items():\n"
        "    for more in {0, kinds['user']}:\n"
        "        flags = flag | more\n"
        "        def unshare(flags=flags):\n"
        "            said = Forked(lambda: call('unshare', flags)).said\n"
        "            if said.startswith('OSError'): raise OSError(getattr(errno, said.split()[1]), said)\n"
        "            return said\n"
        "        def clone(flags=flags):\n"
        "            pid = call('clone', flags | 17, 0, 0, 0, 0)\n"
        "            if pid == 0: os._exit(0)\n"
        "            os.waitpid(pid, 0); return pid\n"
        "        def clone3(flags=flags):\n"
        "            words = ctypes.create_string_buffer(struct.pack('=11Q', flags, 0, 0, 0, 17, *[0] * 6))\n"
        "            pid = call('clone3', words, 88)\n"
        "            if pid == 0: os._exit(0)\n"
        "            os.waitpid(pid, 0); return pid\n"
        "        for how in (unshare, clone, clone3): attempts.append(('%s by %s' % (name, how.__name__), how))\n"
        "each_must_fail(attempts)"
    )


@attack()
async def into_other_namespaces(arena: Arena) -> str:
    """Enter the agent's or its own namespaces anew by setns, where an entry could bring capabilities."""
    return await arena.probe(
        "def enter(path):\n"
        "    said = Forked(lambda: call('setns', os.open(path, os.O_RDONLY), 0)).said\n"
        "    if said.startswith('OSError'): raise OSError(getattr(errno, said.split()[1]), said)\n"
        "    return said\n"
        "def by_pidfd():\n"
        "    said = Forked(lambda: call('setns', call('pidfd_open', os.getppid(), 0), 0x20000)).said\n"
        "    if said.startswith('OSError'): raise OSError(getattr(errno, said.split()[1]), said)\n"
        "    return said\n"
        "each_must_fail([('%s/%s' % (p, n), lambda p=p, n=n: enter('/proc/%s/ns/%s' % (p, n))) for p in ('1', 'self')\n"
        "                for n in ('user', 'mnt', 'net', 'pid', 'ipc', 'uts')] + [('pidfd', by_pidfd)])"
    )


@attack("seccomp")
async def without_the_filter(arena: Arena) -> str:
    """Shed the system call filter and the ban on new privileges, in itself and over an exec."""
    return await arena.probe(
        "def prctl(*a):\n"
        "    if _libc.prctl(*a) < 0: raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))\n"
        "def mode(): return [l.split()[1] for l in open('/proc/self/status') if l.startswith('Seccomp:')]\n"
        "each_must_fail([('seccomp off', lambda: prctl(22, 0, 0, 0, 0)), ('privileges on', lambda: prctl(38, 0, 0, 0, 0)),\n"
        "    ('none in force', lambda: (_ for _ in ()).throw(OSError(0, 'Seccomp: 2')) if mode() == ['2'] else mode())])"
    )
