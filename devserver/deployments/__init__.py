"""Worker deployments: their status, rollouts between builds, and draining a build."""

from __future__ import annotations

from .drainage import Drainage, pinned_workflows, watch_drainage
from .errors import BuildUnknown, DeploymentChanged, DeploymentRefused, DeploymentUnknown
from .model import Deployment, DeploymentStatus, DeploymentVersion, Routing, VersionLoad, VersionTaskQueue
from .rollout import RolloutChange, ramp, rollback, set_current
from .status import deployment_statuses, describe_deployment, watch_registration

__all__ = [
    "BuildUnknown",
    "Deployment",
    "DeploymentChanged",
    "DeploymentRefused",
    "DeploymentStatus",
    "DeploymentUnknown",
    "DeploymentVersion",
    "Drainage",
    "RolloutChange",
    "Routing",
    "VersionLoad",
    "VersionTaskQueue",
    "deployment_statuses",
    "describe_deployment",
    "pinned_workflows",
    "ramp",
    "rollback",
    "set_current",
    "watch_drainage",
    "watch_registration",
]
