"""Attacks on what is shown of the file system: writing the root, mounting over it, the overlay's layers, ways out of it."""

from __future__ import annotations

import os
import tempfile

from agentgym.sandboxes.attacks.arena import Arena, attack, refuse_if, require
from agentgym.sandboxes.attacks.bait import CONTENT, bait


@attack()
async def write_the_root(arena: Arena) -> str:
    """Make a file in each directory of the root and open its programs for writing."""
    return await arena.probe(
        "places = ['/', '/usr', '/usr/bin', '/usr/lib', '/usr/local', '/usr/local/bin', '/etc', '/run', '/var', '/dev',\n"
        "          '/usr/share', '/proc', '/sys', '/home', '/root', '/opt', '/srv', '/mnt', '/media', '/boot', '/var/lib',\n"
        "          '/var/log', '/run/lock', '/run/layer', '/var/spool', '/var/cache', '/dev/pts']\n"
        "make = lambda p: os.open(p + '/planted', os.O_CREAT | os.O_WRONLY)\n"
        "files = ['/etc/passwd', '/etc/hosts', '/etc/ld.so.cache', os.path.realpath(sys.executable), '/bin/sh', '/run/agent']\n"
        "each_must_fail([(p, lambda p=p: make(p)) for p in places if os.path.isdir(p)] +\n"
        "               [(p, lambda p=p: os.open(p, os.O_WRONLY)) for p in files])"
    )


@attack()
async def remount_for_writing(arena: Arena) -> str:
    """Remount the root, bind and mount over it, uncover what is hidden: by the old calls and the new."""
    return await arena.probe(
        "none = ctypes.create_string_buffer(64)\n"
        "each_must_fail([\n"
        "    ('remount', lambda: call('mount', None, b'/', None, 32, None)),\n"
        "    ('remount bind', lambda: call('mount', None, b'/usr', None, 32 | 4096, None)),\n"
        "    ('bind', lambda: call('mount', b'/tmp', b'/usr', None, 4096, None)),\n"
        "    ('tmpfs', lambda: call('mount', b'x', b'/tmp', b'tmpfs', 0, None)),\n"
        "    ('overlay', lambda: call('mount', b'x', b'/tmp', b'overlay', 0, b'lowerdir=/usr,upperdir=/tmp,workdir=/tmp')),\n"
        "    ('proc', lambda: call('mount', b'x', b'/tmp', b'proc', 0, None)),\n"
        "    ('umount', lambda: call('umount2', b'/usr/local', 2)),\n"
        "    ('umount workspace', lambda: call('umount2', b'/workspace', 2)),\n"
        "    ('fsopen', lambda: call('fsopen', b'tmpfs', 0)),\n"
        "    ('open_tree', lambda: call('open_tree', -100, b'/', 1)),\n"
        "    ('mount_setattr', lambda: call('mount_setattr', -100, b'/', 0, none, 32)),\n"
        "    ('move_mount', lambda: call('move_mount', -100, b'/tmp', -100, b'/usr', 0))])"
    )


@attack()
async def chroot_and_pivot(arena: Arena) -> str:
    """Leave the root by chroot and by pivot_root."""
    return await arena.probe(
        "os.makedirs('/tmp/new/old', exist_ok=True)\n"
        "each_must_fail([('chroot', lambda: os.chroot('/tmp/new')), ('chroot /', lambda: os.chroot('/')),\n"
        "    ('pivot_root', lambda: call('pivot_root', b'/tmp/new', b'/tmp/new/old')),\n"
        "    ('pivot_root .', lambda: call('pivot_root', b'.', b'.'))])"
    )


@attack()
async def files_by_handle(arena: Arena) -> str:
    """Open a file outside by its handle, which asks no path."""
    return await arena.probe(
        "handle = ctypes.create_string_buffer(struct.pack('=Ii', 8, 1) + struct.pack('=II', 2, 0), 128)\n"
        "mount = ctypes.create_string_buffer(8)\n"
        "root = os.open('/usr', os.O_RDONLY)\n"
        "def by_name():\n"
        "    room = ctypes.create_string_buffer(struct.pack('=Ii', 100, 0), 128)\n"
        "    call('name_to_handle_at', -100, b'/usr', room, mount, 0)\n"
        "    return call('open_by_handle_at', root, room, 0)\n"
        "each_must_fail([('inode 2', lambda: call('open_by_handle_at', root, handle, 0)), ('own', by_name)])"
    )


@attack()
async def devices_by_mknod(arena: Arena) -> str:
    """Make device nodes for memory, disks and the kernel's log, and open them."""
    return await arena.probe(
        "def make(kind, major, minor):\n"
        "    name = '/tmp/node-%d-%d' % (major, minor)\n"
        "    os.mknod(name, kind | 0o666, os.makedev(major, minor)); return os.open(name, os.O_RDONLY)\n"
        "each_must_fail([('%d:%d' % d[1:], lambda d=d: make(*d)) for d in [(0o020000, 1, 1), (0o020000, 1, 2),\n"
        "    (0o020000, 1, 11), (0o060000, 8, 0), (0o060000, 254, 0), (0o060000, 259, 0), (0o020000, 10, 229), (0o020000, 5, 1)]])"
    )


