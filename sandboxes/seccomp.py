"""The system calls that a box has no use for, as a seccomp filter assembled by hand.

Not an allow-list: everything else goes through, so that any interpreter or compiler runs.  What is refused (EPERM)
are the calls that widen the kernel's attack surface: tracing, keyrings, BPF, io_uring, namespaces, modules.  The agent is
under the filter too, and mounts: so `mount` and `umount2` pass it, and fail for commands by want of capabilities.
"""

from __future__ import annotations

import platform
import struct

_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _EPERM = 0x7FFF0000, 0x00050001
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
    "setdomainname": (171, 162),
    "sethostname": (170, 161),
    "setns": (308, 268),
    "settimeofday": (164, 170),
    "swapoff": (168, 225),
    "swapon": (167, 224),
    "syslog": (103, 116),
    "unshare": (272, 97),
    "userfaultfd": (323, 282),
    "vhangup": (153, 58),
}


def program() -> bytes | None:
    """The filter for this machine, as `bwrap --seccomp` takes it; None on a machine not in the table."""
    machine = platform.machine()
    if machine not in _AUDIT:
        return None
    column = list(_AUDIT).index(machine)
    denied = sorted(number for row in _DENIED.values() if (number := row[column]) is not None)
    tests = [(_EQUAL, number) for number in denied]
    if machine == "x86_64":
        tests.append((_AT_LEAST, _X32))  # the same calls again under other numbers
    # load arch; not ours -> deny; load number; any test hits -> deny; allow; deny
    instructions = [(_LOAD, 0, 0, 4), (_EQUAL, 0, len(tests) + 2, _AUDIT[machine]), (_LOAD, 0, 0, 0)]
    instructions += [(test, len(tests) - at, 0, value) for at, (test, value) in enumerate(tests)]
    instructions += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _EPERM)]
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in instructions)
