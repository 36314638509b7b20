"""Payloads as a codec server's callers see them: what is stored in the place of its reference, or a head of it where it
is large. They are in protobuf's JSON form, so that the SDK need not be loaded.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import json
from collections.abc import Mapping
from typing import Any

from ..errors import DevServerError
from .blob_format import LONGEST_HEAD, metadata_of, split_head
from .blobs import BlobFolder
from .claims import NAME, Claim
from .errors import PayloadCorrupt, PayloadTooLarge
from .limits import format_size

REFERENCE = "temporal.api.sdk.v1.ExternalStorageReference"
HEAD_BYTES = 2048
SHOW = "512KB"
DOWNLOAD = "100MB"

JsonPayload = Mapping[str, Any]


def decode_for_display(payload: JsonPayload, blobs: BlobFolder, largest: int, *, keep_reference: bool) -> JsonPayload:
    """A payload for a person.

    Args:
        largest: The most bytes that are shown as a whole.
        keep_reference: Let what is not shown as a whole look like a reference, as the Web UI wants it for its button
            that downloads.
    """
    try:
        claim = claim_of(payload)
        if claim is None:
            return payload
        if claim.size <= largest:
            return _whole(claim, blobs)
        said = _head(claim, blobs)
    except DevServerError as error:
        said = {"error": error.message, "details": list(error.details), "hint": error.hint}
    data = _base64(json.dumps(said, ensure_ascii=False).encode())
    if keep_reference:
        return {**payload, "data": data}
    return {"metadata": {"encoding": _base64(b"json/plain")}, "data": data}


def decode_for_download(payload: JsonPayload, blobs: BlobFolder, largest: int) -> JsonPayload:
    """What is stored, as a whole.

    Raises:
        PayloadTooLarge: It has more than `largest` bytes.
        PayloadMissing: It is not there.
        PayloadCorrupt: It is not what was stored, or the payload is no reference of ours.
    """
    claim = claim_of(payload)
    if claim is None:
        raise PayloadCorrupt("this payload is not stored in the folder: there is nothing to download")
    if claim.size > largest:
        raise PayloadTooLarge(
            f"{format_size(claim.size)} are too much for a browser",
            details=[str(blobs.path(claim.server, claim.digest))],
            hint="read the file: its data come after a short head",
        )
    return _whole(claim, blobs)


def claim_of(payload: JsonPayload) -> Claim | None:
    """The claim of a reference to our folder; None for any other payload.

    Raises:
        PayloadCorrupt: It is a reference to our folder, and cannot be read.
    """
    metadata = payload.get("metadata")
    if not isinstance(metadata, Mapping) or _text(metadata.get("messageType")) != REFERENCE:
        return None
    with contextlib.suppress(ValueError):
        found = json.loads(_text(payload.get("data")))
        if isinstance(found, dict) and found.get("driverName") == NAME and isinstance(found.get("claimData"), dict):
            return Claim.from_data({str(key): str(value) for key, value in found["claimData"].items()})
    return None


def _whole(claim: Claim, blobs: BlobFolder) -> JsonPayload:
    head, data = blobs.read(claim)
    metadata = {key: _base64(value) for key, value in metadata_of(head).items()}
    return {"metadata": metadata, "data": _base64(data)}


def _head(claim: Claim, blobs: BlobFolder) -> dict[str, Any]:
    """The first bytes of what is stored, not verified: that would read it all each time somebody looks."""
    start = blobs.start(claim, LONGEST_HEAD)
    split = split_head(start)
    try:
        metadata = metadata_of(start[:split])
    except ValueError as error:
        raise PayloadCorrupt(f"the payload {claim.digest[:12]} is corrupt: {error}") from None
    said: dict[str, Any] = {
        "stored": format_size(claim.size),
        "encoding": metadata.get("encoding", b"").decode(errors="replace"),
        "sha256": claim.digest,
    }
    first = start[split : split + HEAD_BYTES]
    text = first.decode(errors="ignore")
    if text.isprintable() or text.replace("\n", "").replace("\t", "").isprintable():
        return {**said, "begins": text}
    return {**said, "begins_in_base64": _base64(first[: HEAD_BYTES // 8])}


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _text(encoded: object) -> str:
    with contextlib.suppress(binascii.Error, UnicodeDecodeError):
        if isinstance(encoded, str):
            return base64.b64decode(encoded).decode()
    return ""
