"""Origins of pages in a browser, as the `Origin` header has them: `http://127.0.0.1:8233`."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from .errors import PayloadOptionError

LOOPBACK = "127.0.0.1"
_HOST = re.compile(r"[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_])?\.?\Z|\[[0-9a-f:.]+\]\Z")
_DEFAULT_PORTS = {"http": 80, "https": 443}


def parse_origin(text: str, name: str = "--origin") -> str:
    """The origin that a user gives, as a browser sends it.

    Raises:
        PayloadOptionError: It has another form; the message has the `name` of the option.
    """
    origin = origin_of(text)
    if origin is None or urlsplit(text).path not in ("", "/") or re.search(r"[?#]", text):
        raise PayloadOptionError(
            f"{name}: {text[:80]!r} is not the origin of a page",
            details=["an origin is scheme, host and port, without a path; each has to be named, * is none"],
            hint="for example --origin http://127.0.0.1:8233, the beginning of the Web UI's address in your browser",
        )
    return origin


def origin_of(url: str) -> str | None:
    """The origin of the page at `url`, with `localhost` as `127.0.0.1`: the Web UI is opened by both names.

    Returns:
        None if a page at that URL has no origin.
    """
    if not url.isascii() or not url.isprintable() or " " in url:
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    host = parts.netloc.rpartition(":")[0] if port is not None else parts.netloc.removesuffix(":")
    host = host.lower()
    if parts.scheme not in _DEFAULT_PORTS or not _HOST.match(host) or port == 0:
        return None
    host = LOOPBACK if host == "localhost" else host
    return f"{parts.scheme}://{host}" + (f":{port}" if port not in (None, _DEFAULT_PORTS[parts.scheme]) else "")
