"""Fields of the protobuf messages in a database file: the server's own types are in no package."""

from __future__ import annotations

from collections import defaultdict
from typing import TypeVar

VARINT, FIXED_64, LENGTH, FIXED_32 = 0, 1, 2, 5
_SIZES = {FIXED_64: 8, FIXED_32: 4}
Kind = TypeVar("Kind", int, bytes)


class Message:
    """One message: the values of each field, in order.

    Raises:
        ValueError: The bytes are no message.
    """

    def __init__(self, data: bytes) -> None:
        self._values: dict[int, list[int | bytes]] = defaultdict(list)
        at = 0
        while at < len(data):
            key, at = _varint(data, at)
            number, kind = key >> 3, key & 7
            if kind == VARINT:
                value, at = _varint(data, at)
                self._values[number].append(value)
                continue
            if kind == LENGTH:
                size, at = _varint(data, at)
            elif kind in _SIZES:
                size = _SIZES[kind]
            else:
                raise ValueError(f"unknown wire type {kind}")
            if at + size > len(data):
                raise ValueError("truncated message")
            self._values[number].append(data[at : at + size])
            at += size

    def number(self, field: int) -> int:
        """An integer; 0 if the field is not set."""
        return self._last(field, 0)

    def data(self, field: int) -> bytes:
        """Bytes; none if the field is not set."""
        return self._last(field, b"")

    def text(self, field: int) -> str:
        """A string; empty if the field is not set."""
        return self.data(field).decode(errors="replace")

    def all(self, field: int) -> list[bytes]:
        """Every value of a repeated field of strings, bytes or messages."""
        return [value for value in self._values.get(field, ()) if isinstance(value, bytes)]

    def _last(self, field: int, default: Kind) -> Kind:
        value = self._values.get(field, [default])[-1]
        if not isinstance(value, type(default)):
            raise ValueError(f"field {field} has another type")
        return value


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise ValueError("truncated number")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at
