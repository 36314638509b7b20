"""The SDK's storage driver for a folder: each payload is copied once in memory, on its way in and on its way out."""

from __future__ import annotations

import asyncio
import copy
import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from temporalio.api.common.v1 import Payload
from temporalio.converter import (
    StorageDriver,
    StorageDriverActivityInfo,
    StorageDriverClaim,
    StorageDriverRetrieveContext,
    StorageDriverStoreContext,
)

from ..system.paths import whole
from .blob_format import head_of, metadata_of
from .blobs import BlobFolder
from .claims import ANY_SERVER, DRIVER_NAME, Claim, is_valid_server, unstored_claim
from .errors import PayloadError, PayloadOptionError
from .failures import to_failure
from .limits import LARGE, MAX_FOLDER_SIZE, MAX_PAYLOAD_SIZE, parse_size, too_large
from .references import to_verified_reference


class FolderDriver(StorageDriver):
    """Stores payloads as files in a folder, each once under its SHA-256.

    Args:
        folder: The path; the first payload creates it, for this user only.
        max_payload_size: The limit of one payload, in bytes or as "1GB" (protobuf's limit is 2 GB).
        max_folder_size: The limit of the whole folder.
        server: The cluster id of the server whose histories refer to the payloads; `LargePayloads` gets it from the
            server.
        sync: Whether a payload is on the disk (fsync) before a history refers to it; without it, a power failure can
            lose the payload.

    Raises:
        PayloadOptionError: A size or the server's id is invalid.
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        max_payload_size: int | str = MAX_PAYLOAD_SIZE,
        max_folder_size: int | str = MAX_FOLDER_SIZE,
        server: str = ANY_SERVER,
        sync: bool = True,
    ) -> None:
        if not is_valid_server(server):
            raise PayloadOptionError(f"{server!r} is not a server's id", hint="use letters, digits and dashes")
        max_size = parse_size(max_folder_size, "max_folder_size")
        self.blobs = BlobFolder(whole(Path(folder)), sync=sync, max_size=max_size)
        self.server = server
        self.max_payload_size = parse_size(max_payload_size, "max_payload_size")
        # The SDK copies large payloads too: one at a time keeps the memory for all copies low.
        self._one_at_a_time = threading.Lock()
        self._stores = self._reads_large = True

    def for_server(self, server: str) -> FolderDriver:
        """This driver for the histories of another server, with the same folder and limits."""
        other = copy.copy(self)
        other.server = server
        return other

    def for_replay(self) -> FolderDriver:
        """This driver for a replay: it reads payloads and stores none."""
        other = copy.copy(self)
        other._stores = False
        return other

    def for_folder_converter(self) -> FolderDriver:
        """This driver for use with a `FolderConverter`, which reads large payloads itself."""
        other = copy.copy(self)
        other._reads_large = False
        return other

    def name(self) -> str:
        """The name of this driver in histories."""
        return DRIVER_NAME

    def type(self) -> str:
        """The type of this driver in the server's metrics."""
        return DRIVER_NAME

    async def store(self, context: StorageDriverStoreContext, payloads: Sequence[Payload]) -> list[StorageDriverClaim]:
        """Store payloads; returns a claim for each.

        Raises:
            PayloadTooLarge: A payload is larger than `max_payload_size`; Temporal does not retry.
            PayloadFolderFull: The disk or the folder is full; Temporal retries the task.
            PayloadFolderUnusable: The folder cannot be written.
        """
        owner = _owner(context)
        claims = [await asyncio.to_thread(self._store, payload, owner) for payload in payloads]
        return [StorageDriverClaim(claim.to_data()) for claim in claims]

    async def retrieve(
        self, context: StorageDriverRetrieveContext, claims: Sequence[StorageDriverClaim]
    ) -> list[Payload]:
        """The verified payload of each claim.

        Raises:
            PayloadMissing: A payload is not in the folder; Temporal does not retry.
            PayloadCorrupt: A payload is not what was stored, or a claim is invalid; Temporal does not retry.
            PayloadFolderUnusable: The folder cannot be read.
        """
        return [await asyncio.to_thread(self._retrieve, claim) for claim in claims]

    def _store(self, payload: Payload, owner: str) -> Claim:
        size = payload.ByteSize()
        try:
            if size > self.max_payload_size:
                raise too_large(size, self.max_payload_size, owner)
            if not self._stores:
                return unstored_claim(size, self.server)
            with self._turn(size):
                data = payload.data  # the one copy: protobuf has no view of it
                claim = self.blobs.put(self.server, head_of(payload.metadata, len(data)), data)
        except PayloadError as error:
            raise to_failure(error) from None
        return Claim(claim.digest, claim.size, claim.server, owner)

    def _retrieve(self, stored: StorageDriverClaim) -> Payload:
        try:
            claim = Claim.from_data(stored.claim_data)
            if claim.size >= LARGE and not self._reads_large:
                self.blobs.verify(claim)
                return to_verified_reference(claim)
            with self._turn(claim.size):
                head, data = self.blobs.read(claim)
                return Payload(metadata=metadata_of(head), data=data)
        except PayloadError as error:
            raise to_failure(error) from None

    def _turn(self, size: int) -> AbstractContextManager[object]:
        return self._one_at_a_time if size > LARGE else nullcontext()


def _owner(context: StorageDriverStoreContext) -> str:
    """What a payload is stored for, for the error of a lost payload."""
    target = context.target
    kind = "activity" if isinstance(target, StorageDriverActivityInfo) else "workflow"
    return f"{kind} {target.id} in {target.namespace}" if target is not None and target.id else ""
