"""Checks the API key of each gRPC call on one HTTP/2 connection, and passes everything else on unchanged.

Calls of the client arrive as frames (RFC 9113). Their header blocks are decoded, because HPACK has a state for the
whole connection, and encoded again without any state, so that a rejected call can be left out. A call without the key
is answered here, as a server answers it: status UNAUTHENTICATED in a response without a body.
"""

from __future__ import annotations

import hmac
import struct
from collections.abc import Iterable

from hpack import Decoder, HPACKError

from .http2_frames import (
    ACK,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    HEAD_BYTES,
    HEADERS,
    MAX_STREAM,
    PADDED,
    PREFACE,
    PRIORITY,
    PRIORITY_FRAME,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    encoded_frame,
    field_text,
)

MOST_FRAME = 1 << 20  # gRPC servers take 16 KiB
MOST_HEADERS = 1 << 20
PIECE = 16384  # every peer takes frames of this size
MOST_REJECTED = 1000  # calls on one connection whose rest is left out; older ones have been reset long ago
UNAUTHENTICATED = 16

OF_A_STREAM = (DATA, PRIORITY_FRAME, RST_STREAM, WINDOW_UPDATE)
TABLE_SIZE = 1  # a setting


class NotGrpc(Exception):
    """What a client sends is not HTTP/2, or has sizes that no gRPC client uses."""


