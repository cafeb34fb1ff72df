"""What a probe inside a box can use: raw system calls by name, and two ways to say how it went.

A probe is a few lines of Python run by the box's own interpreter.  It ends with `got(what)` or `stopped(by)`; an OSError
that it does not catch is what stopped it.  Nothing printed in any other way counts.
"""

from __future__ import annotations

import base64
import json

_PRELUDE = r"""
import ctypes, errno, os, platform, signal, socket, struct, sys, time

_GOT, _STOPPED = "@got ", "@stopped "
_COLUMN = {"x86_64": 0, "aarch64": 1}.get(platform.machine())
_NUMBERS = {  # name: (x86_64, aarch64)
    "acct": (163, 89), "add_key": (248, 217), "adjtimex": (159, 171), "bpf": (321, 280), "capset": (126, 91),
    "chroot": (161, 51), "clone": (56, 220), "clone3": (435, 435), "delete_module": (176, 106), "fsopen": (430, 430),
    "init_module": (175, 105), "io_uring_setup": (425, 425), "ioprio_set": (251, 30), "kexec_load": (246, 104),
    "keyctl": (250, 219), "landlock_create_ruleset": (444, 444), "mknodat": (259, 33), "mount": (165, 40),
    "mount_setattr": (442, 442), "move_mount": (429, 429), "mq_open": (240, 180), "msgget": (68, 186),
    "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265), "open_tree": (428, 428),
    "perf_event_open": (298, 241), "pidfd_getfd": (438, 438), "pidfd_open": (434, 434), "pivot_root": (155, 41),
    "prlimit64": (302, 261), "process_madvise": (440, 440), "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271), "ptrace": (101, 117), "reboot": (169, 142), "request_key": (249, 218),
    "semget": (64, 190), "sethostname": (170, 161), "setns": (308, 268), "setpriority": (141, 140),
    "settimeofday": (164, 170), "shmget": (29, 194), "swapon": (167, 224), "syslog": (103, 116), "umount2": (166, 39),
    "unshare": (272, 97), "userfaultfd": (323, 282), "vhangup": (153, 58),
}
_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long


def _end(text):
    sys.stdout.flush()
    os.write(1, ("\n" + text + "\n").encode("utf-8", "replace"))
    os._exit(0)


def got(what):
    _end(_GOT + repr(what)[:600])


def stopped(by):
    if isinstance(by, OSError):
        by = "%s (%s)" % (errno.errorcode.get(by.errno, by.errno), by.strerror) if by.errno else str(by)
    _end(_STOPPED + str(by)[:600])


def raw(number, *arguments):
    "A system call by number; its result, or OSError."
    words = [each if isinstance(each, (bytes, ctypes.Array, type(None))) else
             ctypes.byref(each) if isinstance(each, ctypes.Structure) else ctypes.c_long(each) for each in arguments]
    ctypes.set_errno(0)
    result = _libc.syscall(ctypes.c_long(number), *words)
    if result == -1 and ctypes.get_errno():
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def call(name, *arguments):
    "A system call by name; its result, or OSError."
    return raw(_NUMBERS[name][_COLUMN], *arguments)


def each_must_fail(attempts):
    "A list of (name, function): got the first that works, or stopped by what each met."
    met = {}
    for name, attempt in attempts:
        try:
            result = attempt()
        except OSError as error:
            why = errno.errorcode.get(error.errno) or error.strerror or str(error)
            met.setdefault(why, []).append(str(name))
        else:
            got((name, result))
    stopped("; ".join("%s: %s" % (why, ", ".join(names)) for why, names in met.items()))


def writable(*paths):
    "Open each for writing, and nothing more: that alone would be too much."
    each_must_fail([(path, lambda path=path: os.open(path, os.O_WRONLY)) for path in paths])


class Forked:
    "Run a function in a child; its wait status, and what it returned as text."
    def __init__(self, function):
        out, into = os.pipe()
        self.pid = os.fork()
        if not self.pid:
            try:
                os.write(into, str(function()).encode())
            except OSError as error:
                os.write(into, ("OSError " + errno.errorcode.get(error.errno, "?")).encode())
            finally:
                os._exit(0)
        os.close(into)
        self.status = os.waitpid(self.pid, 0)[1]
        self.said = os.read(out, 4096).decode()
"""

_RUN = """
try:
    exec(compile(base64.b64decode(_SCRIPT), "<probe>", "exec"), globals())
except OSError as error:
    stopped(error)
"""


def with_prelude(script: str, values: dict[str, object]) -> str:
    """The whole program: helpers, the attack's values as globals, the script."""
    given = "".join(f"{name} = json.loads({json.dumps(value)!r})\n" for name, value in values.items())
    packed = base64.b64encode(script.encode()).decode()
    return f"import base64, json\n{_PRELUDE}\n{given}_SCRIPT = {packed!r}\n{_RUN}"


def verdict(output: bytes) -> tuple[bool, str] | None:
    """(whether it got what it wanted, what was seen); None if the probe did not come to its end."""
    for line in reversed(output.decode("utf-8", "replace").splitlines()):
        for mark, success in (("@got ", True), ("@stopped ", False)):
            if line.startswith(mark):
                return success, line.removeprefix(mark)
    return None
