"""Pruning and verification of the folder."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.client import Client, Schedule, ScheduleActionStartWorkflow, ScheduleIntervalSpec, ScheduleSpec

from devserver import DevServer
from devserver.executables.models import Executable
from devserver.payloads import BlobFolder, PayloadOptionError, prune, read_usage, remove_server_payloads
from devserver.payloads.verification import find_problems

from .conftest import QUEUE, connected, files, worker
from .echo import Echo, Parent

SIZE = 300_000


async def sizes_after_prune(client: Client, folder: Path) -> set[int]:
    """The sizes, in thousands, of the blobs that a prune keeps."""
    blobs = BlobFolder(folder)
    prune(blobs, await read_usage(client), older_than=0)
    return {round(blob.size, -3) // 1000 for blob in blobs.list()}


def test_referenced_payloads_are_kept(own_server: DevServer, folder: Path) -> None:
    """References of open and closed workflows, of a parent that got one from its child, and of a schedule count."""

    async def run() -> None:
        client = await connected(own_server, folder)
        async with worker(client):
            await client.execute_workflow(Echo.run, b"c" * 300_000, id="closed", task_queue=QUEUE)
            await client.execute_workflow(Parent.run, 400_000, id="parent", task_queue=QUEUE)
        await client.start_workflow(Echo.run, b"o" * 500_000, id="open", task_queue="nobody")
        action = ScheduleActionStartWorkflow(Echo.run, b"s" * 600_000, id="later", task_queue="nobody")
        while not [info async for info in client.list_workflows("WorkflowId = 'open'")]:
            await asyncio.sleep(0.05)
        spec = ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(days=300))])
        schedule = await client.create_schedule("yearly", Schedule(action=action, spec=spec))
        await client.data_converter.encode([b"n" * 700_000])  # stored, without a reference
        assert await sizes_after_prune(client, folder) == {300, 400, 500, 600}
        owners = {use.owner for uses in (await read_usage(client)).uses.values() for use in uses}
        runs = {"workflow closed", "workflow open", "workflow parent", "workflow parent-child"}
        assert owners == {*runs, "schedule yearly"}
        await schedule.delete()
        assert await sizes_after_prune(client, folder) == {300, 400, 500}

    asyncio.run(run())


def test_payloads_of_a_snapshot_are_kept(installed: Executable, folder: Path) -> None:
    """References in a snapshot of the server count, those in a copy of another server's database do not."""

    async def run() -> None:
        with DevServer.start(name="shop", ui=False, ephemeral=False) as server, DevServer.start(ui=False) as other:
            client = await connected(server, folder)
            handle = await client.start_workflow(Echo.run, b"s" * SIZE, id="needs-it", task_queue="nobody")
            saved, _ = server.snapshot("before"), other.snapshot("other")
            await handle.terminate()
            usage = await read_usage(client)
            assert usage.databases == 1
            owners = [use.owner for uses in usage.uses.values() for use in uses]
            assert owners == ["workflow needs-it", f"snapshot {saved.name} of shop"]

    asyncio.run(run())


def test_recent_payloads_and_those_of_other_servers_are_kept(own_server: DevServer, folder: Path) -> None:
    """A recent payload may be on its way into a history; storing it again makes it recent. Removal by server works."""

    async def run() -> None:
        client = await connected(own_server, folder)
        blobs = BlobFolder(folder)
        await client.data_converter.encode([b"n" * SIZE])
        (file,) = files(folder)
        elsewhere = blobs.put("another-server", b"\x12\x03", b"abc")
        usage = await read_usage(client)
        assert prune(blobs, usage, older_than=3600).recent == 1
        os.utime(file, (0, 0))
        assert [blob.path for blob in prune(blobs, usage, older_than=3600, dry_run=True).removed] == [file]
        assert file.exists()
        await client.data_converter.encode([b"n" * SIZE])
        assert prune(blobs, usage, older_than=3600).recent == 1
        os.utime(file, (0, 0))
        assert prune(blobs, usage, older_than=3600).freed > SIZE
        assert [blob.digest for blob in blobs.list()] == [elsewhere.digest]
        assert len(remove_server_payloads(blobs, "another-server").removed) == 1
        assert not list(folder.rglob("abc*"))
        with pytest.raises(PayloadOptionError, match="the folder has no payloads of a server another-server"):
            remove_server_payloads(blobs, "another-server")

    asyncio.run(run())


def test_missing_and_corrupt_payloads_are_found(own_server: DevServer, folder: Path) -> None:
    """Verification reads every payload, and names the workflow of a missing one."""

    async def run() -> None:
        client = await connected(own_server, folder)
        await client.start_workflow(Echo.run, b"g" * SIZE, id="needs-it", task_queue="nobody")
        files(folder)[0].unlink()
        await client.data_converter.encode([b"d" * SIZE])
        files(folder)[0].write_bytes(b"damaged")
        found = {
            type(problem.error).__name__: problem
            for problem in find_problems(BlobFolder(folder), await read_usage(client))
        }
        assert [use.owner for use in found["PayloadMissing"].uses] == ["workflow needs-it"]
        assert found["PayloadCorrupt"].uses == ()

    asyncio.run(run())


def test_blobs_are_private_serialized_payloads(folder: Path) -> None:
    """Only this user can read the folder. A file is a serialized payload; equal payloads are one file."""
    from devserver.payloads.blob_format import head_of

    blobs = BlobFolder(folder)
    claim = blobs.put("here", head_of({"encoding": b"binary/plain", "a": b"b" * 300}, 5), b"hello")
    again = blobs.put("here", head_of({"a": b"b" * 300, "encoding": b"binary/plain"}, 5), b"hello")
    assert again == claim
    (file,) = files(folder)
    assert file.stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    payload = Payload.FromString(file.read_bytes())
    assert payload == Payload(metadata={"a": b"b" * 300, "encoding": b"binary/plain"}, data=b"hello")


KILLED = """
import os, sys
from pathlib import Path
from devserver.payloads import BlobFolder
os.fsync = lambda _: os.kill(os.getpid(), 9)
BlobFolder(Path(sys.argv[1])).put("here", b"\\x12\\x05", b"hello")
"""


def test_killed_writer(folder: Path) -> None:
    """An unfinished file is not a payload; the payload can be stored again, and the file is removed once it is old."""
    subprocess.run([sys.executable, "-c", KILLED, str(folder)], check=False, timeout=30)
    (half,) = files(folder)
    blobs = BlobFolder(folder)
    assert list(blobs.list()) == []
    claim = blobs.put("here", b"\x12\x05", b"hello")
    assert blobs.read(claim) == (b"\x12\x05", b"hello")
    os.utime(half, (0, 0))
    remove_server_payloads(blobs, "here", dry_run=True)
    assert half.exists()
    remove_server_payloads(blobs, "here")
    assert files(folder) == []
