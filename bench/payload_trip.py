"""One large payload through a workflow and an activity and back, client and worker in one process: prints this
process's peak memory in MB, and the seconds.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from temporalio import activity, workflow

with workflow.unsafe.imports_passed_through():
    from temporalio.api.common.v1 import Payload
    from temporalio.client import Client
    from temporalio.converter import (
        DataConverter,
        ExternalStorage,
        StorageDriver,
        StorageDriverClaim,
        StorageDriverRetrieveContext,
        StorageDriverStoreContext,
    )
    from temporalio.worker import Worker

    from devserver.payloads import LargePayloads

QUEUE = "payloads"
LIMIT = timedelta(minutes=5)


class Naive(StorageDriver):
    """Twenty lines that work: the whole payload is serialized, written, read and parsed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def name(self) -> str:
        return "naive"

    async def store(self, context: StorageDriverStoreContext, payloads: Sequence[Payload]) -> list[StorageDriverClaim]:
        claims = []
        for payload in payloads:
            data = payload.SerializeToString()
            name = hashlib.sha256(data).hexdigest()
            (self._folder / name).write_bytes(data)
            claims.append(StorageDriverClaim({"name": name}))
        return claims

    async def retrieve(
        self, context: StorageDriverRetrieveContext, claims: Sequence[StorageDriverClaim]
    ) -> list[Payload]:
        return [Payload.FromString((self._folder / claim.claim_data["name"]).read_bytes()) for claim in claims]


@activity.defn
async def given(data: bytes) -> bytes:
    return data


@workflow.defn
class Echo:
    @workflow.run
    async def run(self, data: bytes) -> bytes:
        return await workflow.execute_activity(given, data, start_to_close_timeout=LIMIT)


async def _round_trip(kind: str, size: int, address: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        if kind == "ours":
            client = await Client.connect(address, plugins=[LargePayloads(folder)])
        else:
            converter = DataConverter(external_storage=ExternalStorage(drivers=[Naive(Path(folder))]))
            client = await Client.connect(address, data_converter=converter)
        data = os.urandom(size * 1_000_000)
        begun = time.monotonic()
        async with Worker(client, task_queue=QUEUE, workflows=[Echo], activities=[given]):
            result = await client.execute_workflow(Echo.run, data, id=f"{kind}-{os.getpid()}", task_queue=QUEUE)
        assert result == data
        print(_peak(), time.monotonic() - begun, flush=True)


def _peak() -> float:
    """Peak memory of this process in MB. `getrusage` would include the process that started this one."""
    status = Path("/proc/self/status")
    if status.exists():
        lines = (line.split() for line in status.read_text().splitlines())
        return next(int(words[1]) for words in lines if words[0] == "VmHWM:") / 1000
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_000_000  # macOS: bytes


if __name__ == "__main__":
    asyncio.run(_round_trip(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
    os._exit(0)
