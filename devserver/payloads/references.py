"""The payload that stands for a stored one: in a history (the SDK's form), and from the driver to the converter."""

from __future__ import annotations

from temporalio.api.common.v1 import Payload
from temporalio.api.sdk.v1 import ExternalStorageReference
from temporalio.converter import JSONProtoPayloadConverter

from .claims import NAME, Claim
from .errors import PayloadCorrupt

# No converter knows this encoding, so one that is not ours fails rather than take the empty data for the value.
ON_THE_WAY = b"devserver/stored"
MESSAGE = ExternalStorageReference.DESCRIPTOR.full_name.encode()
_FORM = JSONProtoPayloadConverter()


def reference(claim: Claim) -> Payload:
    """What a history keeps, as the SDK writes it."""
    payload = _FORM.to_payload(ExternalStorageReference(driver_name=NAME, claim_data=claim.to_data()))
    if payload is None:
        raise AssertionError("a message is what this form is for")
    payload.external_payloads.add().size_bytes = claim.size
    return payload


def is_reference(payload: Payload) -> bool:
    """Whether a payload stands for one that is stored, by whichever driver."""
    metadata = payload.metadata
    return metadata.get("encoding") == b"json/protobuf" and metadata.get("messageType") == MESSAGE


def claim_in(payload: Payload) -> Claim | None:
    """The claim of a reference to our folder; None for any other payload.

    Raises:
        PayloadCorrupt: It is a reference to our folder, and cannot be read.
    """
    if not is_reference(payload):
        return None
    try:
        found = _FORM.from_payload(payload, ExternalStorageReference)
    except RuntimeError as error:
        raise PayloadCorrupt(
            f"the reference to a large payload cannot be read: {payload.data[:200]!r}",
            hint="see which worker or client wrote it",
        ) from error
    return Claim.from_data(found.claim_data) if found.driver_name == NAME else None


def on_the_way(claim: Claim) -> Payload:
    """What the driver hands to the converter: the claim, and none of the data."""
    stub = reference(claim)
    stub.metadata["encoding"] = ON_THE_WAY
    return stub


def claim_on_the_way(payload: Payload) -> Claim | None:
    """The claim in what `on_the_way` made; None for any other payload."""
    if payload.metadata.get("encoding") != ON_THE_WAY:
        return None
    back = Payload()
    back.CopyFrom(payload)
    back.metadata["encoding"] = b"json/protobuf"
    return claim_in(back)
