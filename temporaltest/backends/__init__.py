"""Where a test run's server comes from: managed, in a container, or one that is there already."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from devserver import DevServer

    from ..config import Config
    from ..marker import Wishes

TIME_SKIPPING = "time skipping"
OUTAGES = "outages"
NAMESPACES = "new namespaces"
PRIVATE = "private servers"


@dataclass(frozen=True)
class Endpoint:
    """A server that runs: how clients reach it, and what it can do.

    `connect` holds further keywords for `Client.connect` (TLS, API key); `namespace` is set where tests have to share
    one; `managed` is the handle of a server of ours, which outages need.
    """

    address: str
    can: frozenset[str]
    ui_url: str | None = None
    namespace: str | None = None
    connect: Mapping[str, Any] = field(default_factory=dict)
    managed: DevServer | None = None
    why_not: str = ""


class Backend(Protocol):
    """Makes servers. Every call blocks until the server answers."""

    def shared(self) -> Endpoint:
        """The server that all tests of this run (and of others like it) share; started where there is none."""

    def private(self, wishes: Wishes) -> Endpoint:
        """A server for one test.

        Raises:
            NotSupported: This backend has none to give; says why.
        """

    def release(self, endpoint: Endpoint) -> None:
        """Give up our hold on a server."""


def make(config: Config) -> Backend:
    """The backend that the run is set to."""
    if config.backend == "managed":
        from .managed import Managed

        return Managed(config)
    if config.backend == "container":
        from .container import Container

        return Container(config)
    from .external import External

    return External(config)
