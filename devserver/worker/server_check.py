"""Checks every other second whether the server answers the worker, and whether the worker has imported more files."""

from __future__ import annotations

import asyncio
import sys
import time
from datetime import timedelta

from temporalio.api.workflowservice.v1 import GetSystemInfoRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from ..client.connection import Connection
from ..client.target import find_target
from ..errors import DevServerError
from ..system.channel import ParentChannel
from . import import_snapshot
from .errors import WorkerEnded

CHECK_SECONDS = 2.0
CALL_LIMIT = timedelta(seconds=5)
SILENT = (RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED)


async def check_server(client: Client, connection: Connection, channel: ParentChannel) -> None:
    """Report changes until cancelled.

    Raises:
        WorkerEnded: The managed instance runs at another address now.
    """
    address = client.service_client.config.target_host
    problem: str | None = None
    modules, since = len(sys.modules), time.time()
    while True:
        await asyncio.sleep(CHECK_SECONDS)
        before, problem = problem, await _problem(client)
        if problem is None and before is not None:
            channel.send("server_back", address=address)
        elif problem is not None and before is None:
            channel.send("server_gone", address=address, problem=problem)
        if problem is not None:
            _check_address(connection, address)
        if len(sys.modules) != modules:
            modules = len(sys.modules)
            channel.send("files", files=import_snapshot.imported_files(), since=since)
        since = time.time()


def _check_address(connection: Connection, address: str) -> None:
    """A managed instance may have another port after a restart; a worker connected by its name has to follow."""
    try:
        target = find_target(connection)
    except DevServerError:  # it is not running yet
        return
    if target.name is not None and target.address != address:
        raise WorkerEnded(f"the instance {target.name} now runs at {target.address}")


async def _problem(client: Client) -> str | None:
    """What is wrong with the answer of the server; None if it answers."""
    try:
        await client.workflow_service.get_system_info(GetSystemInfoRequest(), retry=False, timeout=CALL_LIMIT)
    except RPCError as error:
        if error.status in SILENT:
            return f"does not answer within {CALL_LIMIT.total_seconds():g} s"
        return "cannot be reached" if error.status == RPCStatusCode.UNAVAILABLE else f"refuses calls: {error.message}"
    return None
