"""Metrics endpoints: their addresses, and reading their text over HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ..config.option_values import DEFAULT_NAME
from ..errors import CannotAsk, InstanceNotRunning, InstanceUnknown, OptionError
from ..system.ports import bracketed, is_loopback
from ..system.redact import mask

if TYPE_CHECKING:
    import ssl

PATH = "/metrics"
LOOPBACK = "127.0.0.1"
TIMEOUT_SECONDS = 5.0
MAX_BYTES = 64 << 20


@dataclass(frozen=True)
class MetricsEndpoint:
    """The address of a process's metrics.

    Args:
        url: Where its metrics are.
        label: Its name for a person: the address that clients of the server use, or the endpoint's own.
        pid: The id of the process if it is a devserver instance.
    """

    url: str
    label: str
    pid: int | None = None

    @property
    def host_port(self) -> str:
        """`host:port`, the form of a Prometheus target."""
        parts = urlsplit(self.url)
        port = parts.port or {"https": 443}.get(parts.scheme, 80)
        return f"{bracketed(parts.hostname or '')}:{port}"


def parse_endpoint(text: str, option: str) -> MetricsEndpoint:
    """The endpoint of `9000`, `host:9000` or a URL.

    Raises:
        OptionError: The text is none of these; the message names `option`.
    """
    if "://" not in text:
        text = f"http://{LOOPBACK}:{text}" if text.isdecimal() else f"http://{text}"
    try:
        parts = urlsplit(text)
        is_http = parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.username
        is_complete = parts.port is not None or parts.scheme == "https" or parts.path not in ("", "/")
    except ValueError:
        is_http = is_complete = False
    if not (is_http and is_complete):
        raise OptionError(
            f"{option} {mask(text).removeprefix('http://')} is not the address of a metrics endpoint",
            hint="for example 127.0.0.1:9000",
        )
    path = parts.path if parts.path not in ("", "/") else PATH
    url = parts._replace(path=path, fragment="").geturl()
    return MetricsEndpoint(url, parts.netloc)


def instance_endpoint(name: str) -> MetricsEndpoint:
    """The endpoint of a devserver instance.

    Raises:
        CannotAsk: The instance is not running.
    """
    from ..instances.dev_server import DevServer

    try:
        server = DevServer.attach(name)
    except (InstanceNotRunning, InstanceUnknown) as error:
        raise CannotAsk(error.message, details=error.details, hint=error.hint) from None
    label = server.address if name == DEFAULT_NAME else f"{server.address} (instance {name})"
    return MetricsEndpoint(server.metrics_url, label, server.pid)


async def fetch_metrics(endpoint: MetricsEndpoint, *, limit: float = TIMEOUT_SECONDS) -> str:
    """The text of an endpoint, read within `limit` seconds.

    Raises:
        CannotAsk: The endpoint does not answer in time, answers with an error, or with more than 64 MB.
    """
    import asyncio

    import httpx

    try:
        return await asyncio.wait_for(_get(endpoint.url), limit)
    except asyncio.TimeoutError:
        raise _unreadable(endpoint, f"no answer within {limit:g} s") from None
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        raise _unreadable(endpoint, str(error) or type(error).__name__) from None


async def _get(url: str) -> str:
    import httpx

    trust_env = not is_loopback(urlsplit(url).hostname or "")
    async with (
        httpx.AsyncClient(trust_env=trust_env, verify=_certificates(url), timeout=TIMEOUT_SECONDS) as client,
        client.stream("GET", url, headers={"Accept": "text/plain"}) as response,
    ):
        if response.status_code != 200:
            raise httpx.HTTPError(f"the answer is {response.status_code} {response.reason_phrase}".rstrip())
        text = bytearray()
        async for chunk in response.aiter_bytes():
            text += chunk
            if len(text) > MAX_BYTES:
                raise httpx.HTTPError(f"the answer is larger than {MAX_BYTES >> 20} MB")
    return text.decode("utf-8", "replace")


def _certificates(url: str) -> ssl.SSLContext | bool:
    """The system's CA certificates, which include a company's own; nothing is loaded without TLS."""
    if not url.startswith("https:"):
        return False
    import ssl

    import truststore

    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _unreadable(endpoint: MetricsEndpoint, reason: str) -> CannotAsk:
    return CannotAsk(
        f"cannot read the metrics at {endpoint.url}",
        details=[reason],
        hint="check that the process is running and that this is its port for metrics",
    )
