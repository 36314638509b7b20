"""What the user wants of a worker, in a form that goes to its process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from ..client.target import Connection

if TYPE_CHECKING:
    from ..introspection import Module

Behavior = Literal["pinned", "auto-upgrade"]

GRACE_SECONDS = 10.0


@dataclass(frozen=True)
class WorkerOptions:
    """A worker for `spec` (`MODULE[:NAME]`) on the server of `connection`; None is what was not said.

    `build` is its Worker Deployment Version's build id, of the deployment `deployment` (the task queue's name if None);
    `behavior` is that of workflows that have none of their own. `grace` (seconds) is what activities that run are given
    when it stops. `metrics_port` is where its process serves Prometheus. `otlp` is the endpoint of a collector for
    the spans of workflows. `data_converter` and `plugins` are named as `MODULE:NAME`.
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
        """The task queue for a module."""
        return self.task_queue or module.task_queue

    def deployment_of(self, module: Module) -> str:
        """The Worker Deployment that the build belongs to; a deployment's name has no dots."""
        return self.deployment or self.queue(module).replace(".", "-")

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> WorkerOptions:
        """What `to_json` made."""
        return WorkerOptions(**{**data, "connection": Connection(**data["connection"])})
