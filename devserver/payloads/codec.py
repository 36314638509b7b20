"""Decodes references for the callers of a codec server: into the stored payload, or the beginning of a large one.

Payloads are in protobuf's JSON form here, so the Temporal SDK, which is slow to import, is not needed.
"""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Mapping
from typing import Any

from ..errors import DevServerError
from .blob_format import MAX_HEAD_BYTES, head_size, metadata_of
from .blobs import BlobFolder
from .claims import DRIVER_NAME, Claim
from .errors import PayloadCorrupt, PayloadTooLarge
from .limits import format_size

REFERENCE_TYPE = "temporal.api.sdk.v1.ExternalStorageReference"
PREVIEW_BYTES = 2048
MAX_SHOWN = "512KB"
MAX_DOWNLOAD = "100MB"

JsonPayload = Mapping[str, Any]


def decode_for_display(payload: JsonPayload, blobs: BlobFolder, max_bytes: int, *, keep_reference: bool) -> JsonPayload:
    """A payload for a person: the stored one, or its size and beginning, or an error; other payloads unchanged.

    Args:
        max_bytes: Payloads up to this size are shown completely.
        keep_reference: Keep the form of a reference for a payload that is not shown completely: the Web UI then shows
            its download button.
    """
    try:
        claim = claim_of_json(payload)
        if claim is None:
            return payload
        if claim.size <= max_bytes:
            return _stored(claim, blobs)
        shown = _preview(claim, blobs)
    except DevServerError as error:
        shown = {"error": error.message, "details": list(error.details), "hint": error.hint}
    data = _to_base64(json.dumps(shown).encode())
    if keep_reference:
        return {**payload, "data": data}
    return {"metadata": {"encoding": _to_base64(b"json/plain")}, "data": data}


def decode_for_download(payload: JsonPayload, blobs: BlobFolder, max_bytes: int) -> JsonPayload:
    """The stored payload of a reference.

    Raises:
        PayloadTooLarge: It has more than `max_bytes` bytes.
        PayloadMissing: It is not in the folder.
        PayloadCorrupt: It is not what was stored, or the payload is not a reference of ours.
    """
    claim = claim_of_json(payload)
    if claim is None:
        raise PayloadCorrupt("this payload is not stored in the folder, so there is nothing to download")
    if claim.size > max_bytes:
        raise PayloadTooLarge(
            f"a payload of {format_size(claim.size)} is too large for a browser",
            details=[str(blobs.path(claim.server, claim.digest))],
            hint="read the file: its data come after a short head",
        )
    return _stored(claim, blobs)


def claim_of_json(payload: JsonPayload) -> Claim | None:
    """The claim of a reference to our folder; None for any other payload.

    Raises:
        PayloadCorrupt: The reference cannot be read.
    """
    metadata = payload.get("metadata")
    if not isinstance(metadata, Mapping) or _from_base64(metadata.get("messageType")) != REFERENCE_TYPE:
        return None
    with contextlib.suppress(ValueError, RecursionError):
        reference = json.loads(_from_base64(payload.get("data")))
        if isinstance(reference, dict) and reference.get("driverName") == DRIVER_NAME:
            data = reference.get("claimData")
            if isinstance(data, dict):
                return Claim.from_data({str(key): str(value) for key, value in data.items()})
    return None


def _stored(claim: Claim, blobs: BlobFolder) -> JsonPayload:
    head, data = blobs.read(claim)
    metadata = {key: _to_base64(value) for key, value in metadata_of(head).items()}
    return {"metadata": metadata, "data": _to_base64(data)}


def _preview(claim: Claim, blobs: BlobFolder) -> dict[str, Any]:
    """Size, encoding and beginning of a payload. Not verified: that would read all of it for every view."""
    start = blobs.read_start(claim, MAX_HEAD_BYTES)
    size = head_size(start)
    try:
        metadata = metadata_of(start[:size])
    except ValueError as error:
        raise PayloadCorrupt(f"the payload {claim.digest[:12]} is corrupt: {error}") from None
    preview: dict[str, Any] = {
        "stored": format_size(claim.size),
        "encoding": metadata.get("encoding", b"").decode(errors="replace"),
        "sha256": claim.digest,
    }
    data = start[size : size + PREVIEW_BYTES]
    text = data.decode(errors="ignore")
    if text.isprintable() or text.replace("\n", "").replace("\t", "").isprintable():
        return {**preview, "begins": text}
    return {**preview, "begins_in_base64": _to_base64(data[: PREVIEW_BYTES // 8])}


def _to_base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _from_base64(encoded: object) -> str:
    with contextlib.suppress(ValueError):  # not base64, not ASCII, or not UTF-8
        if isinstance(encoded, str):
            return base64.b64decode(encoded).decode()
    return ""
