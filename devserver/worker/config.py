"""The options of a worker, in a form that can be sent to its process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from ..client.connection import Connection

if TYPE_CHECKING:
    from ..introspection import Module

Behavior = Literal["pinned", "auto-upgrade"]

GRACE_SECONDS = 10.0


@dataclass(frozen=True)
class WorkerOptions:
    """A worker for a module. None is an option that was not given.

    Attributes:
        spec: The module, as `MODULE[:NAME]`.
        connection: The server.
        task_queue: The task queue to poll; the module's if None.
        build: The build id of its Worker Deployment Version; unversioned if None.
        deployment: The Worker Deployment of that version; named after the task queue if None.
        behavior: The versioning behavior of workflows that declare none.
        nexus_endpoint: A Nexus endpoint to create for the task queue.
        max_activities, max_workflow_tasks: How many run at the same time.
        identity: The worker's identity on the server; `pid@host` if None.
        grace: The graceful shutdown timeout of activities, in seconds.
        large_payloads: Whether large payloads are kept in files.
        metrics_port: The port on loopback where its process serves Prometheus.
        otlp: The endpoint of the collector that gets the spans of workflows.
        data_converter: Named as `MODULE:NAME`; in place of the module's own.
        plugins: Plugins of the SDK, each named as `MODULE:NAME`; in addition to the module's own.
    """

    spec: str
    connection: Connection = field(default_factory=Connection)
    task_queue: str | None = None
    build: str | None = None
    deployment: str | None = None
    behavior: Behavior = "pinned"
    nexus_endpoint: str | None = None
    max_activities: int | None = None
    max_workflow_tasks: int | None = None
    identity: str | None = None
    grace: float = GRACE_SECONDS
    large_payloads: bool = True
    metrics_port: int | None = None
    otlp: str | None = None
    data_converter: str | None = None
    plugins: Sequence[str] = ()

    def queue(self, module: Module) -> str:
        """The task queue of a worker for `module`."""
        return self.task_queue or module.task_queue

    def deployment_of(self, module: Module) -> str:
        """The Worker Deployment of a worker for `module`; its name has no dots."""
        return self.deployment or self.queue(module).replace(".", "-")

    def to_json(self) -> dict[str, Any]:
        """The options as plain data."""
        return asdict(self)

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> WorkerOptions:
        """The options from what `to_json` returned."""
        return WorkerOptions(**{**data, "connection": Connection(**data["connection"])})
