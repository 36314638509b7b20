"""Payloads as one line of text: how much of them stays in memory while a history is read, and how it is shown."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from temporalio.api.common.v1 import Payload, Payloads

from ..client.failures import reason

if TYPE_CHECKING:
    from temporalio.converter import DataConverter

MAX_STORED = 4096
MAX_SHOWN = 200
MAX_REASON = 120
# Encodings that can be shown without the codec that wrote them.
PLAIN = ("json/plain", "json/protobuf", "binary/null", "binary/plain")


class TruncatedPayload(NamedTuple):
    """A payload of at most 4 kB: of a longer one, the metadata and the first bytes.

    Attributes:
        raw: The payload, serialized: a message would keep the whole page that it came with in memory.
        cut_from: The size of the whole data in bytes if it was cut, else 0.
    """

    raw: bytes
    cut_from: int = 0

    @property
    def payload(self) -> Payload:
        """The payload as a message."""
        return Payload.FromString(self.raw)


class StoredPayloads(Sequence[TruncatedPayload]):
    """Payloads as the bytes of their message: most steps are not shown one by one, so they are read when they are."""

    __slots__ = ("_raw",)

    def __init__(self, raw: bytes) -> None:
        self._raw = raw

    def __len__(self) -> int:
        return len(self._read())

    def __getitem__(self, at: Any) -> Any:
        return self._read()[at]

    def __iter__(self) -> Iterator[TruncatedPayload]:
        return iter(self._read())

    def __bool__(self) -> bool:
        return True

    def _read(self) -> tuple[TruncatedPayload, ...]:
        return truncate(Payloads.FromString(self._raw).payloads)


def stored_payloads(message: Payloads) -> Sequence[TruncatedPayload]:
    """The payloads of one input or result, each of at most 4 kB."""
    raw = message.SerializeToString()
    if len(raw) > MAX_STORED:
        return truncate(message.payloads)
    return StoredPayloads(raw) if raw else ()


def truncate(payloads: Sequence[Payload]) -> tuple[TruncatedPayload, ...]:
    """The payloads of one input or result, each of at most 4 kB."""
    if not payloads:
        return ()
    return tuple([_truncated(payload) for payload in payloads])


def _truncated(payload: Payload) -> TruncatedPayload:
    raw = payload.SerializeToString()
    if len(raw) <= MAX_STORED or payload.external_payloads or len(payload.data) <= MAX_STORED:
        return TruncatedPayload(raw)
    part = Payload(metadata=payload.metadata, data=payload.data[:MAX_STORED])
    return TruncatedPayload(part.SerializeToString(), len(payload.data))


async def preview(values: Sequence[TruncatedPayload], converter: DataConverter, limit: int = MAX_SHOWN) -> str:
    """The values in one line of at most `limit` characters, separated by commas; never raises.

    A payload that cannot be decoded is shown as `(encoded: binary/encrypted, 1.2 kB)`.
    """
    shown: list[str] = []
    room = limit
    for value in values:
        shown.append(cut(await _value(value, converter), room))
        room -= len(shown[-1]) + 2
        if room <= 0:
            break
    return cut(", ".join(shown), limit)


async def _value(value: TruncatedPayload, converter: DataConverter) -> str:
    payload = value.payload
    if payload.external_payloads:
        return f"(external storage, {size_text(sum(part.size_bytes for part in payload.external_payloads))})"
    size = value.cut_from or len(payload.data)
    if not value.cut_from and converter.payload_codec is not None:
        try:
            payload = (await converter.payload_codec.decode([payload]))[0]
        except Exception as error:  # noqa: BLE001 - codecs are the user's, and may fail in any way
            return _opaque(_encoding(payload), size, cut(reason(error), MAX_REASON))
    return _plain(payload, size)


def _plain(payload: Payload, size: int) -> str:
    encoding = _encoding(payload)
    if encoding == "binary/null":
        return "null"
    if encoding == "binary/plain":
        return f"({size_text(size)})"
    if encoding not in PLAIN:
        return _opaque(encoding, size)
    text = payload.data.decode(errors="replace")
    try:
        return json.dumps(json.loads(text), ensure_ascii=False)
    except (ValueError, RecursionError):  # it was cut, or is not JSON at all
        return text


def _encoding(payload: Payload) -> str:
    return payload.metadata.get("encoding", b"").decode(errors="replace")


def _opaque(encoding: str, size: int, why: str = "") -> str:
    return f"(encoded: {cut(encoding, 60) or 'unknown'}, {size_text(size)}{f': {why}' if why else ''})"


def size_text(size: int) -> str:
    """A number of bytes as text: `12 bytes`, `1.2 kB`, `200.0 MB`."""
    if size < 1000:
        return f"{size} bytes"
    return f"{size / 1000:.1f} kB" if size < 1_000_000 else f"{size / 1_000_000:.1f} MB"


def cut(text: str, limit: int) -> str:
    """`text` on one line of at most `limit` characters."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: max(0, limit - 3)] + "..."
