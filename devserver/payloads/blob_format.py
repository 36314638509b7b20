"""The format of a blob: a serialized `temporal.api.common.v1.Payload`, with its data last.

So a blob is written and read without a copy of the data, and every tool that knows protobuf can read it.
"""

from __future__ import annotations

from collections.abc import Mapping

METADATA, DATA, EXTERNAL = b"\x0a", b"\x12", b"\x1a"
MAX_HEAD_BYTES = 1 << 20


def head_of(metadata: Mapping[str, bytes], data_size: int) -> bytes:
    """The bytes before the data: the metadata sorted by name, so that equal payloads are equal blobs."""
    parts = []
    for name in sorted(metadata):
        key, value = name.encode(), metadata[name]
        entry = b"\x0a" + _varint(len(key)) + key + b"\x12" + _varint(len(value)) + value
        parts.append(METADATA + _varint(len(entry)) + entry)
    return b"".join(parts) + DATA + _varint(data_size)


def head_size(start: bytes) -> int:
    """The number of bytes before the data.

    Args:
        start: The first bytes of a blob.

    Raises:
        ValueError: They are not the beginning of a blob.
    """
    at = 0
    while at < len(start):
        tag, (size, after) = start[at : at + 1], _read_varint(start, at + 1)
        if tag == DATA:
            return after
        if tag not in (METADATA, EXTERNAL):
            break
        at = after + size
    raise ValueError("not the beginning of a stored payload")


def metadata_of(head: bytes) -> dict[str, bytes]:
    """The metadata in the head of a blob.

    Raises:
        ValueError: The bytes are not a head.
    """
    metadata: dict[str, bytes] = {}
    at = 0
    while at < len(head) and head[at : at + 1] != DATA:
        size, after = _read_varint(head, at + 1)
        if head[at : at + 1] == METADATA:
            key_size, key_at = _read_varint(head, after + 1)
            value_size, value_at = _read_varint(head, key_at + key_size + 1)
            metadata[head[key_at : key_at + key_size].decode()] = head[value_at : value_at + value_size]
        at = after + size
    return metadata


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _read_varint(text: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(text) and shift < 64:
        value |= (text[at] & 0x7F) << shift
        at += 1
        if not text[at - 1] & 0x80:
            return value, at
        shift += 7
    raise ValueError("not the beginning of a stored payload")
