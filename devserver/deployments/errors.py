"""Errors about worker deployments. They stand apart so that a process without the Temporal SDK can load them."""

from __future__ import annotations

import re

from ..errors import DevServerError, NotFound

# What the server says when a worker or a rollout would add a version.
_FULL = re.compile(
    r"cannot add version (?P<name>.+?)[.:](?P<build>\S+) since maximum number of versions \((?P<most>\d+)\)"
)
_NO_MORE = re.compile(r"reached maximum deployments in namespace \((?P<most>\d+)\)")
MAX_VERSIONS, STOCK_MAX_VERSIONS = "matching.maxVersionsInDeployment", 100
FULL_HINT = (
    "stop the workers of old builds: the server deletes versions that are drained and have had no worker for some "
    f"minutes; or allow more: devserver up --dynamic-config-value {MAX_VERSIONS}=N"
)
NO_MORE_HINT = (
    "delete one that is not used: devserver temporal -- worker deployment delete --name NAME; "
    "or allow more: devserver up --dynamic-config-value matching.maxDeployments=N"
)


class DeploymentUnknown(NotFound):
    """The namespace has no worker deployment with that name."""


class BuildUnknown(NotFound):
    """The worker deployment has no build with that id."""


class DeploymentChanged(DevServerError):
    """Another client changed the worker deployment at the same time; nothing was done."""


class DeploymentRefused(DevServerError):
    """The change would leave workflows without workers, or it is unclear which build is meant."""


def deployment_full(message: str) -> DeploymentRefused | None:
    """The error for a deployment or namespace that is full, if the server's message says so."""
    full = _NO_MORE.search(message)
    if full is not None:
        return DeploymentRefused(
            f"the server refuses a new deployment: the namespace has {full['most']}, as many as it may",
            hint=NO_MORE_HINT,
        )
    found = _FULL.search(message)
    if found is None:
        return None
    return DeploymentRefused(
        f"the server refuses the build {found['build']}: the deployment {found['name']} has {found['most']} versions, "
        "as many as it may",
        hint=FULL_HINT,
    )
