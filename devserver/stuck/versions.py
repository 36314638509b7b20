"""Which Worker Deployment Version has to start a workflow's next task, and which versions poll."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from temporalio.api.deployment.v1 import WorkerDeploymentVersion
from temporalio.api.enums.v1 import VersioningBehavior, WorkerVersioningMode
from temporalio.api.taskqueue.v1 import PollerInfo, TaskQueueVersioningInfo
from temporalio.api.workflow.v1 import WorkflowExecutionInfo

UNVERSIONED = "unversioned"


@dataclass(frozen=True)
class WantedVersion:
    """The version that a workflow is pinned to; without one, the task queue's current version is wanted."""

    pinned: str | None


def wanted_version(info: WorkflowExecutionInfo) -> WantedVersion:
    """What a workflow's description says about its version."""
    versioning = info.versioning_info
    override = versioning.versioning_override
    if override.HasField("pinned"):
        return WantedVersion(_name(override.pinned.version))
    pinned = versioning.behavior == VersioningBehavior.VERSIONING_BEHAVIOR_PINNED and not override.auto_upgrade
    return WantedVersion(_name(versioning.deployment_version) if pinned else None)


def mismatch(wanted: WantedVersion, queue: TaskQueueVersioningInfo, pollers: Iterable[PollerInfo]) -> str | None:
    """Why none of the workers that poll can get the task, if their versions show it; None if they do not."""
    polled = sorted({_version_of(poller) for poller in pollers})
    if not polled:
        return None
    versions, verb = ", ".join(polled), "poll" if len(polled) > 1 else "polls"
    if wanted.pinned is not None:
        if wanted.pinned in polled:
            return None
        return (
            f"this workflow is pinned to the version {wanted.pinned}, and only {versions} {verb}: start a worker of "
            f"{wanted.pinned}, or move the workflow to another version"
        )
    if queue.HasField("ramping_deployment_version") or queue.ramping_version_percentage:
        return None
    current = _name(queue.current_deployment_version) if queue.current_deployment_version.build_id else UNVERSIONED
    if current in polled:
        return None
    if current == UNVERSIONED:
        return f"only {versions} {verb}, and the task queue has no current version: make a version current"
    return (
        f"the current version of the task queue is {current}, and only {versions} {verb}: start a worker of {current}"
    )


def _version_of(poller: PollerInfo) -> str:
    options = poller.deployment_options
    if options.worker_versioning_mode != WorkerVersioningMode.WORKER_VERSIONING_MODE_VERSIONED:
        return UNVERSIONED
    return f"{options.deployment_name}:{options.build_id}"


def _name(version: WorkerDeploymentVersion) -> str:
    return f"{version.deployment_name}:{version.build_id}"
