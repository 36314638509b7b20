"""The external backend: a server that runs already, with the SDK's environment configuration."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, GetSystemInfoRequest
from temporalio.client import Client
from temporalio.envconfig import ClientConfigProfile
from temporalio.service import RPCError

from devserver.client import unreachable

from ..errors import NotSupported, SetupError
from ..workers.background_loop import BackgroundLoop
from .connection_monitor import ConnectionMonitor
from .endpoint import (
    NAMESPACES,
    OUTAGES,
    PRIVATE_SERVERS,
    TIME_SKIPPING,
    ServerEndpoint,
    too_old_to_skip,
)

if TYPE_CHECKING:
    from ..config import PluginConfig
    from ..requirements import Requirements

CONNECT_SECONDS = 10.0
NOT_OURS = "the plugin did not start the external server; use the managed backend for this test"
ADVICE = (
    "use --temporal-address host:port, or --temporal-client-profile NAME with a profile that has one, "
    "or set TEMPORAL_ADDRESS"
)


class ExternalBackend:
    """See `Backend`. Each option of the plugin replaces the SDK's environment variable of the same name."""

    def __init__(self, config: PluginConfig) -> None:
        self._config = config

    def shared(self, *, after: ServerEndpoint | None = None) -> ServerEndpoint:
        """The server, once it has answered; nothing is started.

        Raises:
            SetupError: There is no address, or the server does not answer; the message says why.
        """
        connect = self._load()
        address = connect.pop("target_host", None)
        fallback = connect.pop("namespace", None)
        if self._config.dynamic_config:
            raise SetupError(
                f"--temporal-dynamic-config has no effect on the external server {address or ''}, which runs already: "
                "configure that server, or use the managed backend"
            )
        if address is None:
            raise SetupError(f"no address of an external server: {ADVICE}")
        namespace = self._config.namespace
        loop = BackgroundLoop()
        try:
            version = loop.run(_check(address, connect, namespace, self._config.at_least(CONNECT_SECONDS)))
        finally:
            loop.close()
        old = too_old_to_skip(version)
        monitor = ConnectionMonitor(address)
        return ServerEndpoint(
            address=address,
            can=frozenset({NAMESPACES} if namespace is None else ()) | frozenset(() if old else {TIME_SKIPPING}),
            why_not={
                NAMESPACES: "all tests share the one of --temporal-namespace",
                TIME_SKIPPING: old or "",
                OUTAGES: NOT_OURS,
                PRIVATE_SERVERS: NOT_OURS,
            },
            namespace=namespace,
            fallback_namespace=fallback,
            ours=False,
            connect=connect,
            resource=monitor,
            alive=monitor.alive,
        )

    def private(self, requirements: Requirements, *, outages: bool = False) -> ServerEndpoint:
        """Not supported."""
        raise NotSupported(f"no {PRIVATE_SERVERS} here: {NOT_OURS}")

    def release(self, endpoint: ServerEndpoint) -> None:
        """Close the connection that monitors the server."""
        monitor: ConnectionMonitor = endpoint.resource
        monitor.stop()

    def kept(self) -> str | None:
        """Nothing is left running."""
        return None

    def _load(self) -> dict[str, Any]:
        config = self._config
        variables = _as_variables(config)
        environ = {**os.environ, **variables}
        # Do not send the key of a stored profile to an address that was set for this run.
        stored = config.address is None or "TEMPORAL_PROFILE" in environ
        try:
            profile = ClientConfigProfile.load(
                config.client_profile, disable_file=not stored, override_env_vars=environ
            )
            return dict(profile.to_client_connect_config())
        except Exception as error:  # noqa: BLE001 - the SDK's own ConfigError is a plain Exception without a public name
            raise SetupError(f"the SDK cannot read its environment configuration: {error}") from None


def _as_variables(config: PluginConfig) -> dict[str, str]:
    """The plugin's options as variables of the SDK's environment configuration."""
    values = {
        "TEMPORAL_PROFILE": config.client_profile,
        "TEMPORAL_ADDRESS": config.address,
        "TEMPORAL_API_KEY": config.api_key,
        "TEMPORAL_TLS": None if config.tls is None else str(config.tls).lower(),
        "TEMPORAL_TLS_SERVER_NAME": config.tls_server_name,
        "TEMPORAL_TLS_SERVER_CA_CERT_PATH": config.tls_server_ca_cert_path,
        "TEMPORAL_TLS_CLIENT_CERT_PATH": config.tls_client_cert_path,
        "TEMPORAL_TLS_CLIENT_KEY_PATH": config.tls_client_key_path,
    }
    return {name: str(value) for name, value in values.items() if value is not None}


async def _check(address: str, connect: Mapping[str, Any], namespace: str | None, limit: float) -> str:
    """The version of the server; checks that `namespace` exists, if one is set."""
    try:
        client = await asyncio.wait_for(Client.connect(address, **connect), limit)
        info = await client.workflow_service.get_system_info(GetSystemInfoRequest())
    except (RuntimeError, RPCError, OSError, asyncio.TimeoutError) as error:
        cause = unreachable(address, str(error) or f"no answer within {limit:g} s")
        why = cause.message.removeprefix(f"cannot connect to {address}: ")
        raise SetupError(
            f"the external Temporal server at {address} cannot be used: {why}\n{cause.hint} "
            "(--temporal-address, --temporal-tls..., TEMPORAL_API_KEY)"
        ) from None
    if namespace is not None:
        await _require_namespace(client, address, namespace)
    return info.server_version


async def _require_namespace(client: Client, address: str, namespace: str) -> None:
    try:
        await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=namespace))
    except RPCError as error:
        raise SetupError(f"the namespace {namespace} of {address} cannot be used: {error.message}") from None
