"""A client that only reads, without the SDK's client, whose import takes longer than reading a long history.

It has the attributes that reading needs, under the SDK's names. It is for commands that run no code of the user. What
it cannot do is left to the SDK's client: servers with TLS or keys, and calls that fail, for which the SDK has errors.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from .http2 import CallFailed, Http2Connection
from .plain_values import plain_values

if TYPE_CHECKING:
    from temporalio.client import Client

SERVICE = "/temporal.api.workflowservice.v1.WorkflowService/"
DEFAULT_PORT = 7233
FOREVER = timedelta(days=1)

SdkClient = Callable[[], Awaitable["Client"]]


@dataclass(frozen=True)
class _Address:
    target_host: str


class _Service:
    """The workflow service: `describe_workflow_execution(request, retry=..., timeout=...)` and all the others."""

    def __init__(self, connection: Http2Connection, address: str, sdk: SdkClient) -> None:
        self._connection = connection
        self._sdk = sdk
        self._client: Client | None = None
        self._connecting = asyncio.Lock()
        self.config = _Address(address)

    def __getattr__(self, rpc: str) -> Callable[..., Awaitable[Any]]:
        from temporalio.api.workflowservice import v1 as messages

        name = "".join(word.capitalize() for word in rpc.split("_"))
        parsed, path = getattr(messages, f"{name}Response").FromString, SERVICE + name

        async def call(request: Any, *, retry: bool = False, timeout: timedelta | None = None) -> Any:
            seconds = (timeout or FOREVER).total_seconds()
            try:
                return parsed(await self._connection.call(path, request.SerializeToString(), seconds))
            except CallFailed:
                pass
            except asyncio.TimeoutError:
                from temporalio.service import RPCError, RPCStatusCode

                raise RPCError("Timeout expired", RPCStatusCode.DEADLINE_EXCEEDED, b"") from None
            client = await self._sdk_client()
            return await getattr(client.workflow_service, rpc)(request, retry=retry, timeout=timeout)

        setattr(self, rpc, call)
        return call

    async def _sdk_client(self) -> Client:
        """The SDK's client, connected once: many calls may fail at the same time."""
        async with self._connecting:
            if self._client is None:
                self._client = await self._sdk()
            return self._client


class ReadingClient:
    """What reading needs of a client."""

    def __init__(self, connection: Http2Connection, address: str, namespace: str, sdk: SdkClient) -> None:
        self.end: asyncio.Task[None] | None = None
        self.namespace = namespace
        self.identity = f"{os.getpid()}@{socket.gethostname()}"
        self.data_converter = plain_values()
        self.workflow_service = self.service_client = _Service(connection, address, sdk)


async def reading_client(
    address: str, namespace: str, metadata: Mapping[str, str | bytes], sdk: SdkClient
) -> Client | None:
    """A connected client for a server without TLS; None: use the SDK's, which says why it cannot be reached.

    Args:
        metadata: Header fields of each call.
        sdk: Connects with the SDK's client, for calls that fail.
    """
    host, _, port = address.rpartition(":")
    host, number = (host.strip("[]"), int(port)) if host else (port, DEFAULT_PORT)
    try:
        _, connection = await asyncio.get_running_loop().create_connection(
            lambda: Http2Connection(address, metadata), host, number
        )
    except (OSError, OverflowError, UnicodeError):  # nobody is there, or the address is none
        return None
    client = ReadingClient(connection, address, namespace, sdk)
    client.end = asyncio.create_task(connection.close_at_the_end())
    return cast("Client", client)
