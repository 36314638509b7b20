"""A running server as tests see it: its address, how to connect, and what it supports; and the protocol of backends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from ..errors import NotSupported

if TYPE_CHECKING:
    from devserver import DevServer

    from ..requirements import Requirements
    from .usage import Usage

# Features that a server may support.
TIME_SKIPPING = "time skipping"
OUTAGES = "outages"
NAMESPACES = "new namespaces"
PRIVATE_SERVERS = "private servers"

TIME_SKIPPING_SINCE = (1, 32)
TIME_SKIPPING_KEY = "frontend.WorkflowTimeSkippingEnabled"


def _always_alive() -> bool:
    return True


def _ended() -> str:
    return "ended"


@dataclass(frozen=True)
class ServerEndpoint:
    """A running server: how clients reach it, and what it supports.

    Attributes:
        address: As `host:port`.
        can: The features that it supports; `why_not` has the reason for each other feature.
        ui_url: URL of the Web UI, or None where it is off.
        namespace: The namespace that all tests share, or None where each test has its own.
        fallback_namespace: Namespace to share if the server does not allow new ones.
        ours: Whether the server ends with the run. On another server, the plugin deletes what tests created.
        connect: Further keywords for `Client.connect` (TLS, API key).
        managed: The server's handle in devserver, which outages need.
        resource: What the backend must release.
        usage: The count of namespaces on a server that is replaced at a limit; None for one that stays.
        alive: Whether this same server still runs, as far as can be known.
        how_ended: How it ended, once it is not alive.
    """

    address: str
    can: frozenset[str]
    why_not: Mapping[str, str] = field(default_factory=dict)
    ui_url: str | None = None
    namespace: str | None = None
    fallback_namespace: str | None = None
    ours: bool = True
    connect: Mapping[str, Any] = field(default_factory=dict, repr=False)
    managed: DevServer | None = None
    resource: Any = field(default=None, repr=False)
    usage: Usage | None = None
    alive: Callable[[], bool] = field(default=_always_alive, repr=False)
    how_ended: Callable[[], str] = field(default=_ended, repr=False)

    def require(self, feature: str) -> None:
        """Check that the server supports `feature`.

        Raises:
            NotSupported: It does not; the message says why.
        """
        if feature not in self.can:
            raise NotSupported(f"no {feature} here: {self.why_not.get(feature, 'this server has none')}")

    def full(self) -> str | None:
        """What to report of a managed server whose database has no room; None where it has."""
        room = self.managed.room if self.managed is not None else None
        if room is None or not room.full:
            return None
        return f"the database of the server is {room}\n  hint: {room.hint}"


class Backend(Protocol):
    """Starts or finds servers. Every call blocks until the server answers."""

    def shared(self, *, after: ServerEndpoint | None = None) -> ServerEndpoint:
        """The server that all tests of this run share, also with other runs of the same settings.

        With `after`, the server that replaces that one, whose `usage` is nearly full.
        """

    def private(self, requirements: Requirements, *, outages: bool = False) -> ServerEndpoint:
        """A server for one test; with `outages`, one that the test may kill or disconnect.

        Raises:
            NotSupported: This backend has no private servers; the message says why.
        """

    def release(self, endpoint: ServerEndpoint) -> None:
        """Release a server; a server that nobody else uses ends."""

    def kept(self) -> str | None:
        """Where the server is that the run leaves running, and how to stop it; None where there is none."""


def why_no_skipping(server_version: str, dynamic_config: Mapping[str, str]) -> str | None:
    """Why a server of that version and configuration does not skip time; None where it does."""
    old = too_old_to_skip(server_version)
    if old is not None:
        return old
    if dynamic_config.get(TIME_SKIPPING_KEY) != "true":
        return f"the server runs without {TIME_SKIPPING_KEY}, which --temporal-tuning fast sets"
    return None


def too_old_to_skip(server_version: str) -> str | None:
    """Why a server of that version does not skip time; None where it may."""
    old = version_of(server_version) < TIME_SKIPPING_SINCE
    return f"server {server_version} is too old, 1.32 or later is needed" if old else None


def version_of(server_version: str) -> tuple[int, ...]:
    """Major and minor number of a server's version."""
    numbers = server_version.split("-")[0].split(".")[:2]
    return tuple(int(number) if number.isdecimal() else 0 for number in numbers)
