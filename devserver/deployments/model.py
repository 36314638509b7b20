"""Records of worker deployments: builds, routing, workers and open workflows; made from the server's messages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Literal

from temporalio.api.deployment.v1 import RoutingConfig, WorkerDeploymentInfo
from temporalio.api.enums.v1 import RoutingConfigUpdateState, WorkerDeploymentVersionStatus

from ..client.timestamps import to_datetime_or_none

VersionState = Literal["created", "inactive", "current", "ramping", "draining", "drained", "unknown"]
UNVERSIONED = "unversioned workers"
NEVER_USED = ("created", "inactive")

UNVERSIONED_PROTO = "__unversioned__"
IN_PROGRESS = RoutingConfigUpdateState.ROUTING_CONFIG_UPDATE_STATE_IN_PROGRESS
STATES: dict[int, VersionState] = {
    WorkerDeploymentVersionStatus.WORKER_DEPLOYMENT_VERSION_STATUS_CREATED: "created",
    WorkerDeploymentVersionStatus.WORKER_DEPLOYMENT_VERSION_STATUS_INACTIVE: "inactive",
    WorkerDeploymentVersionStatus.WORKER_DEPLOYMENT_VERSION_STATUS_CURRENT: "current",
    WorkerDeploymentVersionStatus.WORKER_DEPLOYMENT_VERSION_STATUS_RAMPING: "ramping",
    WorkerDeploymentVersionStatus.WORKER_DEPLOYMENT_VERSION_STATUS_DRAINING: "draining",
    WorkerDeploymentVersionStatus.WORKER_DEPLOYMENT_VERSION_STATUS_DRAINED: "drained",
}


@dataclass(frozen=True)
class Routing:
    """Where new workflows and AutoUpgrade workflows go.

    Args:
        current: The current build; None is the unversioned workers.
        ramping: The build that gets `percentage` of the workflows; None with a percentage is the unversioned workers.
        percentage: 0 to 100; None without a ramp.
    """

    current: str | None
    ramping: str | None = None
    percentage: float | None = None

    @property
    def has_ramp(self) -> bool:
        """Whether a build is ramping, also at 0 percent."""
        return self.percentage is not None

    def __str__(self) -> str:
        ramp = f", {build_name(self.ramping)} ramping at {self.percentage:g}%" if self.percentage is not None else ""
        return f"{build_name(self.current)} current{ramp}"


@dataclass(frozen=True)
class DeploymentVersion:
    """One build of a deployment. A time is None if it has not happened or the server does not report it.

    Args:
        build: The build id.
        state: The state of the build.
        created: When the server learned about the build.
        last_current: When it last became current.
        ramping_since: When its ramp began.
        deactivated: When it last stopped being current or ramping.
        drain_changed: When it began to drain, or was drained.
        drain_checked: When the server last checked whether it is drained.
    """

    build: str
    state: VersionState
    created: datetime | None = None
    last_current: datetime | None = None
    ramping_since: datetime | None = None
    deactivated: datetime | None = None
    drain_changed: datetime | None = None
    drain_checked: datetime | None = None

    @property
    def quiet(self) -> bool:
        """Whether its state makes open workflows unlikely."""
        return self.state in (*NEVER_USED, "drained")

    @property
    def since(self) -> datetime | None:
        """When its state began."""
        known = {"current": self.last_current, "ramping": self.ramping_since, "inactive": self.created}
        return known.get(self.state, self.drain_changed)


@dataclass(frozen=True)
class Deployment:
    """A deployment at one moment.

    Args:
        versions: Its builds, the newest first.
        current_since: When the current build became current.
        last_modifier: The identity that changed the routing last.
        settled: False while task queues are still being updated after a change.
        token: The server's conflict token: a change with it fails if somebody else made a change in the meantime.
    """

    name: str
    routing: Routing
    versions: tuple[DeploymentVersion, ...]
    current_since: datetime | None = None
    last_modifier: str = ""
    settled: bool = True
    token: bytes = field(default=b"", repr=False)

    @property
    def builds(self) -> list[str]:
        """The ids of its builds, the newest first."""
        return [version.build for version in self.versions]

    def version(self, build: str) -> DeploymentVersion | None:
        """The build with that id."""
        return next((version for version in self.versions if version.build == build), None)


@dataclass(frozen=True, order=True)
class VersionTaskQueue:
    """A task queue of a build; `kind` is `workflow`, `activity` or `nexus`."""

    name: str
    kind: str


@dataclass(frozen=True)
class VersionLoad:
    """The work of a build.

    Args:
        queues: The task queues that its workers have polled.
        workers: The identities of the workers that poll them now.
        pinned, auto_upgrade: Its open workflows, by versioning behavior.
    """

    queues: tuple[VersionTaskQueue, ...] = ()
    workers: tuple[str, ...] = ()
    pinned: int = 0
    auto_upgrade: int = 0

    @property
    def idle(self) -> bool:
        """Whether it has no worker and no open workflow."""
        return not (self.workers or self.pinned or self.auto_upgrade)


@dataclass(frozen=True)
class DeploymentStatus:
    """A deployment and the load of each of its builds, by build id."""

    deployment: Deployment
    loads: Mapping[str, VersionLoad]


def build_name(build: str | None) -> str:
    """A build in a sentence; None is the unversioned workers."""
    return UNVERSIONED if build is None else build


def deployment_from_proto(info: WorkerDeploymentInfo, token: bytes) -> Deployment:
    """The deployment of a description, with the description's conflict token."""
    versions = [_version(summary) for summary in info.version_summaries]
    return Deployment(
        name=info.name,
        routing=_routing(info.routing_config),
        versions=tuple(sorted(versions, key=_age, reverse=True)),
        current_since=to_datetime_or_none(info.routing_config.current_version_changed_time),
        last_modifier=info.last_modifier_identity,
        settled=info.routing_config_update_state != IN_PROGRESS,
        token=token,
    )


def _routing(config: RoutingConfig) -> Routing:
    current = config.current_deployment_version.build_id or None
    ramping = config.ramping_deployment_version.build_id or None
    if ramping is None and config.ramping_version != UNVERSIONED_PROTO:
        return Routing(current)
    return Routing(current, ramping, config.ramping_version_percentage)


def _version(summary: WorkerDeploymentInfo.WorkerDeploymentVersionSummary) -> DeploymentVersion:
    drainage = summary.drainage_info
    return DeploymentVersion(
        build=summary.deployment_version.build_id,
        state=STATES.get(summary.status, "unknown"),
        created=to_datetime_or_none(summary.create_time),
        last_current=to_datetime_or_none(summary.last_current_time) or to_datetime_or_none(summary.current_since_time),
        ramping_since=to_datetime_or_none(summary.ramping_since_time),
        deactivated=to_datetime_or_none(summary.last_deactivation_time),
        drain_changed=to_datetime_or_none(drainage.last_changed_time),
        drain_checked=to_datetime_or_none(drainage.last_checked_time),
    )


def _age(version: DeploymentVersion) -> tuple[datetime, str]:
    return version.created or datetime.min.replace(tzinfo=timezone.utc), version.build
