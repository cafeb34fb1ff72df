"""Attacks by network: out to the world, across to the host, in from it, and by the socket families that namespaces miss."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

from agentgym.sandboxes.attacks.arena import Arena, Succeeded, attack, refuse_if, require
from agentgym.sandboxes.attacks.bait import bait
from agentgym.sandboxes.conformance import sh

_OFF = "network_off"

_CONNECT = """
def attempt(address):
    socket.create_connection(tuple(address), 2).close()
each_must_fail([("%s:%s" % tuple(each), lambda each=each: attempt(each)) for each in ADDRESSES])
"""


@contextmanager
def _listener(kind: socket.SocketKind = socket.SOCK_STREAM) -> Iterator[tuple[socket.socket, list[tuple[str, int]]]]:
    """A socket of the driver's on every address, and the addresses at which the host knows it."""
    with closing(socket.socket(socket.AF_INET, kind)) as server:
        server.bind(("0.0.0.0", 0))
        if kind == socket.SOCK_STREAM:
            server.listen(8)
        server.settimeout(0.3)
        port = server.getsockname()[1]
        own = {"127.0.0.1"}
        with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as route, suppress(OSError):
            route.connect(("192.0.2.1", 9))  # sends nothing: it only picks the address that a packet would have
            own.add(route.getsockname()[0])
        yield server, [(address, port) for address in sorted(own)]


@attack(_OFF)
async def tcp_to_the_host(arena: Arena) -> str:
    """Connect to a server of the driver's on the host's loopback and its own address."""
    with _listener() as (_, addresses):
        return await arena.probe(_CONNECT, ADDRESSES=addresses)


@attack(_OFF)
async def udp_to_the_host(arena: Arena) -> str:
    """Send datagrams to a socket of the driver's."""
    with _listener(socket.SOCK_DGRAM) as (server, addresses):
        seen = await arena.probe(
            "out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\nmet = []\n"
            "for each in ADDRESSES:\n"
            "    try: out.sendto(b'hello', tuple(each))\n"
            "    except OSError as error: met.append(error.strerror)\n"
            "stopped('%d of %d could be sent %s' % (len(ADDRESSES) - len(met), len(ADDRESSES), met))",
            ADDRESSES=addresses,
        )
        with suppress(TimeoutError):
            refuse_if(server.recv(100), "a datagram arrived at the host")
        return f"none arrived; {seen}"


@attack(_OFF)
async def tcp_to_the_world(arena: Arena) -> str:
    """Connect to public resolvers, a documentation address and the cloud metadata address."""
    places = [("8.8.8.8", 53), ("1.1.1.1", 443), ("192.0.2.1", 80), ("169.254.169.254", 80)]
    return await arena.probe(_CONNECT, ADDRESSES=places)


@attack(_OFF)
async def a_route_out(arena: Arena) -> str:
    """Find any route that leads out of the box."""
    return await arena.probe(
        "def route(family, address):\n"
        "    out = socket.socket(family, socket.SOCK_DGRAM); out.connect((address, 9)); return out.getsockname()\n"
        "each_must_fail([(a, lambda a=a: route(socket.AF_INET, a)) for a in\n"
        "    ('192.0.2.1', '10.0.0.1', '172.17.0.1', '192.168.0.1', '169.254.169.254', '255.255.255.255')]\n"
        "    + [(a, lambda a=a: route(socket.AF_INET6, a)) for a in ('2001:db8::1', 'fd00:ec2::254')])"
    )


@attack(_OFF)
async def names_by_dns(arena: Arena) -> str:
    """Resolve a public name, by which data can leave without any connection."""
    return await arena.probe(
        "try: got(socket.getaddrinfo('example.com', 80))\nexcept socket.gaierror as error: stopped(error.strerror)"
    )


@attack(_OFF)
async def abstract_sockets_of_the_host(arena: Arena) -> str:
    """Connect to the driver's abstract Unix socket, which no mount namespace hides."""
    name = f"agentgym-attack-{os.getpid()}-{os.urandom(4).hex()}"
    with closing(socket.socket(socket.AF_UNIX)) as server:
        server.bind(f"\0{name}")
        server.listen()
        return await arena.probe(
            "if NAME in open('/proc/net/unix').read(): got('it is listed')\n"
            "socket.socket(socket.AF_UNIX).connect('\\0' + NAME); got('connected')",
            NAME=name,
        )


