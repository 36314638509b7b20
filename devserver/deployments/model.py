"""What is known of a worker deployment: its builds, which of them has the work, and who works for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Literal

from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.deployment.v1 import RoutingConfig, WorkerDeploymentInfo
from temporalio.api.enums.v1 import RoutingConfigUpdateState, WorkerDeploymentVersionStatus

from ..client.timestamps import to_datetime

VersionState = Literal["created", "inactive", "current", "ramping", "draining", "drained", "unknown"]
UNVERSIONED = "unversioned workers"
NEVER_USED = ("created", "inactive")


@dataclass(frozen=True)
class Routing:
    """Where new workflows and those that upgrade go: `percentage` of them to `ramping`, the others to `current`.

    A build that is None is that of the workers without a version; `percentage` is None where nothing is ramping.
    """

    current: str | None
    ramping: str | None = None
    percentage: float | None = None

    @property
    def ramps(self) -> bool:
        """Whether a ramp is on, if only at 0 percent."""
        return self.percentage is not None

    def __str__(self) -> str:
        ramp = f", {build_name(self.ramping)} ramping at {self.percentage:g}%" if self.percentage is not None else ""
        return f"{build_name(self.current)} current{ramp}"


@dataclass(frozen=True)
class DeploymentVersion:
    """One build of a deployment. Moments are None where they have not come, or where the server does not tell them.

    `last_current` is when it last became current, `deactivated` when it last stopped to be current or ramping;
    `drain_changed` and `drain_checked` are when its draining or drained state began and was last looked at.
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
        """Whether it is in a state in which a build mostly has no open workflows."""
        return self.state in (*NEVER_USED, "drained")

    @property
    def since(self) -> datetime | None:
        """When its present state began."""
        known = {"current": self.last_current, "ramping": self.ramping_since, "inactive": self.created}
        return known.get(self.state, self.drain_changed)


@dataclass(frozen=True)
class Deployment:
    """A deployment as it was at one look; `versions` the newest first.

    `token` tells the server which look a change goes by; `settled` is false while task queues still hear of a change.
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
        return [each.build for each in self.versions]

    def version(self, build: str) -> DeploymentVersion | None:
        """That build."""
        return next((each for each in self.versions if each.build == build), None)


@dataclass(frozen=True, order=True)
class VersionTaskQueue:
    """A task queue of a build; `kind` is workflow, activity or nexus."""

    name: str
    kind: str


@dataclass(frozen=True)
class VersionLoad:
    """What a build has to do: its task queues, the workers that poll them now, and its open workflows by behaviour."""

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
    """A deployment with the load of each of its builds, by their ids."""

    deployment: Deployment
    loads: Mapping[str, VersionLoad]


def build_name(build: str | None) -> str:
    """A build for a person."""
    return UNVERSIONED if build is None else build


Summary = WorkerDeploymentInfo.WorkerDeploymentVersionSummary


IN_PROGRESS = RoutingConfigUpdateState.ROUTING_CONFIG_UPDATE_STATE_IN_PROGRESS


UNVERSIONED_ON_THE_WIRE = "__unversioned__"


def deployment_from_proto(info: WorkerDeploymentInfo, token: bytes) -> Deployment:
    """The deployment in a server's description; `token` makes a change conditional on it."""
    versions = sorted(map(_version, info.version_summaries), key=_age, reverse=True)
    return Deployment(
        name=info.name,
        routing=_routing(info.routing_config),
        versions=tuple(versions),
        current_since=_time(info.routing_config.current_version_changed_time),
        last_modifier=info.last_modifier_identity,
        settled=info.routing_config_update_state != IN_PROGRESS,
        token=token,
    )


def _routing(config: RoutingConfig) -> Routing:
    current = config.current_deployment_version.build_id or None
    ramping = config.ramping_deployment_version.build_id or None
    if ramping is None and config.ramping_version != UNVERSIONED_ON_THE_WIRE:
        return Routing(current)
    return Routing(current, ramping, config.ramping_version_percentage)


def _version(summary: Summary) -> DeploymentVersion:
    drain = summary.drainage_info
    return DeploymentVersion(
        build=summary.deployment_version.build_id,
        state=_state(summary.status),
        created=_time(summary.create_time),
        last_current=_time(summary.last_current_time) or _time(summary.current_since_time),
        ramping_since=_time(summary.ramping_since_time),
        deactivated=_time(summary.last_deactivation_time),
        drain_changed=_time(drain.last_changed_time),
        drain_checked=_time(drain.last_checked_time),
    )


def _state(status: int) -> VersionState:
    names: dict[int, VersionState] = {
        WorkerDeploymentVersionStatus.WORKER_DEPLOYMENT_VERSION_STATUS_CREATED: "created",
        WorkerDeploymentVersionStatus.WORKER_DEPLOYMENT_VERSION_STATUS_INACTIVE: "inactive",
        WorkerDeploymentVersionStatus.WORKER_DEPLOYMENT_VERSION_STATUS_CURRENT: "current",
        WorkerDeploymentVersionStatus.WORKER_DEPLOYMENT_VERSION_STATUS_RAMPING: "ramping",
        WorkerDeploymentVersionStatus.WORKER_DEPLOYMENT_VERSION_STATUS_DRAINING: "draining",
        WorkerDeploymentVersionStatus.WORKER_DEPLOYMENT_VERSION_STATUS_DRAINED: "drained",
    }
    return names.get(status, "unknown")


def _age(version: DeploymentVersion) -> tuple[datetime, str]:
    return version.created or datetime.min.replace(tzinfo=timezone.utc), version.build


def _time(stamp: Timestamp) -> datetime | None:
    return to_datetime(stamp) if stamp.seconds or stamp.nanos else None
