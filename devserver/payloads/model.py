"""Records of stored payloads: who refers to them, which cannot be read, which were removed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .claims import Claim, claims_in
from .errors import PayloadError

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from .blobs import Blob

# The SDK's mark of a reference that a codec has encoded: only a worker with that codec can read it.
ENCODED = b"__temporal_external_storage_reference"


@dataclass(frozen=True)
class PayloadUse:
    """A reference to a stored payload.

    Args:
        claim: The stored payload.
        namespace: The namespace of the workflow, schedule or activity; None for a copy of a database.
        owner: What refers to it, for a person: `workflow order-1`, `snapshot before of default`.
    """

    claim: Claim
    namespace: str | None
    owner: str


@dataclass
class PayloadUsage:
    """All references of one server.

    Args:
        server: The server's cluster id.
        runs: How many workflow runs were read.
        databases: How many copies of the server's database were read.
        encoded: How many pages of history hold references that only a codec can read.
        uses: The references by the SHA-256 of the payload.
    """

    server: str
    runs: int = 0
    databases: int = 0
    encoded: int = 0
    uses: dict[str, list[PayloadUse]] = field(default_factory=dict)

    def add(self, message: Message | bytes, namespace: str | None, owner: str) -> None:
        """Add the references in a message or its serialized form."""
        raw = message if isinstance(message, bytes) else message.SerializeToString()
        if ENCODED in raw:
            self.encoded += 1
        for claim in claims_in(raw):
            uses = self.uses.setdefault(claim.digest, [])
            use = PayloadUse(claim, namespace, owner)
            if use not in uses:
                uses.append(use)


@dataclass(frozen=True)
class PayloadProblem:
    """A stored payload that cannot be read: the reason, and what refers to it."""

    claim: Claim
    error: PayloadError
    uses: tuple[PayloadUse, ...]


@dataclass(frozen=True)
class PrunedPayloads:
    """The result of a removal, also of a dry run.

    Args:
        removed: The blobs that were, or would be, removed.
        used: How many blobs stay because something refers to them.
        recent: How many blobs stay because they were stored recently.
    """

    removed: tuple[Blob, ...]
    used: int
    recent: int

    @property
    def freed(self) -> int:
        """Bytes of the removed blobs."""
        return sum(blob.size for blob in self.removed)
