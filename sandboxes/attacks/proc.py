"""Attacks through /proc and /sys: the kernel's settings, and the files of other processes.

They open for writing and write nothing: where that works, the rest would.
"""

from __future__ import annotations

from agentgym.sandboxes.attacks.arena import Arena, attack


@attack()
async def kernel_settings(arena: Arena) -> str:
    """Set what runs on a crash, when modules load, how names are logged: files of /proc/sys."""
    return await arena.probe(
        "names = 'kernel/core_pattern kernel/modprobe kernel/hotplug kernel/panic kernel/sysrq kernel/randomize_va_space'\n"
        "names += ' kernel/yama/ptrace_scope kernel/unprivileged_bpf_disabled vm/overcommit_memory vm/drop_caches fs/file-max'\n"
        "names += ' fs/binfmt_misc/register fs/suid_dumpable net/ipv4/ip_forward net/core/bpf_jit_enable kernel/hostname'\n"
        "names += ' kernel/domainname user/max_user_namespaces user/max_pid_namespaces kernel/shmall kernel/shm_rmid_forced'\n"
        "names += ' kernel/msgmni kernel/ns_last_pid kernel/pid_max kernel/poweroff_cmd fs/mqueue/queues_max vm/panic_on_oom'\n"
        "writable(*['/proc/sys/' + n for n in names.split() if os.path.exists('/proc/sys/' + n)])"
    )


@attack()
async def any_writable_setting(arena: Arena) -> str:
    """Look for any file under /proc/sys that opens for writing."""
    return await arena.probe(
        "met, tried = set(), 0\n"
        "for top, _, files in os.walk('/proc/sys'):\n"
        "    for name in files:\n"
        "        tried += 1\n"
        "        try: os.open(os.path.join(top, name), os.O_WRONLY)\n"
        "        except OSError as error: met.add(errno.errorcode[error.errno])\n"
        "        else: got(os.path.join(top, name))\n"
        "stopped('%d files: %s' % (tried, ', '.join(sorted(met))))"
    )


@attack()
async def magic_triggers(arena: Arena) -> str:
    """Open the kernel's levers: SysRq, scheduling debug, memory hot-plug, power, cgroups, firmware, irq affinity."""
    return await arena.probe(
        "writable(*[p for p in ('/proc/sysrq-trigger', '/proc/irq/default_smp_affinity', '/proc/mtrr', '/proc/acpi', '/proc/scsi',\n"
        "    '/proc/timer_stats', '/proc/latency_stats', '/proc/bus', '/proc/fs', '/proc/sched_debug', '/sys/power/state',\n"
        "    '/sys/kernel/uevent_helper', '/sys/kernel/mm/ksm/run', '/sys/fs/cgroup/cgroup.procs', '/sys/fs/cgroup/memory/tasks',\n"
        "    '/sys/fs/cgroup/release_agent', '/sys/kernel/vmcoreinfo', '/sys/kernel/debug', '/sys/kernel/security',\n"
        "    '/sys/module/kernel/parameters/panic', '/sys/bus/pci/rescan', '/sys/firmware/efi/vars', '/proc/sysrq-trigger')])"
    )


@attack()
async def files_of_pid_1(arena: Arena) -> str:
    """Open the agent's memory, descriptors, environment, root, name spaces and the files that steer it."""
    return await arena.probe(
        "def listed(path):\n"
        "    found = os.listdir(path)\n"
        "    if not found: raise OSError(0, 'empty')\n"
        "    return found\n"
        "reads = 'mem environ maps auxv stack syscall personality io pagemap smaps wchan2 root/etc timers'.split()\n"
        "writes = 'mem oom_score_adj oom_adj clear_refs comm coredump_filter uid_map gid_map setgroups autogroup'\n"
        "each_must_fail([('read ' + n, lambda n=n: os.read(os.open('/proc/1/' + n, os.O_RDONLY), 8) or stopped('')) for n in reads\n"
        "                if n not in ('wchan2', 'timers')]\n"
        "    + [('write ' + n, lambda n=n: os.open('/proc/1/' + n, os.O_WRONLY)) for n in writes.split()]\n"
        "    + [('list ' + n, lambda n=n: listed('/proc/1/' + n)) for n in ('fd', 'fdinfo', 'map_files', 'cwd', 'root')]\n"
        "    + [('fd %d' % n, lambda n=n: os.open('/proc/1/fd/%d' % n, os.O_RDWR)) for n in range(8)]\n"
        "    + [('ns ' + n, lambda n=n: os.readlink('/proc/1/ns/' + n)) for n in ('mnt', 'user', 'net', 'pid')])"
    )


@attack()
async def a_lower_oom_score(arena: Arena) -> str:
    """Become the last process that the kernel would kill for memory, before the agent."""
    return await arena.probe(
        "def lower(value):\n"
        "    os.write(os.open('/proc/self/oom_score_adj', os.O_WRONLY), b'%d' % value)\n"
        "    return open('/proc/self/oom_score_adj').read()\n"
        "each_must_fail([(v, lambda v=v: lower(v)) for v in (-1000, -999, -500, -1)])"
    )


@attack()
async def more_than_its_limits(arena: Arena) -> str:
    """Raise its own resource limits."""
    return await arena.probe(
        "import resource as r\n"
        "def raised(kind):\n"
        "    hard = r.getrlimit(kind)[1]\n"
        "    if hard == r.RLIM_INFINITY: raise OSError(0, 'no limit is set')\n"
        "    try: r.setrlimit(kind, (hard + 1, hard + 1))\n"
        "    except ValueError as error: raise PermissionError(errno.EPERM, str(error))\n"
        "each_must_fail([(k, lambda k=k: raised(getattr(r, 'RLIMIT_' + k))) for k in ('NPROC', 'FSIZE', 'NOFILE', 'CORE', 'AS')])"
    )
