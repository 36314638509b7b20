"""Which requests a local page server answers: those of this machine's user, from its own pages."""

from __future__ import annotations

import contextlib
import hmac
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from pathlib import Path

from ..system.printable import visible

LOOPBACK = "127.0.0.1"
_HOST = re.compile(r"(127\.0\.0\.1|localhost)(:[0-9]{1,5})?\Z")  # another port is one that a tunnel listens on
_SOCKETS = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_MAPPED = "0000000000000000FFFF0000"  # an IPv4 address of a socket for IPv6
ROOT = 0


class RequestRefused(Exception):
    """A request that is answered with another status than 200."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class PageRequest:
    """A GET request for a page: its path, the query's values, and what its document needs."""

    path: str
    query: Mapping[str, str]
    nonce: str
    token: str
    start: str


def check_host(headers: Message) -> None:
    """Refuse a foreign name for this machine (DNS rebinding).

    Raises:
        RequestRefused: `Host` is missing, given twice, or not loopback.
    """
    named = headers.get_all("Host", [])
    if len(named) != 1 or not _HOST.match(named[0]):
        shown = visible(", ".join(named))[:80] or "(no host)"
        raise RequestRefused(403, f"only requests to {LOOPBACK} and localhost are answered, not to {shown}")


def check_site(headers: Message, *, navigation: bool) -> None:
    """Refuse requests that pages of other sites send, also those of other ports of this machine.

    Args:
        headers: The request's.
        navigation: Whether a link on another page may lead here.

    Raises:
        RequestRefused: `Origin` or `Sec-Fetch-Site` is another's.
    """
    origin = headers.get("Origin")
    if origin is not None and origin != f"http://{headers.get('Host')}":
        raise RequestRefused(403, "pages of other sites cannot use this server")
    if headers.get("Sec-Fetch-Site", "none") in ("none", "same-origin"):
        return
    top = headers.get("Sec-Fetch-Mode") == "navigate" and headers.get("Sec-Fetch-Dest") == "document"
    if not (navigation and top):
        raise RequestRefused(403, "pages of other sites cannot use this server")


def check_token(headers: Message, token: str) -> None:
    """Refuse an action without the token of this start's pages.

    Raises:
        RequestRefused: It has none, or that of an earlier start.
    """
    given = headers.get("X-Devserver-Token", "")
    if not hmac.compare_digest(given.encode(errors="replace"), token.encode()):
        raise RequestRefused(403, "this page is out of date: load it again")


def check_user(client: tuple[str, int], server: tuple[str, int]) -> None:
    """Refuse other users of this machine, where the system says whose a connection is (Linux).

    Raises:
        RequestRefused: The connection belongs to another user, who is not root.
    """
    owner = _owner(client, server) if sys.platform == "linux" else None
    if owner not in (None, ROOT, os.getuid()):
        raise RequestRefused(403, "this server belongs to another user")


def _owner(client: tuple[str, int], server: tuple[str, int]) -> int | None:
    """The user id of the client's end of a connection."""
    ends = f"{_hexadecimal(client)} {_hexadecimal(server)} ", f"{_MAPPED}{_hexadecimal(client)} "
    for file in _SOCKETS:
        with contextlib.suppress(OSError, ValueError), file.open() as lines:
            for line in lines:
                if ends[0] in line or ends[1] in line:
                    return int(line.split()[7])
    return None


def _hexadecimal(address: tuple[str, int]) -> str:
    host = int.from_bytes(bytes(map(int, address[0].split("."))), sys.byteorder)
    return f"{host:08X}:{address[1]:04X}"
