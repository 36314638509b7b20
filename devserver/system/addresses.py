"""Host names and addresses as URLs and clients need them."""

from __future__ import annotations


def client_host(bind: str) -> str:
    """Where clients reach a server that listens on `bind`."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(bind, bind)  # noqa: S104 - compared, not bound


def bracketed(host: str) -> str:
    """`host` as it is written before a port."""
    return f"[{host}]" if ":" in host else host
