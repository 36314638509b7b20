"""Whether all that a server refers to is in the folder, and is what was stored."""

from __future__ import annotations

from collections.abc import Iterator

from .blobs import BlobFolder
from .claims import Claim
from .errors import PayloadError
from .model import PayloadProblem, PayloadUsage, PayloadUse


def find_problems(blobs: BlobFolder, usage: PayloadUsage | None) -> Iterator[PayloadProblem]:
    """What is missing or corrupt: of what the server refers to, and of all that the folder holds besides."""
    seen: set[tuple[str, str]] = set()
    for uses in usage.uses.values() if usage is not None else ():
        for claim in dict.fromkeys(use.claim for use in uses):
            seen.add((claim.server, claim.digest))
            yield from _looked_at(blobs, claim, tuple(use for use in uses if use.claim == claim))
    for blob in blobs.list():
        if (blob.server, blob.digest) not in seen:
            yield from _looked_at(blobs, Claim(blob.digest, blob.size, blob.server), ())


def _looked_at(blobs: BlobFolder, claim: Claim, uses: tuple[PayloadUse, ...]) -> Iterator[PayloadProblem]:
    try:
        blobs.verify(claim)
    except PayloadError as error:
        yield PayloadProblem(claim, error, uses)
