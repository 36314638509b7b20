"""The process that workers are forked from."""

from __future__ import annotations

import asyncio

import pytest

from devserver.rehearsal.environment.environment import RehearsalEnvironment
from devserver.rehearsal.environment.worker_forkserver import WorkerForkServer

pytestmark = pytest.mark.server


def test_one_that_has_ended_is_replaced() -> None:
    """The next rehearsal of a command runs, although the process that all of them share was killed."""

    async def opened() -> None:
        ended = WorkerForkServer()
        ended.close()
        async with await RehearsalEnvironment.open(ended) as environment:
            assert environment.fork_server is not ended
            assert environment.fork_server.running

    asyncio.run(opened())
