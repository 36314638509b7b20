"""What a history says of a stored payload: which one, how large, and for which workflow it was stored."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from .errors import PayloadCorrupt

NAME = "devserver.folder"
ANY_SERVER = "any"

_DIGEST = re.compile(r"[0-9a-f]{64}\Z")
_SERVER = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}\Z")
_SIZE = re.compile(r"\d{1,12}\Z")


@dataclass(frozen=True)
class Claim:
    """One stored payload: the SHA-256 of its blob, the blob's size in bytes, the server (a cluster id) it belongs to,
    and in words for whom it was stored.
    """

    digest: str
    size: int
    server: str = ANY_SERVER
    owner: str = ""

    def to_data(self) -> dict[str, str]:
        """The form kept in a history."""
        data = {"sha256": self.digest, "size": str(self.size), "server": self.server}
        return {**data, "for": self.owner} if self.owner else data

    @classmethod
    def from_data(cls, data: Mapping[str, str]) -> Claim:
        """What `to_data` wrote. A history may come from anywhere, so nothing that could lead out of the folder passes.

        Raises:
            PayloadCorrupt: It is not of that form.
        """
        digest, size, server = data.get("sha256", ""), data.get("size", ""), data.get("server", ANY_SERVER)
        if not (_DIGEST.match(digest) and _SIZE.match(size) and _SERVER.match(server)):
            raise PayloadCorrupt(
                f"the reference to a large payload is not one of devserver's: {dict(data)!r:.200}",
                hint="see which worker or client wrote it: it must use devserver.payloads.LargePayloads",
            )
        return cls(digest, int(size), server, data.get("for", ""))


def nowhere(size: int, server: str) -> Claim:
    """A claim for what is not kept: in a replay nothing is sent, so nobody will ask for it."""
    return Claim("0" * 64, size, server)


# As protobuf's JSON has a reference, keys in order; text of others in it has its quotation marks escaped.
_IN_BYTES = re.compile(rb'"server":"([A-Za-z0-9-]{1,64})","sha256":"([0-9a-f]{64})","size":"(\d{1,12})"')


def claims_in(raw: bytes) -> list[Claim]:
    """The claims in serialized events, descriptions and the like, wherever they stand."""
    return [Claim(digest.decode(), int(size), server.decode()) for server, digest, size in _IN_BYTES.findall(raw)]


def valid_server(server: str) -> bool:
    """Whether a server's id can be a folder's name."""
    return bool(_SERVER.match(server))
