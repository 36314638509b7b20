"""Where the server of a test run comes from: managed by devserver, in a container, or external."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..config import PluginConfig
    from .endpoint import Backend


def make(config: PluginConfig) -> Backend:
    """The backend that the configuration names."""
    if config.instance is not None:
        from .instance import InstanceBackend

        return InstanceBackend(config, config.instance)
    if config.backend == "managed":
        from .managed import ManagedBackend

        return ManagedBackend(config)
    if config.backend == "container":
        from .container import ContainerBackend

        return ContainerBackend(config)
    import temporalio.client  # noqa: F401 - it must be the first SDK module, see `session.import_sdk`

    from .external import ExternalBackend

    return ExternalBackend(config)
