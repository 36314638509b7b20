"""Where a test run's server comes from: managed, in a container, or one that is there already."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from ..errors import NotSupported

if TYPE_CHECKING:
    from devserver import DevServer

    from ..config import Config
    from ..marker import Wishes

TIME_SKIPPING = "time skipping"
OUTAGES = "outages"
NAMESPACES = "new namespaces"
PRIVATE = "private servers"

TIME_SKIPPING_SINCE = (1, 32)
TIME_SKIPPING_SWITCH = "frontend.WorkflowTimeSkippingEnabled"


def _unwatched() -> bool:
    return True


@dataclass(frozen=True)
class Endpoint:
    """A server that runs: how clients reach it, and what it can do.

    Attributes:
        address: As `host:port`.
        can: What it can do; `why_not` says of each other thing why not.
        ui_url: The Web UI, where it is on.
        namespace: Set where all tests share one namespace.
        spare_namespace: To be shared if the server refuses to make new ones.
        ours: Whether it ends with us; on another's server what tests made is deleted.
        connect: Further keywords for `Client.connect` (TLS, API key).
        managed: The handle of a server of ours, which outages need.
        hold: What its backend has to give up.
        alive: Whether this very server still runs, as far as can be known.
    """

    address: str
    can: frozenset[str]
    why_not: Mapping[str, str] = field(default_factory=dict)
    ui_url: str | None = None
    namespace: str | None = None
    spare_namespace: str | None = None
    ours: bool = True
    connect: Mapping[str, Any] = field(default_factory=dict, repr=False)
    managed: DevServer | None = None
    hold: Any = field(default=None, repr=False)
    alive: Callable[[], bool] = field(default=_unwatched, repr=False)

    def require(self, what: str) -> None:
        """See that the server can do `what`.

        Raises:
            NotSupported: It cannot; says why.
        """
        if what not in self.can:
            raise NotSupported(f"no {what} here: {self.why_not.get(what, 'this server has none')}")


class Backend(Protocol):
    """Makes servers. Every call blocks until the server answers."""

    def shared(self) -> Endpoint:
        """The server that all tests of this run (and of others like it) share; started where there is none."""

    def private(self, wishes: Wishes, *, outages: bool = False) -> Endpoint:
        """A server for one test, to which `outages` may be done.

        Raises:
            NotSupported: This backend has none to give; says why.
        """

    def release(self, endpoint: Endpoint) -> None:
        """Give up our hold on a server."""

    def kept(self) -> str | None:
        """Where the server is that a run leaves up, and how it is stopped; None where there is none."""


def make(config: Config) -> Backend:
    """The backend that the run is set to."""
    if config.backend == "managed":
        from .managed import Managed

        return Managed(config)
    if config.backend == "container":
        from .container import Container

        return Container(config)
    import temporalio.client  # noqa: F401 - the first of the SDK's modules, see `session.import_sdk`

    from .external import External

    return External(config)


def why_no_skipping(server_version: str, dynamic_config: Mapping[str, str]) -> str | None:
    """Why a server of that version and configuration does not skip time, None where it does."""
    if version_of(server_version) < TIME_SKIPPING_SINCE:
        return f"server {server_version} is too old, it came with 1.32"
    if dynamic_config.get(TIME_SKIPPING_SWITCH) != "true":
        return f"the server runs without {TIME_SKIPPING_SWITCH}, which the tuning fast sets"
    return None


def version_of(server_version: str) -> tuple[int, ...]:
    """The first two numbers of a server's version."""
    numbers = server_version.split("-")[0].split(".")[:2]
    return tuple(int(number) if number.isdecimal() else 0 for number in numbers)
