"""A value that came back, as JSON has it: also one that nobody here can read, which is shown as such."""

from __future__ import annotations

import json
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.converter import DataConverter

from .value_parsing import plain

MOST_BYTES = 1000


def shown(payload: Payload | None, converter: DataConverter) -> Any:
    """The JSON form of a payload whose codec has been undone already. It never raises."""
    if payload is None:
        return None
    encoding = payload.metadata.get("encoding", b"").decode("ascii", "replace")
    if encoding == "binary/null":
        return None
    try:
        if encoding.startswith("json/"):
            return json.loads(payload.data)
        value = converter.payload_converter.from_payloads([payload])[0]
    except Exception:  # noqa: BLE001 - converters are the user's, and may fail in any way
        return unreadable(payload)
    if isinstance(value, (bytes, bytearray)):
        return _text(bytes(value))
    return plain(value)


def unreadable(payload: Payload) -> str:
    """What is said instead of a value that cannot be decoded."""
    encoding = payload.metadata.get("encoding", b"").decode("ascii", "replace") or "no encoding"
    return f"({len(payload.data)} bytes of {encoding}, which this client cannot read)"


def _text(data: bytes) -> str:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return f"({len(data)} bytes)"
    return text if len(text) <= MOST_BYTES else f"{text[:MOST_BYTES]}... ({len(data)} bytes)"
