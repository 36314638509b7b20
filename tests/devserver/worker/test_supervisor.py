"""Messages of the supervisor of workers."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from pathlib import Path

from devserver.client.connection import Connection
from devserver.worker.config import WorkerOptions
from devserver.worker.events import CONNECTS, IMPORTS, IS_STOPPED, WorkerEvent
from devserver.worker.supervisor import WorkerSupervisor


def test_what_a_late_worker_does(tmp_path: Path) -> None:
    """The message says what is true: the import takes long (and what to do), the server does not answer, or a signal
    has stopped the process."""
    (tmp_path / "hangs.py").write_text(
        "from pathlib import Path\nimport time\nfrom temporalio import workflow\n"
        "@workflow.defn\nclass W:\n    @workflow.run\n    async def run(self) -> None: ...\n"
        "Path('begun').touch()\nwhile not Path('go').exists(): time.sleep(0.01)\n"
    )

    async def look(address: str) -> dict[str, str | None]:
        events: asyncio.Queue[WorkerEvent] = asyncio.Queue()
        options = WorkerOptions("hangs", Connection(address=address))
        worker = WorkerSupervisor(options, events.put_nowait, reload=False)
        running = asyncio.create_task(worker.run())
        found: dict[str, str | None] = {}

        async def until(phase: str) -> None:
            deadline = time.monotonic() + 60
            while phase not in found:
                assert time.monotonic() < deadline, found
                await asyncio.sleep(0.02)
                if hasattr(worker._pool, "latest"):
                    worker._report_late()
                    facts = (await events.get()).facts
                    found[facts["phase"]] = facts["hint"]

        await until(IMPORTS)
        (tmp_path / "go").touch()
        await until(CONNECTS)
        os.kill(worker._pool.latest.pid, signal.SIGSTOP)
        await until(IS_STOPPED)
        worker.stop()
        worker.stop()
        await running
        return found

    with socket.create_server(("127.0.0.1", 0)) as silent:
        found = asyncio.run(look(f"127.0.0.1:{silent.getsockname()[1]}"))
    assert "__main__" in str(found.pop(IMPORTS))
    assert set(found.values()) == {None}
