"""The program that starts a submission so that it can start no other: no interpreter, compiler or shell. Imported by nobody.

Sent as text, run as `python3 -I -S -c TEXT PROGRAM ARGUMENT...`.  It puts a filter on itself, under which `execve` works
with one pointer only, that of the path which it is about to start, and replaces itself.  In the new program that address
means nothing; threads and forks go on working.
"""

import ctypes
import os
import platform
import shutil
import struct
import sys

_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _EPERM = 0x7FFF0000, 0x00050001
_CALLS = {"x86_64": (0xC000003E, 59, 322), "aarch64": (0xC00000B7, 221, 281)}


def program(pointer: int) -> bytes:
    """execve with another path than the one at `pointer`, and execveat: not permitted. Other architectures: nothing is."""
    arch, execve, execveat = _CALLS[platform.machine()]
    instructions = [
        (_LOAD, 0, 0, 4), (_EQUAL, 0, 8, arch),
        (_LOAD, 0, 0, 0), (_EQUAL, 6, 0, execveat), (_EQUAL, 0, 4, execve),
        (_LOAD, 0, 0, 16), (_EQUAL, 0, 3, pointer & 0xFFFFFFFF),
        (_LOAD, 0, 0, 20), (_EQUAL, 0, 1, pointer >> 32),
        (_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _EPERM),
    ]  # fmt: skip
    return b"".join(struct.pack("=HBBI", *each) for each in instructions)


def start(argv: "list[str]") -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    path = ctypes.create_string_buffer(os.fsencode(shutil.which(argv[0]) or argv[0]))
    words = (ctypes.c_char_p * (len(argv) + 1))(*map(os.fsencode, argv), None)
    names = [os.fsencode(f"{name}={value}") for name, value in os.environ.items()]
    environment = (ctypes.c_char_p * (len(names) + 1))(*names, None)
    text = ctypes.create_string_buffer(program(ctypes.addressof(path)))
    filter_ = ctypes.create_string_buffer(struct.pack("@HP", (len(text) - 1) // 8, ctypes.addressof(text)))
    if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, filter_, 0, 0):
        sys.exit("the filter could not be set")
    libc.execve(path, words, environment)
    sys.exit(f"{argv[0]} could not be started: {os.strerror(ctypes.get_errno())}")


if __name__ == "__main__":
    start(sys.argv[1:])
