"""The SDK's storage driver on a folder: payloads go in and come out with one copy in memory each."""

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
from .claims import ANY_SERVER, NAME, Claim, nowhere, valid_server
from .errors import PayloadError, PayloadOptionError
from .failures import to_failure
from .limits import LARGE, LARGEST, MOST, parse_size, too_large
from .references import on_the_way


class FolderDriver(StorageDriver):
    """Stores payloads as files of a folder, each once under its SHA-256.

    Args:
        folder: Where; made with the first payload, for this user alone.
        largest: The most one payload may have, in bytes or as "1GB" (protobuf ends at 2 GB).
        most: The most the folder may have in all.
        server: Whose histories refer to what is stored: a cluster id. `LargePayloads` asks the server for it.
        sync: Whether a payload is on the disk (fsync) before a history refers to it; without, a power cut can lose it.

    Raises:
        PayloadOptionError: A size or the server's id cannot be used.
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        largest: int | str = LARGEST,
        most: int | str = MOST,
        server: str = ANY_SERVER,
        sync: bool = True,
    ) -> None:
        if not valid_server(server):
            raise PayloadOptionError(f"{server!r} cannot be a server's id", hint="letters, digits and dashes")
        self.blobs = BlobFolder(whole(Path(folder)), sync=sync, most=parse_size(most, "most"))
        self.server = server
        self.largest = parse_size(largest, "largest")
        # What is large is copied by the SDK as well: one at a time keeps the sum of the copies small.
        self._alone = threading.Lock()
        self._keeps = self._reads = True

    def of(self, server: str) -> FolderDriver:
        """The same for another server's histories: one folder, one limit, one turn."""
        other = copy.copy(self)
        other.server = server
        return other

    def reading(self) -> FolderDriver:
        """The same for a replay, which keeps nothing of what the workflow sends."""
        other = copy.copy(self)
        other._keeps = False
        return other

    def below(self) -> FolderDriver:
        """The same below a `FolderConverter`, which reads what is large itself."""
        other = copy.copy(self)
        other._reads = False
        return other

    def name(self) -> str:
        """What histories call this driver."""
        return NAME

    def type(self) -> str:
        """What the driver is, for the server's metrics."""
        return NAME

    async def store(self, context: StorageDriverStoreContext, payloads: Sequence[Payload]) -> list[StorageDriverClaim]:
        """A claim for each payload.

        Raises:
            PayloadTooLarge: One is larger than `largest`; this is not retried.
            PayloadFolderFull: The disk or the folder is full; the task is retried.
            PayloadFolderUnusable: The folder cannot be written.
        """
        owner = _owner(context)
        claims = [await asyncio.to_thread(self._store, payload, owner) for payload in payloads]
        return [StorageDriverClaim(claim.to_data()) for claim in claims]

    async def retrieve(
        self, context: StorageDriverRetrieveContext, claims: Sequence[StorageDriverClaim]
    ) -> list[Payload]:
        """The payload of each claim, verified.

        Raises:
            PayloadMissing: One is not there; this is not retried.
            PayloadCorrupt: One is not what was stored, or a claim is not one of ours; this is not retried.
            PayloadFolderUnusable: The folder cannot be read.
        """
        return [await asyncio.to_thread(self._retrieve, claim) for claim in claims]

    def _store(self, payload: Payload, owner: str) -> Claim:
        size = payload.ByteSize()
        try:
            if size > self.largest:
                raise too_large(size, self.largest, owner)
            if not self._keeps:
                return nowhere(size, self.server)
            with self._turn(size):
                data = payload.data  # the one copy: protobuf gives no view of it
                claim = self.blobs.put(self.server, head_of(payload.metadata, len(data)), data)
        except PayloadError as error:
            raise to_failure(error) from None
        return Claim(claim.digest, claim.size, claim.server, owner)

    def _retrieve(self, stored: StorageDriverClaim) -> Payload:
        try:
            claim = Claim.from_data(stored.claim_data)
            if claim.size >= LARGE and not self._reads:
                self.blobs.verify(claim)
                return on_the_way(claim)
            with self._turn(claim.size):
                head, data = self.blobs.read(claim)
                return Payload(metadata=metadata_of(head), data=data)
        except PayloadError as error:
            raise to_failure(error) from None

    def _turn(self, size: int) -> AbstractContextManager[object]:
        return self._alone if size > LARGE else nullcontext()


def _owner(context: StorageDriverStoreContext) -> str:
    """For whom a payload is stored, in words: a person reads it when the payload is lost."""
    target = context.target
    kind = "activity" if isinstance(target, StorageDriverActivityInfo) else "workflow"
    return f"{kind} {target.id} in {target.namespace}" if target is not None and target.id else ""
