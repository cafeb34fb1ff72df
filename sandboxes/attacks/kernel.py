"""Attacks on the kernel's edges: system calls that a box has no use for, in every binary interface, and the machine's state.

Calls that would harm a host are made so that they can only be refused: a bad argument comes after the permission.
"""

from __future__ import annotations

from agentgym.sandboxes.attacks.arena import Arena, attack


@attack()
async def kernel_modules_and_images(arena: Arena) -> str:
    """Load a kernel module or another kernel; unload a module."""
    return await arena.probe(
        "def refused(name, *a):\n"
        "    try: return call(name, *a)\n"
        "    except OSError as error:\n"
        "        if error.errno in (errno.EPERM, errno.ENOSYS, errno.EACCES): raise\n"
        "        return 'permitted, then %s' % error\n"
        "each_must_fail([('init_module', lambda: refused('init_module', b'', 0, b'')),\n"
        "    ('delete_module', lambda: refused('delete_module', b'no-such-module', 0o4000)),\n"
        "    ('kexec_load', lambda: refused('kexec_load', 0, 99999, None, -1))])"
    )


@attack()
async def reboot(arena: Arena) -> str:
    """Reboot the machine (with a magic number that no kernel takes)."""
    return await arena.probe(
        "try: call('reboot', 1, 2, 3, None)\n"
        "except OSError as error: stopped(error) if error.errno == errno.EPERM else got('permitted, then %s' % error)"
    )


@attack()
async def clock_and_names(arena: Arena) -> str:
    """Set the clock, the host's name and its domain."""
    return await arena.probe(
        "now = ctypes.create_string_buffer(struct.pack('=qq', int(time.time()), 0))\n"
        "offset = ctypes.create_string_buffer(struct.pack('=Iiq', 1, 0, 0), 208)\n"
        "each_must_fail([('settimeofday', lambda: call('settimeofday', now, None)), ('adjtimex', lambda: call('adjtimex', offset)),\n"
        "    ('clock_settime', lambda: time.clock_settime(time.CLOCK_REALTIME, time.time())),\n"
        "    ('sethostname', lambda: call('sethostname', b'taken', 5))])"
    )


@attack()
async def swap_quota_accounting(arena: Arena) -> str:
    """Turn on swap, process accounting, hang up the terminal."""
    return await arena.probe(
        "def refused(name, *a):\n"
        "    try: return call(name, *a)\n"
        "    except OSError as error:\n"
        "        if error.errno == errno.EPERM: raise\n"
        "        return 'permitted, then %s' % error\n"
        "each_must_fail([('swapon', lambda: refused('swapon', b'/no/such/file', 0)), ('acct', lambda: refused('acct', b'/no/such')),\n"
        "    ('vhangup', lambda: refused('vhangup'))])"
    )


@attack("seccomp")
async def calls_that_widen_the_kernel(arena: Arena) -> str:
    """Use BPF, io_uring, keyrings, user faults, performance counters and request keys."""
    return await arena.probe(
        "room = ctypes.create_string_buffer(256)\n"
        "event = ctypes.create_string_buffer(struct.pack('=IIQ', 1, 112, 0), 112)\n"
        "each_must_fail([('bpf', lambda: call('bpf', 0, ctypes.create_string_buffer(struct.pack('=4I', 2, 4, 4, 1), 128), 128)),\n"
        "    ('io_uring_setup', lambda: call('io_uring_setup', 4, room)), ('userfaultfd', lambda: call('userfaultfd', 0o2000000 | 1)),\n"
        "    ('keyctl', lambda: call('keyctl', 0, -3, 1)), ('add_key', lambda: call('add_key', b'user', b'a', b'b', 1, -3)),\n"
        "    ('request_key', lambda: call('request_key', b'user', b'a', None, -3)),\n"
        "    ('perf_event_open', lambda: call('perf_event_open', event, 0, -1, -1, 0))])"
    )


@attack("seccomp")
async def tracing(arena: Arena) -> str:
    """Trace and read its own child, and take a descriptor from it."""
    return await arena.probe(
        "child = os.fork()\n"
        "if not child: time.sleep(30); os._exit(0)\n"
        "data = ctypes.create_string_buffer(b'secret')\n"
        "into = ctypes.create_string_buffer(8)\n"
        "def vector(b): return ctypes.create_string_buffer(struct.pack('=QQ', ctypes.addressof(b), 6))\n"
        "attempts = [('ptrace attach', lambda: call('ptrace', 16, child, 0, 0)), ('ptrace seize', lambda: call('ptrace', 0x4206, child, 0, 0)),\n"
        "    ('traceme', lambda: call('ptrace', 0, 0, 0, 0)),\n"
        "    ('readv', lambda: call('process_vm_readv', child, vector(into), 1, vector(data), 1, 0)),\n"
        "    ('writev', lambda: call('process_vm_writev', child, vector(into), 1, vector(data), 1, 0)),\n"
        "    ('pidfd_getfd', lambda: call('pidfd_getfd', call('pidfd_open', child, 0), 1, 0)),\n"
        "    ('madvise', lambda: call('process_madvise', call('pidfd_open', child, 0), vector(data), 1, 20, 0))]\n"
        "import atexit\n"
        "try: each_must_fail(attempts)\n"
        "finally: os.kill(child, 9)"
    )


@attack("seccomp")
async def calls_under_other_numbers(arena: Arena) -> str:
    """Make refused calls by the x32 interface, where a filter by number could miss them."""
    return await arena.probe(
        "if _COLUMN: stopped('this machine has no such interface')\n"
        "bit = 0x40000000\n"
        "each_must_fail([(n, lambda k=k: raw(bit | k, 0, 0, 0, 0)) for n, k in\n"
        "    {'getpid': 39, 'unshare': 272, 'keyctl': 250, 'ptrace': 521, 'mount': 165}.items()])"
    )


@attack("seccomp")
async def calls_of_32_bits(arena: Arena) -> str:
    """Make calls by the 32-bit gate, where numbers mean other calls than the filter thinks."""
    return await arena.probe(
        "import mmap\n"
        "if _COLUMN: stopped('this machine has no such gate')\n"
        "def gate(number):\n"
        "    code = b'\\x53\\xb8' + struct.pack('=I', number) + b'\\x31\\xdb\\x31\\xc9\\x31\\xd2\\xcd\\x80\\x5b\\xc3'\n"
        "    room = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC); room.write(code)\n"
        "    at = ctypes.addressof(ctypes.c_char.from_buffer(room))\n"
        "    child = Forked(lambda: ctypes.CFUNCTYPE(ctypes.c_int)(at)())\n"
        "    if os.WIFSIGNALED(child.status): raise OSError(0, 'signal %d' % os.WTERMSIG(child.status))\n"
        "    if int(child.said) < 0: raise OSError(-int(child.said), os.strerror(-int(child.said)))\n"
        "    return child.said\n"
        "each_must_fail([('getpid', lambda: gate(20)), ('getuid', lambda: gate(24)), ('unshare', lambda: gate(310))])"
    )
