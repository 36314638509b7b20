"""Large values between Python and the folder without the SDK's copies.

On its way through the SDK a payload is copied up to six times, and a workflow that waits keeps two of these copies. So
where no codec must see it, a large value is written when it is converted, and read when it is converted back: all that
passes through the SDK in between is a reference.
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
from .claims import Claim, nowhere
from .errors import PayloadError
from .failures import to_failure
from .limits import LARGE, LARGE_FOR_A_WORKFLOW, too_large
from .references import claim_in, claim_on_the_way, is_reference, reference

PLAIN = {"encoding": b"binary/plain"}


@dataclass(frozen=True)
class ConverterSettings:
    """What the converter needs to know; it is sent to the processes of process pools.

    Args:
        blobs: The folder.
        server: Whose histories refer to what is stored.
        largest: The most bytes that one payload may have.
        direct: Whether values go to the folder from here; not where a codec must see them.
        keeps: Whether they are kept; not in a replay, of which nothing is sent: what stands for them leads nowhere.
        plain_bytes: Whether the converter below turns bytes into a payload of just these bytes.
    """

    blobs: BlobFolder
    server: str
    largest: int
    direct: bool
    keeps: bool = True
    plain_bytes: bool = False


def with_folder(inner: type[PayloadConverter], shortcut: ConverterSettings) -> type[PayloadConverter]:
    """What to use in the place of the converter class `inner`."""
    made = functools.partial(FolderConverter, inner, shortcut)
    return cast(
        "type[PayloadConverter]", made
    )  # the SDK calls it without arguments, and pickles it: a class could not be


def without_folder(made: type[PayloadConverter]) -> type[PayloadConverter]:
    """The class that was given to `with_shortcut`."""
    partial: Any = made
    return partial.args[0] if isinstance(partial, functools.partial) and partial.func is FolderConverter else made


def keeps_bytes(converter: PayloadConverter) -> bool:
    """Whether bytes become a payload of just these bytes, and the other way round."""
    if not isinstance(converter, CompositePayloadConverter):
        return False
    if type(converter.converters.get(PLAIN["encoding"])) is not BinaryPlainPayloadConverter:
        return False
    probe = converter.to_payload(b"probe")
    return dict(probe.metadata) == PLAIN and probe.data == b"probe"


class FolderConverter(PayloadConverter, WithSerializationContext):
    """The converter `inner`, whose large payloads are in a folder."""

    def __init__(self, inner: type[PayloadConverter], shortcut: ConverterSettings) -> None:
        self._inner = inner()
        self._shortcut = shortcut

    def with_context(self, context: SerializationContext) -> FolderConverter:
        """The same for one workflow or activity."""
        other = copy.copy(self)
        if isinstance(self._inner, WithSerializationContext):
            other._inner = self._inner.with_context(context)
        return other

    def to_payloads(self, values: Sequence[Any]) -> list[Payload]:
        """As the converter below does; a large payload is stored and becomes a reference.

        Raises:
            PayloadTooLarge: One is larger than may be.
            PayloadFolderFull: There is no room for one.
            PayloadFolderUnusable: The folder cannot be written.
        """
        if not any(self._is_the_data(value) for value in values):
            return [self._kept(payload) for payload in self._inner.to_payloads(values)]
        return [
            self._kept_data(value) if self._is_the_data(value) else self._kept(self._inner.to_payloads([value])[0])
            for value in values
        ]

    def from_payloads(self, payloads: Sequence[Payload], type_hints: list[type] | None = None) -> list[Any]:
        """As the converter below does, with what is stored in the place of references.

        Raises:
            PayloadMissing: A stored payload is not there.
            PayloadCorrupt: It is not what was stored.
            PayloadFolderUnusable: The folder cannot be read.
        """
        if not any(is_reference(each) or claim_on_the_way(each) for each in payloads):
            return self._inner.from_payloads(payloads, type_hints)
        if not self._shortcut.plain_bytes:
            return self._inner.from_payloads([self._whole(each) for each in payloads], type_hints)
        return [self._value(payload, hint) for payload, hint in zip_longest(payloads, type_hints or [])]

    def _is_the_data(self, value: Any) -> bool:
        shortcut = self._shortcut
        return shortcut.direct and shortcut.plain_bytes and type(value) is bytes and len(value) >= LARGE

    def _kept_data(self, data: bytes) -> Payload:
        return self._stored(head_of(PLAIN, len(data)), data) or self._inner.to_payloads([data])[0]

    def _kept(self, payload: Payload) -> Payload:
        size = payload.ByteSize()
        if size > self._shortcut.largest:
            raise to_failure(too_large(size, self._shortcut.largest, _owner()))
        if not self._shortcut.direct or size < LARGE or is_reference(payload):
            return payload
        data = payload.data
        return self._stored(head_of(payload.metadata, len(data)), data) or payload

    def _stored(self, head: bytes, data: bytes) -> Payload | None:
        """The reference to what is stored; None where it is left to the driver. A workflow's code must not wait for a
        disk, so there only what is in the folder already becomes a reference: what the workflow was given.
        """
        blobs, server, size = self._shortcut.blobs, self._shortcut.server, len(head) + len(data)
        if size > self._shortcut.largest:
            raise to_failure(too_large(size, self._shortcut.largest, _owner()))
        claim: Claim | None
        if not self._shortcut.keeps:
            return reference(nowhere(size, server))
        try:
            if not workflow.in_workflow():
                claim = blobs.put(server, head, data)
            elif size <= LARGE_FOR_A_WORKFLOW:
                claim = blobs.put_again(server, head, data)
            else:
                claim = None
        except PayloadError as error:
            raise to_failure(error) from None
        return None if claim is None else reference(replace(claim, owner=_owner()))

    def _value(self, payload: Payload, hint: type | None) -> Any:
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

    def _whole(self, payload: Payload) -> Payload:
        claim = _claim(payload)
        if claim is None:
            return payload
        head, data = self._read(claim, payload)
        return Payload(metadata=metadata_of(head), data=data)

    def _read(self, claim: Claim, payload: Payload) -> tuple[bytes, bytes]:
        try:
            # What is on the way was verified by the driver, in a thread, a moment ago.
            return self._shortcut.blobs.read(claim, verify=is_reference(payload))
        except PayloadError as error:
            raise to_failure(error) from None


def _owner() -> str:
    """For whom a value is converted, as far as that is known here: a client's part is not."""
    if workflow.in_workflow():
        info = workflow.info()
        return f"workflow {info.workflow_id} in {info.namespace}"
    if activity.in_activity():
        running = activity.info()
        if running.workflow_id is not None:
            return f"workflow {running.workflow_id} in {running.namespace}"
    return ""


def _claim(payload: Payload) -> Claim | None:
    try:
        return claim_on_the_way(payload) or claim_in(payload)
    except PayloadError as error:
        raise to_failure(error) from None
