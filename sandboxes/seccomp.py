"""The system calls that a box has no use for, as a seccomp filter assembled by hand.

Not an allow-list: everything else goes through, so that any interpreter or compiler runs.  What is refused (EPERM):

- what widens the kernel's attack surface: tracing, keyrings, BPF, io_uring, namespaces, modules, rare socket families,
  of which vsock reaches the hypervisor past any network namespace;
- what works on the agent, which is process 1 and runs as the same user: its limits, its priority, its processors;
- what makes objects that outlive all processes, so that killing those neither frees memory nor cleans up for a
  `restore`: System V segments, semaphores and queues, POSIX queues.

The agent is under the filter too, and mounts: so `mount` and `umount2` pass it, and fail for commands by want of
capabilities.
"""

from __future__ import annotations

import functools
import platform
import struct

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _EPERM, _ENOSYS = 0x7FFF0000, 0x00050001, 0x00050026
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
"""Where in its data the filter finds them. Of an argument's eight bytes it looks at the lower four, as the calls do."""
_X32 = 0x40000000
_AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

_DENIED = {  # name: (x86_64, aarch64)
    "acct": (163, 89),
    "add_key": (248, 217),
    "adjtimex": (159, 171),
    "bpf": (321, 280),
    "chroot": (161, 51),
    "clock_adjtime": (305, 266),
    "clock_settime": (227, 112),
    "delete_module": (176, 106),
    "fanotify_init": (300, 262),
    "finit_module": (313, 273),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fsopen": (430, 430),
    "fspick": (433, 433),
    "init_module": (175, 105),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "io_uring_setup": (425, 425),
    "ioperm": (173, None),
    "iopl": (172, None),
    "kcmp": (312, 272),
    "kexec_file_load": (320, 294),
    "kexec_load": (246, 104),
    "keyctl": (250, 219),
    "lookup_dcookie": (212, 18),
    "modify_ldt": (154, None),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "mq_open": (240, 180),
    "msgget": (68, 186),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "perf_event_open": (298, 241),
    "pidfd_getfd": (438, 438),
    "pivot_root": (155, 41),
    "process_madvise": (440, 440),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "reboot": (169, 142),
    "request_key": (249, 218),
    "semget": (64, 190),
    "setdomainname": (171, 162),
    "sethostname": (170, 161),
    "setns": (308, 268),
    "settimeofday": (164, 170),
    "shmget": (29, 194),
    "swapoff": (168, 225),
    "swapon": (167, 224),
    "syslog": (103, 116),
    "unshare": (272, 97),
    "userfaultfd": (323, 282),
    "vhangup": (153, 58),
}

_NAMESPACES = 0x7E020000
_AGENT, _OF_A_USER, _IO_OF_A_USER = 1, 2, 3

_DENIED_WITH = [  # (x86_64, aarch64), which argument, the test, its value
    ((56, 220), 0, _ANY_BIT, _NAMESPACES),  # clone
    ((302, 261), 0, _EQUAL, _AGENT),  # prlimit64
    ((203, 122), 0, _EQUAL, _AGENT),  # sched_setaffinity
    ((142, 118), 0, _EQUAL, _AGENT),  # sched_setparam
    ((144, 119), 0, _EQUAL, _AGENT),  # sched_setscheduler
    ((314, 274), 0, _EQUAL, _AGENT),  # sched_setattr
    ((141, 140), 0, _EQUAL, _OF_A_USER),  # setpriority
    ((141, 140), 1, _EQUAL, _AGENT),
    ((251, 30), 0, _EQUAL, _IO_OF_A_USER),  # ioprio_set
    ((251, 30), 1, _EQUAL, _AGENT),
]
_SOCKET = (41, 198)
_FAMILIES = (1, 2, 10, 16)
"""Of sockets: Unix, IPv4, IPv6, netlink (by which a C library lists interfaces)."""
_CLONE3 = (435, 435)
"""Its flags lie in memory, where no filter looks. Told that it is not there, C libraries use clone."""

_Instruction = tuple[int, int, int, int]


@functools.cache
def program() -> bytes | None:
    """The filter for this machine, as the kernel takes it; None on a machine not in the table."""
    machine = platform.machine()
    if machine not in _AUDIT:
        return None
    column = list(_AUDIT).index(machine)
    denied = sorted(number for row in _DENIED.values() if (number := row[column]) is not None)
    tests = [(_EQUAL, number) for number in denied]
    if machine == "x86_64":
        tests.append((_AT_LEAST, _X32))  # the same calls again under other numbers
    # load arch; not ours -> deny; load number; a test hits -> deny; else past deny; then by argument; allow
    filter_: list[_Instruction] = [(_LOAD, 0, 0, _ARCHITECTURE), (_EQUAL, 0, len(tests) + 1, _AUDIT[machine])]
    filter_.append((_LOAD, 0, 0, _NUMBER))
    last = len(tests) - 1
    filter_ += [(test, last - at, at == last, value) for at, (test, value) in enumerate(tests)]
    filter_.append((_RETURN, 0, 0, _EPERM))
    filter_ += [(_EQUAL, 0, 1, _CLONE3[column]), (_RETURN, 0, 0, _ENOSYS)]
    for numbers, argument, test, value in _DENIED_WITH:
        hit: list[_Instruction] = [(test, 0, 1, value), (_RETURN, 0, 0, _EPERM)]
        filter_ += _if_called(numbers[column], argument, hit)
    known = [(_EQUAL, len(_FAMILIES) - at, 0, family) for at, family in enumerate(_FAMILIES)]
    filter_ += _if_called(_SOCKET[column], 0, [*known, (_RETURN, 0, 0, _EPERM)])
    filter_.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in filter_)


def _if_called(number: int, argument: int, then: list[_Instruction]) -> list[_Instruction]:
    """Instructions that run `then` with an argument loaded if it is this call; the number is loaded before and after."""
    load = (_LOAD, 0, 0, _ARGUMENTS + 8 * argument)
    return [(_EQUAL, 0, len(then) + 2, number), load, *then, (_LOAD, 0, 0, _NUMBER)]
