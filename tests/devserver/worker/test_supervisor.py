"""Messages of the supervisor of workers."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from devserver.worker import supervisor
from devserver.worker.config import WorkerOptions
from devserver.worker.events import WorkerEvent
from devserver.worker.supervisor import WorkerSupervisor


def test_a_module_that_hangs_on_import(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module that runs its own worker on import hangs: after a while a message says so, and what to do."""
    monkeypatch.setattr(supervisor, "LATE_SECONDS", 0.01)
    (tmp_path / "hangs.py").write_text("import time\nwhile True: time.sleep(1)\n")

    async def look() -> WorkerEvent:
        events: asyncio.Queue[WorkerEvent] = asyncio.Queue()
        worker = WorkerSupervisor(WorkerOptions("hangs"), events.put_nowait, reload=False)
        running = asyncio.create_task(worker.run())
        event = await asyncio.wait_for(events.get(), 20)
        worker.stop()
        await running
        return event

    event = asyncio.run(look())
    assert (event.kind, event.facts["module"]) == ("not_ready", "hangs")
    assert "__main__" in event.facts["hint"]
