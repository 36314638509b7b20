"""Checks that every payload that a server refers to is in the folder, and that every blob is what was stored.

It stands apart from `usage`, so that an offline check does not load the Temporal SDK.
"""

from __future__ import annotations

from collections.abc import Iterator

from .blobs import BlobFolder
from .claims import Claim
from .errors import PayloadError
from .model import PayloadProblem, PayloadUsage, PayloadUse


def find_problems(blobs: BlobFolder, usage: PayloadUsage | None) -> Iterator[PayloadProblem]:
    """The missing and the corrupt payloads among the referenced ones, and the other corrupt blobs of the folder.

    Args:
        usage: The references of a server; None checks only the blobs of the folder.
    """
    checked: set[tuple[str, str]] = set()
    for uses in usage.uses.values() if usage is not None else ():
        for claim in dict.fromkeys(use.claim for use in uses):
            checked.add((claim.server, claim.digest))
            yield from _problems(blobs, claim, tuple(use for use in uses if use.claim == claim))
    for blob in blobs.list():
        if (blob.server, blob.digest) not in checked:
            yield from _problems(blobs, Claim(blob.digest, blob.size, blob.server), ())


def _problems(blobs: BlobFolder, claim: Claim, uses: tuple[PayloadUse, ...]) -> Iterator[PayloadProblem]:
    try:
        blobs.verify(claim)
    except PayloadError as error:
        yield PayloadProblem(claim, error, uses)
