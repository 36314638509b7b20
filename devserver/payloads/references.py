"""References: payloads that stand for a stored one, in a history and between the driver and the converter."""

from __future__ import annotations

from temporalio.api.common.v1 import Payload
from temporalio.api.sdk.v1 import ExternalStorageReference
from temporalio.converter import JSONProtoPayloadConverter

from .claims import DRIVER_NAME, Claim
from .errors import PayloadCorrupt

# No converter knows this encoding: one that is not ours fails instead of taking the empty data as the value.
VERIFIED_ENCODING = b"devserver/stored"
MESSAGE_TYPE = ExternalStorageReference.DESCRIPTOR.full_name.encode()
_CONVERTER = JSONProtoPayloadConverter()


def to_reference(claim: Claim) -> Payload:
    """The reference in a history, in the SDK's form."""
    payload = _CONVERTER.to_payload(ExternalStorageReference(driver_name=DRIVER_NAME, claim_data=claim.to_data()))
    if payload is None:
        raise AssertionError("this converter converts messages")
    payload.external_payloads.add().size_bytes = claim.size
    return payload


def is_reference(payload: Payload) -> bool:
    """Whether a payload is a reference of any storage driver."""
    metadata = payload.metadata
    return metadata.get("encoding") == b"json/protobuf" and metadata.get("messageType") == MESSAGE_TYPE


def claim_of_reference(payload: Payload) -> Claim | None:
    """The claim of a reference to our folder; None for any other payload.

    Raises:
        PayloadCorrupt: The reference cannot be read.
    """
    if not is_reference(payload):
        return None
    try:
        found = _CONVERTER.from_payload(payload, ExternalStorageReference)
    except RuntimeError as error:
        raise PayloadCorrupt(
            f"cannot read the reference to a large payload: {payload.data[:200]!r}",
            hint="find the worker or client that wrote it",
        ) from error
    return Claim.from_data(found.claim_data) if found.driver_name == DRIVER_NAME else None


def to_verified_reference(claim: Claim) -> Payload:
    """What the driver passes to the converter for a blob that it has verified: the claim without the data."""
    payload = to_reference(claim)
    payload.metadata["encoding"] = VERIFIED_ENCODING
    return payload


def claim_of_verified_reference(payload: Payload) -> Claim | None:
    """The claim of a verified reference; None for any other payload."""
    if payload.metadata.get("encoding") != VERIFIED_ENCODING:
        return None
    reference = Payload()
    reference.CopyFrom(payload)
    reference.metadata["encoding"] = b"json/protobuf"
    return claim_of_reference(reference)
