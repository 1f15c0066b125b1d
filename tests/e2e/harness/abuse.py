"""Clients that do not behave: junk, half-open connections, requests that never end.

They come from another address than the well-behaved ones, as far as the server can tell.
"""

import contextlib
import socket
import struct
import time
from collections.abc import Iterator

SOURCE = "127.0.0.66"
"""Where they come from. All of 127.0.0.0/8 is loopback."""

OPENING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\x04\0\0\0\0\0"
"""What a client of HTTP/2 says first, without settings of its own."""

SERVICE = "/temporal.api.workflowservice.v1.WorkflowService/"

END_STREAM, END_HEADERS = 1, 4


def headers(stream: int, method: str, flags: int, token: str = "") -> bytes:
    """A call's headers, as literals: no table is needed to read them."""
    block = b"\x83\x86"  # :method POST, :scheme http
    named = [(":path", SERVICE + method), ("content-type", "application/grpc")]
    if token:
        named.append(("authorization", f"Bearer {token}"))
    for name, value in named:
        block += b"\0" + length(name) + name.encode() + length(value) + value.encode()
    return struct.pack(">I", len(block))[1:] + bytes([1, flags]) + struct.pack(">I", stream) + block


def length(text: str) -> bytes:
    """The length of a literal, as HPACK has it."""
    rest, said = len(text) - 127, bytes([127])
    if rest < 0:
        return bytes([len(text)])
    while rest >= 128:
        said += bytes([rest % 128 + 128])
        rest //= 128
    return said + bytes([rest])


def connect(address: str, source: str = SOURCE) -> socket.socket:
    """A plain connection."""
    host, port = address.split(":")
    return socket.create_connection((host, int(port)), timeout=5, source_address=(source, 0))


def junk(address: str, count: int, token: str = "") -> tuple[int, int]:
    """Makes `count` calls without credentials, or with bad ones, as fast as it can, over as many
    connections as it gets. How many were sent, and over how many connections."""
    flags = END_STREAM | END_HEADERS
    calls = [headers(2 * number + 1, "ListNamespaces", flags, token) for number in range(1000)]
    batch = b"".join(calls)
    sent = connections = 0
    while sent < count:
        try:
            with connect(address) as connection:
                connections += 1
                connection.settimeout(2)
                connection.sendall(OPENING + batch)
                sent += len(calls)
                while connection.recv(65536):
                    pass
        except OSError:
            # Refused or cut: that is what ought to happen. It counts as sent.
            sent += 1
    return sent, connections


@contextlib.contextmanager
def held(address: str, count: int, said: bytes) -> Iterator[list[socket.socket]]:
    """Connections that say this and nothing more."""
    connections: list[socket.socket] = []
    try:
        for _ in range(count):
            with contextlib.suppress(OSError):
                connection = connect(address)
                connections.append(connection)
                connection.sendall(said)
        yield connections
    finally:
        for connection in connections:
            connection.close()


def half_open(address: str, count: int):
    """Connections that never begin to speak."""
    return held(address, count, b"")


def unfinished(address: str, count: int):
    """Connections with a call of an open method whose message never comes."""
    return held(address, count, OPENING + headers(1, "GetSystemInfo", END_HEADERS))


def is_over(connection: socket.socket, answered_is_over: bool = False) -> bool:
    """Whether the server has ended a connection or, if that is enough, answered its call."""
    connection.setblocking(False)
    said = b""
    try:
        while True:
            piece = connection.recv(65536)
            if not piece:
                return True
            said += piece
    except BlockingIOError:
        return has_answer(said, answered_is_over)
    except OSError:
        return True


def has_answer(said: bytes, wanted: bool) -> bool:
    """Whether there are headers on the first stream among the frames."""
    while wanted and len(said) >= 9:
        length, kind = int.from_bytes(said[:3], "big"), said[3]
        if kind == 1 and int.from_bytes(said[5:9], "big") == 1:
            return True
        said = said[9 + length :]
    return False


def until_over(connections: list[socket.socket], seconds: float, answered: bool = False) -> int:
    """Waits until the server has ended all of them; how many it has not."""
    deadline, left = time.monotonic() + seconds, connections
    while left and time.monotonic() < deadline:
        left = [connection for connection in left if not is_over(connection, answered)]
        time.sleep(0.05)  # between two looks at a condition
    return len(left)
