"""Gets the text of a metrics endpoint over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ..errors import CannotAsk
from ..system.ports import is_loopback
from .endpoints import Endpoint

if TYPE_CHECKING:
    import ssl

SECONDS = 5.0
MOST_BYTES = 64 << 20


async def fetch(where: Endpoint, *, limit: float = SECONDS) -> str:
    """What it answers, within `limit` seconds.

    Raises:
        CannotAsk: It does not answer, refuses, or answers without end.
    """
    import asyncio

    import httpx

    try:
        return await asyncio.wait_for(_get(where.url), limit)
    except asyncio.TimeoutError:
        raise _silent(where, f"no answer within {limit:g} s") from None
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        raise _silent(where, str(error) or type(error).__name__) from None


async def _get(url: str) -> str:
    import httpx

    async with (
        httpx.AsyncClient(
            trust_env=not is_loopback(urlsplit(url).hostname or ""), verify=_trust(url), timeout=SECONDS
        ) as client,
        client.stream("GET", url, headers={"Accept": "text/plain"}) as response,
    ):
        if response.status_code != 200:
            raise httpx.HTTPError(f"it answers {response.status_code} {response.reason_phrase}".rstrip())
        read = bytearray()
        async for chunk in response.aiter_bytes():
            read += chunk
            if len(read) > MOST_BYTES:
                raise httpx.HTTPError(f"its answer is larger than {MOST_BYTES >> 20} MB")
    return read.decode("utf-8", "replace")


def _trust(url: str) -> ssl.SSLContext | bool:
    """The system's CAs, to which a company has added its own; nothing is loaded where there is no TLS."""
    if not url.startswith("https:"):
        return False
    import ssl

    import truststore

    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _silent(where: Endpoint, why: str) -> CannotAsk:
    return CannotAsk(
        f"the metrics at {where.url} cannot be read",
        details=[why],
        hint="see that it runs, and that this is its port for metrics",
    )
