"""Where metrics are read: a managed instance's port, or what a user names."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from ..config.server_options import DEFAULT_NAME
from ..errors import CannotAsk, InstanceNotRunning, InstanceUnknown, OptionError
from ..system.addresses import bracketed

PATH = "/metrics"
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Endpoint:
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


def endpoint(text: str, option: str) -> Endpoint:
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
    return Endpoint(url, parts.netloc)


def of_instance(name: str) -> Endpoint:
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
    return Endpoint(server.metrics_url, label, server.pid)
