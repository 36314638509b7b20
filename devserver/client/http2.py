"""Unary gRPC calls over HTTP/2 without TLS: as little of RFC 9113 as calls that succeed need.

It is for commands that read. The SDK's client decodes and encodes each answer on its way to Python, which takes longer
than to read it. Here an answer is the bytes that came. Header fields of the server are not read: a call that brings
anything but one message is a `CallFailed`, and the SDK's client can say why.
"""

from __future__ import annotations

import asyncio
import base64
import struct
from collections.abc import Mapping

from ..network.http2_frames import (
    ACK,
    DATA,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HEAD_BYTES,
    HEADERS,
    MAX_STREAM,
    PADDED,
    PING,
    PREFACE,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    encoded_frame,
    field_text,
)

# Of SETTINGS: no table of header fields, no pushes, and windows and frames that need no attention.
OURS = {1: 0, 2: 0, 4: (1 << 31) - 1, 5: 1 << 20}
MOST_FIRST = 65_535  # what may be sent or received before a window is updated
REFRESH = 1 << 28
PREFIX = 5  # of a message: whether it is compressed, and its length
CANCEL = struct.pack(">I", 8)


class CallFailed(Exception):
    """A call brought no message."""


class Http2Connection(asyncio.Protocol):
    """One connection; `call` any number of times at once.

    Args:
        authority: The server's `host:port`.
        metadata: Header fields of each call.
    """

    def __init__(self, authority: str, metadata: Mapping[str, str | bytes]) -> None:
        self._first = b"\x83\x86" + _field(":authority", authority)  # and, by their numbers, POST and http
        fields = {"content-type": "application/grpc", "te": "trailers", **metadata}
        self._fields = b"".join(_field(name, value) for name, value in fields.items())
        self._transport: asyncio.Transport | None = None
        self._calls: dict[int, asyncio.Future[bytes]] = {}
        self._answers: dict[int, bytearray] = {}
        self._next = 1
        self._rest = bytearray()
        self._window = MOST_FIRST
        self._received = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send what a connection begins with."""
        self._transport = transport  # type: ignore[assignment] # a protocol of streams
        settings = b"".join(struct.pack(">HI", name, value) for name, value in OURS.items())
        self._send(PREFACE + encoded_frame(SETTINGS, 0, 0, settings))
        self._widen(MAX_STREAM - MOST_FIRST)

    def data_received(self, data: bytes) -> None:
        """Read the frames that are complete."""
        rest = self._rest
        rest += data
        at, size = 0, len(rest)
        while size - at >= HEAD_BYTES:
            length = int.from_bytes(rest[at : at + 3], "big")
            end = at + HEAD_BYTES + length
            if end > size:
                break
            stream = int.from_bytes(rest[at + 5 : at + HEAD_BYTES], "big") & MAX_STREAM
            self._read(rest[at + 3], rest[at + 4], stream, rest[at + HEAD_BYTES : end])
            at = end
        del rest[:at]

    def connection_lost(self, error: Exception | None) -> None:
        """All calls fail."""
        self._transport = None
        self._fail_all()

    async def call(self, path: str, request: bytes, timeout: float) -> bytes:
        """The answer to a request.

        Raises:
            CallFailed: There is none.
            asyncio.TimeoutError: There is none in time.
        """
        message = b"\0" + struct.pack(">I", len(request)) + request
        if self._transport is None or self._next >= MAX_STREAM or len(message) > min(self._window, OURS[5] >> 6):
            raise CallFailed
        stream, self._next = self._next, self._next + 2
        fields = self._first + _field(":path", path) + self._fields
        fields += _field("grpc-timeout", f"{round(timeout * 1000)}m")
        self._window -= len(message)
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[bytes] = loop.create_future()
        self._calls[stream] = answer
        self._send(
            encoded_frame(HEADERS, END_HEADERS, stream, fields) + encoded_frame(DATA, END_STREAM, stream, message)
        )
        late = loop.call_later(timeout, self._expire, stream)
        try:
            return await answer
        finally:
            late.cancel()
            self._answers.pop(stream, None)
            if self._calls.pop(stream, None) is not None and not (answer.done() and not answer.cancelled()):
                self._send(encoded_frame(RST_STREAM, 0, stream, CANCEL))

    async def close_at_the_end(self) -> None:
        """Close it when this is canceled: a task of this closes it with the event loop."""
        try:
            await asyncio.Event().wait()
        finally:
            self._close()

    def _close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _read(self, kind: int, flags: int, stream: int, content: bytearray) -> None:
        if kind == DATA:
            self._received += len(content)  # with its padding
            self._add(stream, content[1 : len(content) - content[0]] if flags & PADDED and content else content)
        elif kind in (SETTINGS, PING) and not flags & ACK:
            self._send(encoded_frame(kind, ACK, 0, content if kind == PING else b""))
        elif kind == WINDOW_UPDATE and stream == 0:
            self._window += int.from_bytes(content, "big")
        elif kind == GOAWAY:
            self._fail_all()
            self._close()
        elif kind == RST_STREAM:  # also after a whole message: without the end there is no status
            self._answers.pop(stream, None)
            self._end(stream)
        if kind in (DATA, HEADERS) and flags & END_STREAM:
            self._end(stream)

    def _add(self, stream: int, content: bytearray) -> None:
        """A part of a message."""
        if stream in self._calls:
            answer = self._answers.get(stream)
            if answer is None:
                self._answers[stream] = content
            else:
                answer += content
        if self._received > REFRESH:
            self._widen(self._received)
            self._received = 0

    def _end(self, stream: int) -> None:
        """A stream has ended: give its call the message."""
        call, data = self._calls.get(stream), self._answers.get(stream, b"")
        if call is None or call.done():
            return
        whole = len(data) >= PREFIX and not data[0] and len(data) - PREFIX == int.from_bytes(data[1:PREFIX], "big")
        if whole:
            call.set_result(bytes(memoryview(data)[PREFIX:]))
        else:
            call.set_exception(CallFailed())

    def _expire(self, stream: int) -> None:
        call = self._calls.get(stream)
        if call is not None and not call.done():
            call.set_exception(asyncio.TimeoutError())

    def _fail_all(self) -> None:
        for call in self._calls.values():
            if not call.done():
                call.set_exception(CallFailed())

    def _widen(self, size: int) -> None:
        self._send(encoded_frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", size)))

    def _send(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)


# Names in the static table of RFC 7541, which `_field` refers to by number.
_STATIC = {":authority": 1, ":path": 4}


def _field(name: str, value: str | bytes) -> bytes:
    """A header field that is not to be put into a table (RFC 7541, 6.2.2)."""
    if name.endswith("-bin"):
        value = base64.b64encode(value if isinstance(value, bytes) else value.encode()).rstrip(b"=")
    text = value if isinstance(value, bytes) else value.encode()
    number = _STATIC.get(name)
    head = bytes([number]) if number else b"\0" + field_text(name.lower().encode())
    return head + field_text(text)