class ApiKeyGate:
    """The state of one connection.

    Args:
        key: The API key that calls need.
    """

    def __init__(self, key: str) -> None:
        self._wanted = b"bearer " + key.encode("ascii")
        self._decoder = Decoder(max_header_list_size=MOST_HEADERS)
        self._preface = PREFACE
        self._received = b""
        self._block: tuple[int, int, bytes] | None = None  # stream, flags and start of a header block
        self._newest = 0  # the client's newest call
        self._rejected: dict[int, None] = {}  # calls whose rest is left out, the oldest first
        self._answers = b""  # of ours, until the server's frame has ended
        self._head = b""
        self._left = 0  # bytes of the server's frame
        self._in_block = False  # the server's frame belongs to a header block that has not ended
        self._settings: bytes | None = None
        self._begun = False  # the server has sent a frame: its settings come before any answer

    def from_client(self, data: bytes) -> bytes:
        """What to pass on to the server.

        Raises:
            NotGrpc: The connection has to be closed.
        """
        self._received += data
        passed = self._take_preface()
        while len(self._received) >= HEAD_BYTES and not self._preface:
            size = int.from_bytes(self._received[:3], "big")
            if size > MOST_FRAME:
                raise NotGrpc(f"a frame of {size} bytes")
            if len(self._received) < HEAD_BYTES + size:
                break
            frame, self._received = self._received[: HEAD_BYTES + size], self._received[HEAD_BYTES + size :]
            passed += self._pass_on(frame)
        return passed

    def from_server(self, data: bytes) -> bytes:
        """What to pass on to the client, with our own answers between the server's frames."""
        passed = b""
        while data:
            passed += self.answers()
            if self._left == 0:
                taken, data = data[: HEAD_BYTES - len(self._head)], data[HEAD_BYTES - len(self._head) :]
                self._head += taken
                passed += taken
                if len(self._head) == HEAD_BYTES:
                    self._begin_of_server(self._head)
                    self._head = b""
                continue
            taken, data = data[: self._left], data[self._left :]
            self._left -= len(taken)
            passed += taken
            if self._settings is not None:
                self._settings += taken
                self._read_settings()
        return passed + self.answers()

    def answers(self) -> bytes:
        """Our own answers to the client, if the server's last frame has ended."""
        if self._left or self._in_block or self._head or not self._begun:
            return b""
        taken, self._answers = self._answers, b""
        return taken

    # The server's frames

    def _begin_of_server(self, head: bytes) -> None:
        kind, flags = head[3], head[4]
        self._begun = True
        self._left = int.from_bytes(head[:3], "big")
        if kind in (HEADERS, CONTINUATION):
            self._in_block = not flags & END_HEADERS
        self._settings = b"" if kind == SETTINGS and not flags & ACK and self._left else None

    def _read_settings(self) -> None:
        """A client may compress with as large a table as the server allows."""
        if self._left or self._settings is None:
            return
        for place in range(0, len(self._settings) - 5, 6):
            name, value = struct.unpack_from(">HI", self._settings, place)
            if name == TABLE_SIZE:
                self._decoder.max_allowed_table_size = min(value, MOST_HEADERS)
        self._settings = None

    # The client's frames

    def _take_preface(self) -> bytes:
        taken = self._received[: len(self._preface)]
        if not self._preface.startswith(taken):
            raise NotGrpc("no HTTP/2")
        self._preface, self._received = self._preface[len(taken) :], self._received[len(taken) :]
        return taken

    def _pass_on(self, frame: bytes) -> bytes:
        kind, flags = frame[3], frame[4]
        stream = int.from_bytes(frame[5:HEAD_BYTES], "big") & MAX_STREAM
        body = frame[HEAD_BYTES:]
        if (kind == CONTINUATION) is (self._block is None):
            raise NotGrpc("a header block in pieces that do not belong together")
        if kind == HEADERS:
            self._block = (stream, flags, _fragment(flags, body))
            return self._block_ended() if flags & END_HEADERS else b""
        if kind == CONTINUATION:
            return self._continued(stream, flags, body)
        if stream in self._rejected and kind in OF_A_STREAM:
            self._drop(kind, stream, flags, len(body))
            return b""
        return frame

    def _continued(self, stream: int, flags: int, body: bytes) -> bytes:
        assert self._block is not None  # noqa: S101 - for the type checker
        of, first_flags, block = self._block
        if of != stream or len(block) + len(body) > MOST_HEADERS:
            raise NotGrpc("a header block that is too large")
        self._block = (stream, first_flags, block + body)
        return self._block_ended() if flags & END_HEADERS else b""

    def _block_ended(self) -> bytes:
        assert self._block is not None  # noqa: S101 - for the type checker
        (stream, flags, block), self._block = self._block, None
        try:
            headers = [(bytes(name), bytes(value)) for name, value in self._decoder.decode(block, raw=True)]
        except HPACKError as error:
            raise NotGrpc(f"headers that cannot be decoded: {error}") from error
        if not self._has_key(headers):
            if stream <= self._newest:  # gRPC clients send headers once for each call, with growing numbers
                raise NotGrpc("headers of an old call")
            self._newest = stream
            self._reject(stream, ended=bool(flags & END_STREAM))
            return b""
        self._newest = max(self._newest, stream)
        return _frames(stream, flags & END_STREAM, b"".join(_literal(name, value) for name, value in headers))

    def _has_key(self, headers: Iterable[tuple[bytes, bytes]]) -> bool:
        values = [value for name, value in headers if name == b"authorization"]
        scheme = len(b"bearer ")
        return len(values) == 1 and hmac.compare_digest(values[0][:scheme].lower() + values[0][scheme:], self._wanted)

    def _reject(self, stream: int, *, ended: bool) -> None:
        headers = {
            b"content-type": b"application/grpc",
            b"grpc-status": str(UNAUTHENTICATED).encode(),
            b"grpc-message": b"Request unauthorized: no valid API key.",
        }
        block = b"\x88" + b"".join(_literal(name, value) for name, value in headers.items())  # 88: `:status: 200`
        self._answers += _frames(stream, END_STREAM, block)
        if not ended:  # the answer is complete, so the client need not send the rest
            self._rejected[stream] = None
            if len(self._rejected) > MOST_REJECTED:
                del self._rejected[next(iter(self._rejected))]
            self._answers += encoded_frame(RST_STREAM, 0, stream, struct.pack(">I", 0))

    def _drop(self, kind: int, stream: int, flags: int, size: int) -> None:
        """Leave out a frame of a rejected call; the client may send as much for its other calls instead."""
        if kind == DATA and size:
            self._answers += encoded_frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", size))
        if kind == RST_STREAM or (kind == DATA and flags & END_STREAM):
            del self._rejected[stream]


def _fragment(flags: int, body: bytes) -> bytes:
    """The part of a header block in a HEADERS frame, without padding and priority."""
    start = (1 if flags & PADDED else 0) + (5 if flags & PRIORITY else 0)
    padding = body[0] if flags & PADDED and body else 0
    if start + padding > len(body):
        raise NotGrpc("a frame of headers that is too short")
    return body[start : len(body) - padding]


def _frames(stream: int, flags: int, block: bytes) -> bytes:
    """A header block in one HEADERS frame, and CONTINUATION frames if it is large."""
    pieces = [block[place : place + PIECE] for place in range(0, len(block), PIECE)]
    last = len(pieces) - 1
    return b"".join(
        encoded_frame(
            CONTINUATION if at else HEADERS, (0 if at else flags) | (END_HEADERS if at == last else 0), stream, piece
        )
        for at, piece in enumerate(pieces)
    )


def _literal(name: bytes, value: bytes) -> bytes:
    """A header field that no table gets (RFC 7541, 6.2.2)."""
    return b"\x00" + field_text(name) + field_text(value)
