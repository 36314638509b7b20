"""Errors about worker deployments. They stand apart so that a process without the Temporal SDK can load them."""

from __future__ import annotations

from ..errors import DevServerError, NotFound


class DeploymentUnknown(NotFound):
    """The namespace has no worker deployment with that name."""


class BuildUnknown(NotFound):
    """The worker deployment has no build with that id."""


class DeploymentChanged(DevServerError):
    """Another client changed the worker deployment at the same time; nothing was done."""


class DeploymentRefused(DevServerError):
    """The change would leave workflows without workers, or it is unclear which build is meant."""
