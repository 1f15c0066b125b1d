"""Clients that do not behave: junk, half-open connections, requests that never end.

They come from another address than the well-behaved ones, as far as the server can tell.
"""

import contextlib
import socket
import struct
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass

SOURCE = "127.0.0.66"
"""Where they come from. All of 127.0.0.0/8 is loopback."""

SOURCES = [f"127.0.1.{number}" for number in range(1, 17)]
"""The same for an attack from many addresses at once."""

OPENING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\x04\0\0\0\0\0"
"""What a client of HTTP/2 says first, without settings of its own."""

SERVICE = "/temporal.api.workflowservice.v1.WorkflowService/"

END_STREAM, END_HEADERS = 1, 4

HEADERS = 1
"""The kind of the frame that an answer begins with."""

JUNK_AT_ONCE = 1000
"""Calls that are under way at once on a connection of junk."""


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


@dataclass
class Junk:
    """What came of junk."""

    sent: int = 0
    """Requests that were sent."""
    answered: int = 0
    """Those of them that were answered; the connections of the others were cut."""
    connections: int = 0
    """Connections that were made."""
    turned_away: int = 0
    """Connections that were not: they ended before anything was said."""


def junk(address: str, count: int, token: str = "", sources: Sequence[str] = (SOURCE,)) -> Junk:
    """Makes `count` calls without credentials, or with bad ones, as fast as the server takes them:
    a thousand at once from each of these addresses, over connection after connection."""
    with ThreadPoolExecutor(len(sources)) as pool:
        share = -(-count // len(sources))
        senders = [pool.submit(_junk_from, source, address, share, token) for source in sources]
        parts = [sender.result() for sender in senders]
    return Junk(*(sum(values) for values in zip(*map(astuple, parts), strict=True)))


def _junk_from(source: str, address: str, count: int, token: str) -> Junk:
    told = Junk()
    while told.sent < count:
        before = told.sent
        with contextlib.suppress(OSError), connect(address, source) as connection:
            _fill(connection, told, count, token)
        if told.sent > before:
            told.connections += 1
            continue
        told.turned_away += 1
        time.sleep(0.001)  # ten times as often as connections are taken
    return told


def _fill(connection: socket.socket, told: Junk, count: int, token: str) -> None:
    """Calls until the server cuts the connection, or it has been enough."""
    connection.settimeout(5)
    connection.sendall(OPENING)
    stream, frames = 1, Frames()
    while told.sent < count:
        numbers = range(stream, stream + 2 * JUNK_AT_ONCE, 2)
        flags = END_STREAM | END_HEADERS
        batch = [headers(number, "ListNamespaces", flags, token) for number in numbers]
        connection.sendall(b"".join(batch))
        stream += 2 * JUNK_AT_ONCE
        told.sent += JUNK_AT_ONCE
        awaited = JUNK_AT_ONCE
        # Whoever waits for no answer only fills the kernel's buffers.
        while awaited > 0:
            piece = connection.recv(1 << 18)
            if not piece:
                return
            heard = frames.answers(piece)
            told.answered += heard
            awaited -= heard


class Frames:
    """What a server says on a connection, piece by piece."""

    def __init__(self) -> None:
        self.rest = b""

    def answers(self, piece: bytes) -> int:
        """How many answers begin in this piece."""
        said, at, found = self.rest + piece, 0, 0
        while len(said) - at >= 9:
            length, kind = int.from_bytes(said[at : at + 3], "big"), said[at + 3]
            if len(said) - at < 9 + length:
                break
            found += kind == HEADERS
            at += 9 + length
        self.rest = said[at:]
        return found


@contextlib.contextmanager
def held(
    address: str, count: int, said: bytes, sources: Sequence[str] = (SOURCE,)
) -> Iterator[list[socket.socket]]:
    """Connections that say this and nothing more."""
    connections: list[socket.socket] = []
    try:
        for number in range(count):
            with contextlib.suppress(OSError):
                connection = connect(address, sources[number % len(sources)])
                connections.append(connection)
                connection.sendall(said)
        yield connections
    finally:
        for connection in connections:
            connection.close()


def half_open(address: str, count: int, sources: Sequence[str] = (SOURCE,)):
    """Connections that never begin to speak."""
    return held(address, count, b"", sources)


def unfinished(address: str, count: int, sources: Sequence[str] = (SOURCE,)):
    """Connections with a call of an open method whose message never comes."""
    said = OPENING + headers(1, "GetSystemInfo", END_HEADERS)
    return held(address, count, said, sources)


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
        if kind == HEADERS and int.from_bytes(said[5:9], "big") == 1:
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
