"""Conformance of the walls: network, root file system, user, processes, memory, and what may not be seen."""

from __future__ import annotations

from agentgym.sandboxes.conformance import Backend, box, check, expect, out, sh

_CONNECT = """
import socket
for address in (("192.0.2.1", 80), ("8.8.8.8", 53), ("169.254.169.254", 80)):
    try:
        socket.create_connection(address, 2)
    except OSError:
        continue
    raise SystemExit(f"reached {address}")
print(sorted(name for _, name in socket.if_nameindex()))
"""

_FORBIDDEN = """
import ctypes, platform
libc = ctypes.CDLL(None, use_errno=True)
numbers = {"x86_64": dict(ptrace=101, bpf=321, keyctl=250, io_uring=425, unshare=272, userfaultfd=323),
           "aarch64": dict(ptrace=117, bpf=280, keyctl=219, io_uring=425, unshare=97, userfaultfd=282)}
for name, number in numbers[platform.machine()].items():
    if libc.syscall(number, 0, 0, 0, 0, 0) != -1 or ctypes.get_errno() != 1:
        raise SystemExit(f"{name} is allowed")
"""


@check("network_off")
async def no_network(backend: Backend) -> None:
    async with box(backend) as sandbox:
        done = await sandbox.exec(["python3", "-c", _CONNECT])
        expect(done.ok and done.stdout in (b"['lo']\n", b"[]\n"), done)


@check()
async def the_usual_programs_work(backend: Backend) -> None:
    async with box(backend) as sandbox:
        for line in ("python3 -c 'import json, ssl, sqlite3, ctypes, venv; print(1)'", "python -V", "bash --version"):
            await out(sandbox, line)
        await out(sandbox, "git init -q . && printf 'a\\nb\\n' > f && git add f && git diff --cached --stat | grep f")
        await out(
            sandbox, "sed s/a/c/ f > g; diff f g | grep '> c' && ls | sort | head -1 && awk 1 f && find . -name g"
        )
        expect("import" in await out(sandbox, "python3 -c 'import this, os; print(\"import\", os.getuid())'"), "python")
        await out(
            sandbox, "echo x > /dev/null; head -c 3 /dev/urandom | wc -c; test -w /tmp -a -w /dev/shm -a -w $HOME"
        )


@check()
async def no_packages_of_the_host(backend: Backend) -> None:
    async with box(backend) as sandbox:
        for name in ("pip", "yaml", "pytest", "numpy", "agentgym", "pydantic", "apt"):
            done = await sandbox.exec(["python3", "-c", f"import {name}"])
            expect(not done.ok and b"ModuleNotFoundError" in done.stderr, f"{name} can be imported: {done}")
        found = await out(sandbox, "find / /usr -xdev -path '*-packages/*' 2>/dev/null | head -3")
        expect(not found, f"packages of the host are in sight: {found}")


@check()
async def nothing_of_the_host_is_seen(backend: Backend) -> None:
    async with box(backend) as sandbox:
        expect(not (await sandbox.exec(["test", "-e", __file__])).ok, f"the host's {__file__} is in sight")
        first = await out(sandbox, "tr '\\0' '\\n' < /proc/1/cmdline; cat /proc/1/environ 2>/dev/null || true")
        expect("bind" not in first and "SECRET" not in first, first)
        pids = await out(sandbox, "ls /proc | grep -c '^[0-9]'")
        expect(int(pids) < 10, f"{pids} processes are in sight")
        done = await sh(sandbox, "cat /etc/shadow; ls /proc/1/fd")
        expect(not done.stdout, done)


@check()
async def the_root_is_read_only(backend: Backend) -> None:
    async with box(backend) as sandbox:
        for place in (
            "/",
            "/usr",
            "/usr/bin",
            "/usr/local",
            "/usr/local/bin",
            "/etc",
            "/run",
            "/var",
            "/proc/sys/kernel",
        ):
            done = await sh(sandbox, f"echo x > {place}/planted")
            expect(not done.ok, f"{place} is writable")
        done = await sh(sandbox, "echo 1 > /proc/sys/kernel/panic; echo b > /proc/sysrq-trigger")
        expect(not done.ok, "the kernel's settings are writable")


@check()
async def the_user_has_no_powers(backend: Backend) -> None:
    async with box(backend) as sandbox:
        status = await out(sandbox, "id -u; grep -E '^(CapEff|CapPrm|CapBnd|CapAmb|NoNewPrivs)' /proc/self/status")
        expect(not status.startswith("0\n"), "commands run as root")
        expect(all(int(line.split()[1], 16) == 0 for line in status.splitlines() if line.startswith("Cap")), status)
        expect("NoNewPrivs:\t1" in status, status)
        for script in ("unshare -Ur true", "unshare -m true", "mount -t tmpfs x /tmp", "chroot / true", "su -c true"):
            expect(not (await sh(sandbox, script)).ok, f"`{script}` is possible")
        done = await sh(sandbox, "head -c 1 /proc/1/mem; cat /proc/1/maps; echo x > /proc/1/mem")
        expect(not done.stdout and not done.ok, "the agent's memory is in reach")


@check("seccomp")
async def system_calls_are_filtered(backend: Backend) -> None:
    async with box(backend) as sandbox:
        done = await sandbox.exec(["python3", "-c", _FORBIDDEN])
        expect(done.ok, done.stderr)
        expect("Seccomp:\t2" in await out(sandbox, "cat /proc/self/status"), "no filter is in force")


@check("processes")
async def a_fork_bomb_is_contained(backend: Backend) -> None:
    async with box(backend) as bombed, box(backend) as neighbour:
        await sh(bombed, "bomb() { bomb | bomb & }; bomb; sleep 1", timeout=10)
        expect((await sh(neighbour, "for i in $(seq 20); do sleep 1 & done; wait")).ok, "a neighbour could not fork")
        alive = await bombed.exec(["true"], timeout=20)
        expect(alive.exit_code is not None or alive.killed_by, alive)
        await bombed.exec(["sleep", "99"], timeout=0.2)
        expect(await out(bombed, "(echo still); ls >/dev/null") == "still\n", "the box is of no more use")


@check("processes")
async def processes_are_counted(backend: Backend) -> None:
    async with box(backend) as sandbox:
        done = await sandbox.exec(
            [
                "python3",
                "-c",
                "import os, time\n"
                "try:\n  for i in range(200):\n"
                "    if not os.fork(): time.sleep(9); os._exit(0)\nexcept OSError: pass\nprint(i)",
            ],
            timeout=20,
        )
        started = int(done.stdout.splitlines()[-1])
        expect(30 <= started <= 48, f"{started} processes of 48 could be started")


@check("memory")
async def a_memory_hog_is_data(backend: Backend) -> None:
    async with box(backend) as sandbox:
        done = await sandbox.exec(["python3", "-c", "x = bytearray(1 << 30); print(len(x))"], timeout=30)
        expect(done.killed_by == "memory" or b"MemoryError" in done.stderr, done)
        expect(await out(sandbox, "echo alive") == "alive\n", "the box did not survive")


@check("memory")
async def many_hogs_are_data(backend: Backend) -> None:
    async with box(backend) as sandbox:
        hog = "python3 -c 'import time; x = bytearray(60 << 20); time.sleep(3)'"
        await sh(sandbox, f"for i in $(seq 12); do {hog} & done; wait", timeout=40)
        expect(await out(sandbox, "echo alive") == "alive\n", "the box did not survive")
