"""Sees every other second whether the server answers a worker, and whether the worker has imported more files."""

from __future__ import annotations

import asyncio
import sys
import time
from datetime import timedelta

from temporalio.api.workflowservice.v1 import GetSystemInfoRequest
from temporalio.client import Client
from temporalio.service import RPCError

from ..client.target import Connection, find_target
from ..errors import DevServerError
from . import import_snapshot
from .channel import Channel
from .errors import WorkerEnded

BEAT_SECONDS = 2.0
LIMIT = timedelta(seconds=5)


async def pulse(client: Client, connection: Connection, channel: Channel) -> None:
    """Tell of changes, until it is cancelled.

    Raises:
        WorkerEnded: The managed instance runs at another address now.
    """
    address = client.service_client.config.target_host
    answered = True
    modules, since = len(sys.modules), time.time()
    while True:
        await asyncio.sleep(BEAT_SECONDS)
        answers = await _answers(client)
        if answers != answered:
            channel.tell("server_back" if answers else "server_gone", address=address)
            answered = answers
        if not answers:
            _see_that_it_stays(connection, address)
        if len(sys.modules) != modules:
            modules = len(sys.modules)
            channel.tell("files", files=import_snapshot.imported_files(), since=since)
        since = time.time()


def _see_that_it_stays(connection: Connection, address: str) -> None:
    """A managed instance that is started again may have another port: who asks by its name means that."""
    try:
        now = find_target(connection)
    except DevServerError:  # it does not run yet
        return
    if now.name is not None and now.address != address:
        raise WorkerEnded(f"the instance {now.name} runs at {now.address} now")


async def _answers(client: Client) -> bool:
    try:
        await client.workflow_service.get_system_info(GetSystemInfoRequest(), retry=False, timeout=LIMIT)
    except RPCError:
        return False
    return True