@attack()
async def devices_that_are_there(arena: Arena) -> str:
    """Open the host's devices: disks, memory, KVM, FUSE, tun, the console."""
    return await arena.probe(
        "names = 'mem kmem port kmsg sda vda nvme0n1 loop0 loop-control kvm fuse net/tun vsock vhost-net console tty0 input/event0'\n"
        "usual = {'null', 'zero', 'full', 'random', 'urandom', 'tty', 'ptmx', 'pts', 'shm', 'mqueue', 'fd', 'stdin', 'stdout',\n"
        "         'stderr', 'console', 'core', 'log'}\n"
        "more = [n for n in os.listdir('/dev') if n not in usual]\n"
        "each_must_fail([(n, lambda n=n: os.open('/dev/' + n, os.O_RDONLY)) for n in names.split() + more])"
    )


@attack("fork")
async def whiteouts_by_hand(arena: Arena) -> str:
    """Plant an overlay's own whiteout devices, so that a restore or a fork lacks a file of the frozen workspace."""
    with bait() as host:
        async with arena.fresh(workspace=host.place) as box:
            seen = await box.exec(
                ["python3", "-c", "import os\n"
                 "for name in ('file', 'first', 'kept'):\n"
                 "    try: os.mknod('planted', 0o020666, 0); os.rename('planted', name); print('made', end=' ')\n"
                 "    except OSError as error: print(error.strerror, end=' ')\n"]
            )  # fmt: skip
            require(seen.ok, seen)
            taken = await box.snapshot()
            twin = await box.fork()
            try:
                await box.restore(taken)
                await arena.backend.release(taken)
                views = [await each.exec(["bash", "-c", "find . -type c; cat file"]) for each in (box, twin)]
            finally:
                await twin.close()
        for view in views:
            inert = (
                b"made" in seen.stdout and view.stdout == b""
            )  # a device over a file of one's own is like its removal
            refuse_if(not inert and view.stdout != CONTENT.encode(), f"{seen.stdout!r}, then {view}")
        return f"mknod: {seen.stdout.decode().strip()}; no device is left after a restore or in a fork"


@attack("fork")
async def overlay_attributes(arena: Arena) -> str:
    """Plant overlay attributes on the workspace, so that a restore or a fork shows a directory of the attacker's choice."""
    with bait() as host:
        host.add("kept/file", "frozen\n")
        async with arena.fresh(workspace=host.place) as box:
            seen = await box.exec(
                ["python3", "-c", "import os\nmet = []\n"
                 "for name, value in [('opaque', b'y'), ('redirect', b'/usr'), ('metacopy', b''), ('origin', b'x' * 20),"
                 " ('overlay.opaque', b'y')]:\n"
                 "    for space in ('user', 'trusted'):\n"
                 "        for path in ('kept', 'kept/file', '.'):\n"
                 "            try: os.setxattr(path, f'{space}.overlay.{name}', value); met.append('set')\n"
                 "            except OSError as error: met.append(error.strerror)\n"
                 "print(sorted(set(met)))"]
            )  # fmt: skip
            require(seen.ok, seen)
            before = await box.exec(["bash", "-c", "find . | sort; cat kept/file"])
            taken = await box.snapshot()
            await box.restore(taken)
            await arena.backend.release(taken)
            twin = await box.fork()
            try:
                views = [await each.exec(["bash", "-c", "find . | sort; cat kept/file"]) for each in (box, twin)]
            finally:
                await twin.close()
            for view in views:
                same = view.stdout == before.stdout and b"frozen" in view.stdout
                refuse_if(not same, f"the view changed from {before.stdout!r} to {view.stdout!r}")
            return f"attributes: {seen.stdout.decode().strip()}; restore and fork show the same tree"


@attack()
async def the_frozen_layer(arena: Arena) -> str:
    """Change the host's copy of the workspace, or the frozen layer under it, through any path."""
    with bait() as host:
        async with arena.fresh(workspace=host.place) as box:
            done = await box.exec(
                ["bash", "-c", "echo changed > file; rm -f file; echo new > other; chmod 777 .; touch .;"
                 f" echo x > {host.file}; echo x > {host.place}/more; mkdir -p {host.place}; cat {host.file}"]
            )  # fmt: skip
        refuse_if(host.touched(), host.touched())
        return f"the host's tree is as it was; exit {done.exit_code}"


@attack()
async def out_by_links(arena: Arena) -> str:
    """Reach a file of the host by `..`, /proc/*/root, /proc/*/cwd and links that lead above the root."""
    with tempfile.NamedTemporaryFile("w", suffix="-host") as secret:
        secret.write("the host's")
        secret.flush()
        os.chmod(secret.name, 0o644)
        return await arena.probe(
            "name = PATH.lstrip('/')\n"
            "starts = ['/' + '../' * 20, '/proc/self/root/', '/proc/1/root/', '/proc/1/cwd/' + '../' * 20, '/proc/self/cwd/' + '../' * 20]\n"
            "starts += ['/proc/%s/root/' % p for p in os.listdir('/proc') if p.isdigit()]\n"
            "try: os.symlink('../' * 40, 'up')\n"
            "except FileExistsError: pass\n"
            "each_must_fail([(s, lambda s=s: open(s + name).read()) for s in [*starts, os.path.abspath('up') + '/', '/']])",
            PATH=secret.name,
        )


@attack()
async def hard_links_to_the_root(arena: Arena) -> str:
    """Hard-link a system file into the workspace and write it there."""
    return await arena.probe(
        "def plant(source, target):\n"
        "    os.link(source, target); return os.open(target, os.O_WRONLY)\n"
        "each_must_fail([('%s > %s' % (s, t), lambda s=s, t=t: plant(s, t + '/linked')) for s in\n"
        "    ('/etc/passwd', '/bin/sh', '/run/agent', '/proc/self/environ') for t in ('/workspace', '/tmp')])"
    )
