"""Where metrics are read: a managed instance's port, or what a user names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ..config.server_options import DEFAULT_NAME
from ..errors import CannotAsk, InstanceNotRunning, InstanceUnknown, OptionError
from ..system.addresses import bracketed
from ..system.ports import is_loopback

if TYPE_CHECKING:
    import ssl

PATH = "/metrics"
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class MetricsEndpoint:
    """Where metrics are read: an address, and what to call it. `pid` is the process's where it is one of ours."""

    url: str
    label: str
    pid: int | None = None

    @property
    def host_port(self) -> str:
        """`host:port`, as Prometheus names a target."""
        parts = urlsplit(self.url)
        port = parts.port or {"https": 443}.get(parts.scheme, 80)
        return f"{bracketed(parts.hostname or '')}:{port}"


def parse_endpoint(text: str, option: str) -> MetricsEndpoint:
    """The endpoint that a user means with `9000`, `host:9000` or a URL.

    Raises:
        OptionError: It is none of these.
    """
    if "://" not in text:
        text = f"http://{LOOPBACK}:{text}" if text.isdecimal() else f"http://{text}"
    try:
        parts = urlsplit(text)
        given = parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.username
        named = parts.port is not None or parts.scheme == "https" or parts.path not in ("", "/")
    except ValueError:
        given = named = False
    if not (given and named):
        raise OptionError(
            f"{option} {text.removeprefix('http://')} is no address of metrics", hint="as in 127.0.0.1:9000"
        )
    path = parts.path if parts.path not in ("", "/") else PATH
    url = parts._replace(path=path, fragment="").geturl()
    return MetricsEndpoint(url, parts.netloc)


def instance_endpoint(name: str) -> MetricsEndpoint:
    """Where the managed instance of that name is read; it is called by the address that clients use.

    Raises:
        CannotAsk: It does not run.
    """
    from ..instances.dev_server import DevServer

    try:
        server = DevServer.attach(name)
    except (InstanceNotRunning, InstanceUnknown) as error:
        raise CannotAsk(error.message, details=error.details, hint=error.hint) from None
    label = server.address if name == DEFAULT_NAME else f"{server.address} (instance {name})"
    return MetricsEndpoint(server.metrics_url, label, server.pid)


SECONDS = 5.0


MOST_BYTES = 64 << 20


async def fetch_metrics(where: MetricsEndpoint, *, limit: float = SECONDS) -> str:
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


def _silent(where: MetricsEndpoint, why: str) -> CannotAsk:
    return CannotAsk(
        f"the metrics at {where.url} cannot be read",
        details=[why],
        hint="see that it runs, and that this is its port for metrics",
    )
