"""What is asked of an instance, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass

from ..config.server_options import ServerOptions
from ..executables.models import Executable
from .folder import InstanceFolder
from .leases import Lease
from .record import Record


@dataclass(frozen=True)
class StartRequest:
    """A request for a running instance.

    Attributes:
        folder: The instance.
        options: The options of the server.
        executable: The Temporal CLI to run.
        explicit: The names of the options that the user gave: only they must match an instance that is running.
        held: Whether the server runs only while processes hold leases; the requesting process gets one.
        linger: Seconds for which the server runs after the last lease.
        wait: Seconds in which the server has to be ready.
        stop: Seconds in which the server has to stop after SIGTERM.
        pause_schedules: Whether a new server pauses all schedules before they can act.
    """

    folder: InstanceFolder
    options: ServerOptions
    executable: Executable
    explicit: frozenset[str] = frozenset()
    held: bool = False
    linger: float = 0.0
    wait: float = 30.0
    stop: float = 10.0
    pause_schedules: bool = False


@dataclass(frozen=True)
class StartedInstance:
    """An instance that is running.

    Attributes:
        record: Its record.
        fresh: Whether this call started it.
        lease: The lease of this process, if the request asked for one.
    """

    record: Record
    fresh: bool
    lease: Lease | None = None
