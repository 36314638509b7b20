"""A Testcontainers module: a Temporal dev server in a container, for test suites that do not use the pytest plugin.

    with TemporalContainer() as server:
        client = await server.connect()

It needs `temporal-devserver[container]` and a Docker engine on this machine.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import docker.errors
from testcontainers.core.container import DockerContainer

from devserver import HttpApi, ServerOptions, dynamic_config

from .backends import engine
from .backends.container_record import GRPC, HTTP, MEMORY, UI, server_command
from .errors import SetupError
from .options import IMAGE

if TYPE_CHECKING:
    from temporalio.client import Client
    from typing_extensions import Self


class TemporalContainer(DockerContainer):
    """A Temporal dev server in a container, ready when `start` returns, with its state in memory.

    Its ports are published on loopback only: the server has no authentication.

    Args:
        image: An image whose entrypoint is the Temporal CLI: the official one, or that of `containers/Dockerfile`.
        ui: Whether the Web UI runs.
        tuning: `fast`, or `stock` for the server's own dynamic configuration.
        dynamic_config: Dynamic configuration values; they override those of the tuning.
        namespaces: Namespaces to create in addition to `default`.
        limit: Seconds until the server must answer.
        options: Options of `DockerContainer`, such as `name` or `network`.
    """

    def __init__(
        self,
        image: str = IMAGE,
        *,
        ui: bool = False,
        tuning: str = "fast",
        dynamic_config: Mapping[str, Any] | None = None,
        namespaces: Sequence[str] = (),
        limit: float = 60.0,
        **options: Any,
    ) -> None:
        super().__init__(image, **options)
        self._ui = ui
        self._limit = limit
        self._api: HttpApi | None = None
        self.with_command(server_command(_configured(tuning, dynamic_config or {}), ui=ui, namespaces=namespaces))
        self.with_tmpfs_mount(MEMORY)

    def start(self) -> Self:
        """Start the container, and wait until its server answers. If it does not, the container is removed.

        Raises:
            SetupError: No Docker engine answers, it is on another machine, or the server does not start.
        """
        try:
            address = engine.publish_at(engine.engine())
            for port in self._server_ports() if address else ():
                self.ports[f"{port}/tcp"] = (address,)  # type: ignore[assignment] # docker's form for "any port there"
            super().start()
            self._host = address or self.get_container_host_ip()
            self._api = engine.wait_until_serving(self.get_wrapped_container(), self.image, self._find_api, self._limit)
        except BaseException as error:
            self.stop()
            if isinstance(error, engine.ContainerUnavailable):
                raise SetupError(str(error)) from None
            if isinstance(error, docker.errors.DockerException):
                raise SetupError(f"Docker cannot run {self.image}: {error}") from error
            raise
        return self

    @property
    def address(self) -> str:
        """The address for clients, as `host:port`."""
        return f"{self._host}:{self._get_exposed_port(GRPC)}"

    @property
    def ui_url(self) -> str | None:
        """The URL of the Web UI; None if it is off."""
        return f"http://{self._host}:{self._get_exposed_port(UI)}" if self._ui else None

    async def connect(self, **options: Any) -> Client:
        """A client, by default of the namespace `default`; `options` are those of `Client.connect`."""
        from temporalio.client import Client

        return await Client.connect(self.address, **options)

    def _server_ports(self) -> tuple[int, ...]:
        return (GRPC, HTTP, UI) if self._ui else (GRPC, HTTP)

    def _find_api(self) -> HttpApi:
        return HttpApi(self._host, self._get_exposed_port(HTTP))


def _configured(tuning: str, values: Mapping[str, Any]) -> dict[str, str]:
    own = {key: json.dumps(value) for key, value in values.items()}
    return dynamic_config(ServerOptions(tuning=tuning)) | HttpApi.with_access(own)
