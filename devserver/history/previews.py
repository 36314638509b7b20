"""Inputs and results as one line each: what is kept of them while a history is read, and how it is shown."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from temporalio.api.common.v1 import Payload
from temporalio.converter import DataConverter

MOST_KEPT = 4096
MOST_SHOWN = 200
# Nothing but these says by itself what it is; the rest was encoded or encrypted by somebody.
PLAIN = ("json/plain", "json/protobuf", "binary/null", "binary/plain")


class TruncatedPayload(NamedTuple):
    """A payload as it is kept: up to 4 kB whole, of a longer one the metadata and the first bytes.

    Attributes:
        raw: The payload, serialised: a message of its own would keep the whole page it came with in memory.
        cut_from: The size of its data in bytes, where not all of that is kept; else 0.
    """

    raw: bytes
    cut_from: int = 0

    @property
    def payload(self) -> Payload:
        """As Temporal has it, but for what was not kept."""
        return Payload.FromString(self.raw)


def truncate(payloads: Iterable[Payload]) -> tuple[TruncatedPayload, ...]:
    """What is kept of the payloads of one input or result."""
    return tuple([_truncated(each) for each in payloads])


def _truncated(payload: Payload) -> TruncatedPayload:
    raw = payload.SerializeToString()
    if len(raw) <= MOST_KEPT or payload.external_payloads or len(payload.data) <= MOST_KEPT:
        return TruncatedPayload(raw)
    part = Payload(metadata=payload.metadata, data=payload.data[:MOST_KEPT])
    return TruncatedPayload(part.SerializeToString(), len(payload.data))


async def preview(values: Sequence[TruncatedPayload], converter: DataConverter, most: int = MOST_SHOWN) -> str:
    """The values in one line of at most `most` characters, with commas between them.

    What cannot be decoded is told by its encoding and size, as `(encoded: binary/encrypted, 1.2 kB)`; this never
    raises.
    """
    shown: list[str] = []
    room = most
    for each in values:
        shown.append(cut(await _value(each, converter), room))
        room -= len(shown[-1]) + 2
        if room <= 0:
            break
    return cut(", ".join(shown), most)


async def _value(kept: TruncatedPayload, converter: DataConverter) -> str:
    payload = kept.payload
    if payload.external_payloads:
        return f"(external storage, {size_text(sum(each.size_bytes for each in payload.external_payloads))})"
    size = kept.cut_from or len(payload.data)
    if not kept.cut_from and converter.payload_codec is not None:
        try:
            payload = (await converter.payload_codec.decode([payload]))[0]
        except Exception:  # noqa: BLE001 - codecs are the user's, and may fail in any way
            return _opaque(_encoding(payload), size)
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
    except (ValueError, RecursionError):  # a long one of which the beginning is kept, or no JSON at all
        return text


def _encoding(payload: Payload) -> str:
    return payload.metadata.get("encoding", b"").decode(errors="replace")


def _opaque(encoding: str, size: int) -> str:
    return f"(encoded: {cut(encoding, 60) or 'unknown'}, {size_text(size)})"


def size_text(size: int) -> str:
    """A number of bytes in few characters: 12 bytes, 1.2 kB, 200.0 MB."""
    if size < 1000:
        return f"{size} bytes"
    return f"{size / 1000:.1f} kB" if size < 1_000_000 else f"{size / 1_000_000:.1f} MB"


def cut(text: str, most: int) -> str:
    """`text` on one line, cut to `most` characters."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: max(0, most - 3)] + "..."