@attack(_OFF)
async def a_unix_socket_by_path(arena: Arena) -> str:
    """Connect to a daemon's socket file on the host: the container daemon's, and one of the driver's."""
    with bait() as host, closing(socket.socket(socket.AF_UNIX)) as server:
        server.bind(f"{host.place}/socket")
        server.listen()
        os.chmod(f"{host.place}/socket", 0o777)
        known = [
            "/var/run/docker.sock",
            "/run/docker.sock",
            "/run/containerd/containerd.sock",
            "/run/podman/podman.sock",
        ]
        return await arena.probe(
            "each_must_fail([(p, lambda p=p: socket.socket(socket.AF_UNIX).connect(p)) for p in PATHS])",
            PATHS=[f"{host.place}/socket", *known, "/run/systemd/private", "/run/dbus/system_bus_socket"],
        )


@attack(_OFF)
async def a_server_that_the_host_can_reach(arena: Arena) -> str:
    """Listen in the box on a port at which the host's own clients would arrive."""
    async with arena.fresh() as box:
        listening = await sh(
            box,
            "setsid python3 -c \"import socket, time; s = socket.create_server(('', 47653)); open('ready', 'w'); time.sleep(60)\""
            " >/dev/null 2>&1 & for i in $(seq 100); do test -e ready && exit; sleep 0.1; done; exit 1",
        )
        require(listening.ok, listening)
        try:
            socket.create_connection(("127.0.0.1", 47653), 1).close()
        except OSError as error:
            return f"the driver's connection was met by {error.strerror or error}"
        raise Succeeded("the driver connected to a server in the box")


@attack()
async def raw_and_packet_sockets(arena: Arena) -> str:
    """Open raw and packet sockets, to forge and to listen."""
    return await arena.probe(
        "each_must_fail([(n, lambda a=a: socket.socket(*a)) for n, a in {\n"
        "    'icmp': (2, socket.SOCK_RAW, 1), 'ip': (2, socket.SOCK_RAW, 255), 'icmp6': (10, socket.SOCK_RAW, 58),\n"
        "    'packet': (17, socket.SOCK_RAW, 0x300), 'cooked': (17, socket.SOCK_DGRAM, 0x300)}.items()])"
    )


@attack()
async def an_interface_by_netlink(arena: Arena) -> str:
    """Bring up loopback and make a new interface by netlink."""
    return await arena.probe(
        "def ask(kind, flags, index, change):\n"
        "    link = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0); link.bind((0, 0))\n"
        "    data = struct.pack('=BxHiII', 0, 0, index, 1, change)\n"
        "    if not index: data += struct.pack('=HH', 18, 18 | 1 << 15)[:0] + struct.pack('=HH8s', 12, 18,"
        " struct.pack('=HH', 8, 1) + b'ifb\\0')\n"
        "    link.send(struct.pack('=IHHII', 16 + len(data), kind, flags, 1, 0) + data)\n"
        "    error = -struct.unpack_from('=i', link.recv(4096), 16)[0]\n"
        "    if error: raise OSError(error, os.strerror(error))\n"
        "each_must_fail([('lo up', lambda: ask(16, 5, socket.if_nametoindex('lo'), 1)),\n"
        "                ('new', lambda: ask(16, 0x605, 0, 0))])"
    )


@attack("seccomp")
async def sockets_past_the_network_namespace(arena: Arena) -> str:
    """Reach the hypervisor by vsock, and kernel code that few maintain by rare socket families."""
    return await arena.probe(
        "rare = {'vsock': 40, 'alg': 38, 'key': 15, 'can': 29, 'rds': 21, 'bluetooth': 31, 'tipc': 30, 'nfc': 39, 'qipcrtr': 42,\n"
        "        'xdp': 44, 'smc': 43, 'kcm': 41, 'llc': 26, 'ax25': 3, 'x25': 9, 'rxrpc': 33, 'phonet': 35, 'pppox': 24}\n"
        "each_must_fail([('%s/%d' % (n, t), lambda f=f, t=t: socket.socket(f, t))\n"
        "                for n, f in rare.items() for t in (1, 2, 3, 5)])"
    )


@attack(_OFF)
async def other_interfaces(arena: Arena) -> str:
    """Find a network interface besides loopback."""
    return await arena.probe(
        "names = [n for _, n in socket.if_nameindex()]\n"
        "wired = sorted({l.split(':')[0].strip() for l in open('/proc/net/dev').read().splitlines()[2:]} | set(names))\n"
        "real = [n for n in wired if n != 'lo' and not n.startswith(('sit', 'tunl', 'gre', 'erspan', 'ip_vti', 'ip6',"
        " 'gretap'))]\n"
        "got(real) if real else stopped('there is only %s' % wired)"
    )
