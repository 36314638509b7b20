"""Frames of HTTP/2 (RFC 9113), and the text of header fields in them (RFC 7541)."""

from __future__ import annotations

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEAD_BYTES = 9  # of a frame: length, kind, flags, stream
MAX_STREAM = (1 << 31) - 1

DATA, HEADERS, PRIORITY_FRAME, RST_STREAM, SETTINGS = 0, 1, 2, 3, 4
PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 6, 7, 8, 9
END_STREAM, ACK, END_HEADERS, PADDED, PRIORITY = 1, 1, 4, 8, 32


def encoded_frame(kind: int, flags: int, stream: int, content: bytes | bytearray) -> bytes:
    """A frame."""
    return len(content).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + content


def field_text(text: bytes) -> bytes:
    """A name or a value of a header field, not compressed: its length in seven bits and more, then itself."""
    size = len(text)
    if size < 127:
        return bytes((size,)) + text
    head, size = b"\x7f", size - 127
    while size >= 128:
        head, size = head + bytes((size % 128 + 128,)), size // 128
    return head + bytes((size,)) + text
