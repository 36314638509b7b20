"""Sees every other second whether the server answers a worker, and whether the worker has imported more files."""

from __future__ import annotations

import asyncio
import sys
import time
from datetime import timedelta

from temporalio.api.workflowservice.v1 import GetSystemInfoRequest
from temporalio.client import Client
from temporalio.service import RPCError

from . import loaded
from .channel import Channel

BEAT_SECONDS = 2.0
LIMIT = timedelta(seconds=5)


async def pulse(client: Client, channel: Channel) -> None:
    """Tell of changes, until it is cancelled."""
    answered = True
    modules, since = len(sys.modules), time.time()
    while True:
        await asyncio.sleep(BEAT_SECONDS)
        answers = await _answers(client)
        if answers != answered:
            channel.tell("server_back" if answers else "server_gone", address=client.service_client.config.target_host)
            answered = answers
        if len(sys.modules) != modules:
            modules = len(sys.modules)
            channel.tell("files", files=loaded.files(), since=since)
        since = time.time()


async def _answers(client: Client) -> bool:
    try:
        await client.workflow_service.get_system_info(GetSystemInfoRequest(), retry=False, timeout=LIMIT)
    except RPCError:
        return False
    return True
