"""Claims: the part of a reference that says which payload is stored, how large it is, and for what it was stored."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from .errors import PayloadCorrupt

DRIVER_NAME = "devserver.folder"
ANY_SERVER = "any"

_DIGEST = re.compile(r"[0-9a-f]{64}\Z")
_SERVER = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}\Z")
_SIZE = re.compile(r"\d{1,12}\Z")
# A claim in protobuf's JSON form of a reference: its keys are sorted, and quotation marks inside text are escaped.
_CLAIM = re.compile(rb'"server":"([A-Za-z0-9-]{1,64})","sha256":"([0-9a-f]{64})","size":"(\d{1,12})"')


@dataclass(frozen=True)
class Claim:
    """One stored payload.

    Args:
        digest: The SHA-256 of its blob, in hex.
        size: The size of its blob in bytes.
        server: The cluster id of the server whose histories refer to it.
        owner: What it was stored for, for a person: `workflow order-1 in default`.
    """

    digest: str
    size: int
    server: str = ANY_SERVER
    owner: str = ""

    def to_data(self) -> dict[str, str]:
        """The form in a history."""
        data = {"sha256": self.digest, "size": str(self.size), "server": self.server}
        return {**data, "for": self.owner} if self.owner else data

    @classmethod
    def from_data(cls, data: Mapping[str, str]) -> Claim:
        """The claim that `to_data` wrote.

        Anybody may have written a history, so a claim whose path would lead out of the folder is refused.

        Raises:
            PayloadCorrupt: The data has another form.
        """
        digest, size, server = data.get("sha256", ""), data.get("size", ""), data.get("server", ANY_SERVER)
        if not (_DIGEST.match(digest) and _SIZE.match(size) and _SERVER.match(server)):
            raise PayloadCorrupt(
                f"the reference to a large payload is not one of devserver's: {dict(data)!r:.200}",
                hint="find the worker or client that wrote it: it must use devserver.payloads.LargePayloads",
            )
        return cls(digest, int(size), server, data.get("for", ""))


def unstored_claim(size: int, server: str) -> Claim:
    """A claim for a payload that is not stored: a replay sends nothing, so nobody reads it."""
    return Claim("0" * 64, size, server)


def claims_in(raw: bytes) -> list[Claim]:
    """All claims in a serialized event, description or the like."""
    return [Claim(digest.decode(), int(size), server.decode()) for server, digest, size in _CLAIM.findall(raw)]


def is_valid_server(server: str) -> bool:
    """Whether a server's id can be the name of a folder."""
    return bool(_SERVER.match(server))
