"""The payload converter that writes large values to the folder and reads them, without the SDK's copies.

The SDK copies a payload up to six times, and a waiting workflow keeps two of these copies. So without a codec, a large
value is written to the folder when it is converted, and read when it is converted back: only a reference passes through
the SDK.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any, cast

from temporalio import activity, workflow
from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue
from temporalio.converter import (
    BinaryPlainPayloadConverter,
    CompositePayloadConverter,
    PayloadConverter,
    SerializationContext,
    WithSerializationContext,
)

from .blob_format import head_of, metadata_of
from .blobs import BlobFolder
from .claims import Claim, unstored_claim
from .errors import PayloadError
from .failures import to_failure
from .limits import LARGE, LARGE_FOR_A_WORKFLOW, too_large
from .references import claim_of_reference, claim_of_verified_reference, is_reference, to_reference

PLAIN = {"encoding": b"binary/plain"}


@dataclass(frozen=True)
class ConverterSettings:
    """Settings of a `FolderConverter`. They are pickled for process pools.

    Args:
        blobs: The folder.
        server: The server whose histories refer to the payloads.
        max_payload_size: The limit of one payload, in bytes.
        direct: Whether the converter stores values itself; false if a codec must encode them first.
        stores: Whether values are stored; false for a replay, which sends nothing.
        plain_bytes: Whether the inner converter turns bytes into a payload of exactly these bytes.
    """

    blobs: BlobFolder
    server: str
    max_payload_size: int
    direct: bool
    stores: bool = True
    plain_bytes: bool = False


def with_folder(inner: type[PayloadConverter], settings: ConverterSettings) -> type[PayloadConverter]:
    """A payload converter class that uses `inner`, for a data converter."""
    # The SDK calls it without arguments and pickles it: a local class cannot be pickled.
    return cast("type[PayloadConverter]", functools.partial(FolderConverter, inner, settings))


def without_folder(outer: type[PayloadConverter]) -> type[PayloadConverter]:
    """The `inner` class of `with_folder`; any other class is returned unchanged."""
    partial: Any = outer
    return partial.args[0] if isinstance(partial, functools.partial) and partial.func is FolderConverter else outer


def keeps_bytes(converter: PayloadConverter) -> bool:
    """Whether a converter turns bytes into a payload of exactly these bytes, and back."""
    if not isinstance(converter, CompositePayloadConverter):
        return False
    if type(converter.converters.get(PLAIN["encoding"])) is not BinaryPlainPayloadConverter:
        return False
    probe = converter.to_payload(b"probe")
    return dict(probe.metadata) == PLAIN and probe.data == b"probe"


class FolderConverter(PayloadConverter, WithSerializationContext):
    """Converts with `inner`, and stores large payloads in a folder."""

    def __init__(self, inner: type[PayloadConverter], settings: ConverterSettings) -> None:
        self._inner = inner()
        self._settings = settings

    def with_context(self, context: SerializationContext) -> FolderConverter:
        """The converter for one workflow or activity."""
        other = copy.copy(self)
        if isinstance(self._inner, WithSerializationContext):
            other._inner = self._inner.with_context(context)
        return other

    def to_payloads(self, values: Sequence[Any]) -> list[Payload]:
        """Convert values. A large payload is stored and becomes a reference.

        Raises:
            PayloadTooLarge: A payload is larger than the limit.
            PayloadFolderFull: There is no room for a payload.
            PayloadFolderUnusable: The folder cannot be written.
        """
        if not any(self._is_large_bytes(value) for value in values):
            return [self._convert(payload) for payload in self._inner.to_payloads(values)]
        return [
            self._convert_bytes(value)
            if self._is_large_bytes(value)
            else self._convert(self._inner.to_payloads([value])[0])
            for value in values
        ]

    def from_payloads(self, payloads: Sequence[Payload], type_hints: list[type] | None = None) -> list[Any]:
        """Convert payloads to values. References are replaced with the stored payloads.

        Raises:
            PayloadMissing: A payload is not in the folder.
            PayloadCorrupt: A payload is not what was stored.
            PayloadFolderUnusable: The folder cannot be read.
        """
        if not any(is_reference(payload) or claim_of_verified_reference(payload) for payload in payloads):
            return self._inner.from_payloads(payloads, type_hints)
        if not self._settings.plain_bytes:
            return self._inner.from_payloads([self._read_payload(payload) for payload in payloads], type_hints)
        return [self._read_value(payload, hint) for payload, hint in zip_longest(payloads, type_hints or [])]

    def _is_large_bytes(self, value: Any) -> bool:
        settings = self._settings
        return settings.direct and settings.plain_bytes and type(value) is bytes and len(value) >= LARGE

    def _convert_bytes(self, data: bytes) -> Payload:
        return self._store(head_of(PLAIN, len(data)), data) or self._inner.to_payloads([data])[0]

    def _convert(self, payload: Payload) -> Payload:
        size = payload.ByteSize()
        if size > self._settings.max_payload_size:
            raise to_failure(too_large(size, self._settings.max_payload_size, _owner()))
        if not self._settings.direct or size < LARGE or is_reference(payload):
            return payload
        data = payload.data
        return self._store(head_of(payload.metadata, len(data)), data) or payload

    def _store(self, head: bytes, data: bytes) -> Payload | None:
        """Store a payload and return its reference; None if the driver has to store it.

        Workflow code must not wait for a disk: there, only payloads that are stored already become references.
        """
        blobs, server, size = self._settings.blobs, self._settings.server, len(head) + len(data)
        if size > self._settings.max_payload_size:
            raise to_failure(too_large(size, self._settings.max_payload_size, _owner()))
        claim: Claim | None = None
        if not self._settings.stores:
            return to_reference(unstored_claim(size, server))
        try:
            if not workflow.in_workflow():
                claim = blobs.put(server, head, data)
            elif size <= LARGE_FOR_A_WORKFLOW:
                claim = blobs.put_again(server, head, data)
        except PayloadError as error:
            raise to_failure(error) from None
        return None if claim is None else to_reference(replace(claim, owner=_owner()))

    def _read_value(self, payload: Payload, hint: type | None) -> Any:
        hints = None if hint is None else [hint]
        claim = _claim(payload)
        if claim is None:
            return self._inner.from_payloads([payload], hints)[0]
        head, data = self._read(claim, payload)
        metadata = metadata_of(head)
        if metadata == PLAIN and hint is not RawValue:
            return data
        whole = Payload(metadata=metadata, data=data)
        del data
        return self._inner.from_payloads([whole], hints)[0]

    def _read_payload(self, payload: Payload) -> Payload:
        claim = _claim(payload)
        if claim is None:
            return payload
        head, data = self._read(claim, payload)
        return Payload(metadata=metadata_of(head), data=data)

    def _read(self, claim: Claim, payload: Payload) -> tuple[bytes, bytes]:
        try:
            # The driver has just verified a verified reference, in a thread.
            return self._settings.blobs.read(claim, verify=is_reference(payload))
        except PayloadError as error:
            raise to_failure(error) from None


def _owner() -> str:
    """What a value is converted for; unknown in a client."""
    if workflow.in_workflow():
        info = workflow.info()
        return f"workflow {info.workflow_id} in {info.namespace}"
    if activity.in_activity():
        activity_info = activity.info()
        if activity_info.workflow_id is not None:
            return f"workflow {activity_info.workflow_id} in {activity_info.namespace}"
    return ""


def _claim(payload: Payload) -> Claim | None:
    try:
        return claim_of_verified_reference(payload) or claim_of_reference(payload)
    except PayloadError as error:
        raise to_failure(error) from None
