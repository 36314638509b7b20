"""The instance backend: a devserver instance that is up already, so that its Web UI shows what the tests did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from devserver import DevServer, DevServerError

from ..errors import SetupError
from .endpoint import (
    NAMESPACES,
    OUTAGES,
    PRIVATE_SERVERS,
    TIME_SKIPPING,
    ServerEndpoint,
    too_old_to_skip,
)
from .managed import ManagedBackend

if TYPE_CHECKING:
    from ..config import PluginConfig


class InstanceBackend(ManagedBackend):
    """See `Backend`. Tests that need a server of their own get one as on the managed backend."""

    def __init__(self, config: PluginConfig, instance: str) -> None:
        super().__init__(config)
        self._instance = instance

    def shared(self, *, after: ServerEndpoint | None = None) -> ServerEndpoint:
        """The instance, which runs on after the tests.

        Raises:
            SetupError: There is no such instance, it is not running, or it cannot have the dynamic configuration.
        """
        if self._config.dynamic_config:
            raise SetupError(
                f"--temporal-dynamic-config has no effect on the instance {self._instance}, which runs already: give "
                "the values to devserver up --dynamic-config-value, or remove --temporal-instance"
            )
        server = self._attach()
        old = too_old_to_skip(server.server_version)
        process = server.pid
        return ServerEndpoint(
            address=server.address,
            can=frozenset({NAMESPACES, PRIVATE_SERVERS}) | frozenset(() if old else {TIME_SKIPPING}),
            why_not={
                TIME_SKIPPING: old or "",
                OUTAGES: "others use this instance too; use @pytest.mark.temporal(private_server=True)",
            },
            ui_url=server.ui_url,
            ours=False,
            managed=server,
            alive=lambda: process is not None and server.pid == process,
        )

    def kept(self) -> str | None:
        """The Web UI of the instance."""
        try:
            server = self._attach()
        except SetupError:
            return None
        return f"{server.ui_url or server.address}: the namespaces of the tests are there"

    def _attach(self) -> DevServer:
        try:
            return DevServer.attach(self._instance)
        except DevServerError as error:
            raise SetupError(f"--temporal-instance {self._instance}: {error}") from None
