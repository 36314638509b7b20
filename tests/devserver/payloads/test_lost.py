"""Missing, corrupt and too large payloads, and full folders: a clear error at once, without endless retries."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.api.sdk.v1 import ExternalStorageReference
from temporalio.client import Client, WorkflowFailureError
from temporalio.common import RawValue
from temporalio.converter import JSONProtoPayloadConverter
from temporalio.exceptions import ActivityError, ApplicationError

from devserver.payloads import PayloadCorrupt, PayloadFolderFull, PayloadMissing, PayloadTooLarge
from tests.devserver.instances.faults.conftest import Disk, fill
from tests.helpers.shared_server import SharedServer

from .conftest import QUEUE, connected, files, worker
from .echo import LATER, Echo, Grows, Makes, PassesOn, echo

SIZES = [300_000, 6_000_000]


def failure_of(error: BaseException | None) -> ApplicationError:
    """The innermost cause."""
    while isinstance(error, WorkflowFailureError | ActivityError):
        error = error.cause
    assert isinstance(error, ApplicationError)
    return error


@pytest.mark.parametrize("size", SIZES)
def test_a_missing_argument_fails_the_workflow(server: SharedServer, folder: Path, size: int) -> None:
    """The workflow fails at once and names the file, instead of a workflow task that is retried forever."""

    async def run() -> None:
        client = await connected(server, folder)
        handle = await client.start_workflow(Echo.run, b"x" * size, id="lost", task_queue=QUEUE)
        (file,) = files(folder)
        file.unlink()
        async with worker(client):
            with pytest.raises(WorkflowFailureError) as error:
                await handle.result()
        failure = failure_of(error.value)
        assert failure.type == "PayloadMissing"
        assert str(file) in failure.message
        assert "hint: restore the file" in failure.message

    asyncio.run(run())


@pytest.mark.parametrize("size", SIZES)
def test_a_missing_argument_fails_the_activity(server: SharedServer, folder: Path, size: int) -> None:
    """The activity fails without a retry, although its retry policy has no limit."""

    async def run() -> None:
        client = await connected(server, folder)
        async with worker(client):
            handle = await client.start_workflow(PassesOn.run, b"x" * size, id="lost", task_queue=QUEUE)
            while not (await handle.describe()).raw_description.pending_activities:
                await asyncio.sleep(0.01)
            (file,) = files(folder)
            file.unlink()
            async with worker(client, task_queue=LATER, workflows=[], activities=[echo]):
                with pytest.raises(WorkflowFailureError) as error:
                    await handle.result()
        assert failure_of(error.value).type == "PayloadMissing"

    asyncio.run(run())


@pytest.mark.parametrize("size", SIZES)
def test_corrupt_result(server: SharedServer, folder: Path, size: int) -> None:
    """The client gets an error for a changed byte, a missing byte, another file, and a link."""

    async def run() -> None:
        client = await connected(server, folder)
        async with worker(client):
            handle = await client.start_workflow(Makes.run, size, id="damaged", task_queue=QUEUE)
            await handle.result()
        (file,) = files(folder)
        whole = file.read_bytes()
        for corrupt in (b"X".join([whole[:-9], whole[-8:]]), whole[:-1], b"", b"something else"):
            file.write_bytes(corrupt)
            with pytest.raises(PayloadCorrupt, match=rf"is corrupt: .*workflow damaged in {server.namespace}"):
                await handle.result()
        file.unlink()
        with pytest.raises(PayloadMissing, match="is missing"):
            await handle.result()
        elsewhere = file.parent.parent / "elsewhere"
        elsewhere.write_bytes(whole)
        file.symlink_to(elsewhere)
        with pytest.raises(Exception, match=r"cannot read|is corrupt"):
            await handle.result()
        file.unlink()
        file.write_bytes(whole)
        assert len(await handle.result()) == size

    asyncio.run(run())


@pytest.mark.parametrize(
    "claim",
    [
        {"sha256": "../../../../etc/passwd", "size": "100"},
        {"sha256": "a" * 64, "size": "100", "server": "../.."},
        {"sha256": "a" * 64, "size": "-1"},
        {},
    ],
)
def test_a_reference_cannot_lead_out_of_the_folder(server: SharedServer, folder: Path, claim: dict[str, str]) -> None:
    """Someone who can write a history cannot make a worker read another file: the workflow fails with the reason."""

    async def run() -> None:
        plain = await server.connect()
        reference = ExternalStorageReference(driver_name="devserver.folder", claim_data=claim)
        payload = JSONProtoPayloadConverter().to_payload(reference)
        assert isinstance(payload, Payload)
        handle = await plain.start_workflow("Echo", RawValue(payload), id="hostile", task_queue=QUEUE)
        async with worker(await connected(server, folder)):
            with pytest.raises(WorkflowFailureError) as error:
                await handle.result()
        assert failure_of(error.value).type == "PayloadCorrupt"
        assert "is not one of devserver's" in failure_of(error.value).message

    asyncio.run(run())


def test_too_large_payloads_are_not_stored(server: SharedServer, folder: Path) -> None:
    """They fail in a client, in an activity and in workflow code, where a failed task would be retried forever."""

    async def run() -> None:
        client = await connected(server, folder, max_payload_size="1MB")
        async with worker(client):
            with pytest.raises(
                PayloadTooLarge,
                match=r"(?s)2\.0 MB is larger than the limit of 1\.0 MB.*LargePayloads\(max_payload_size",
            ):
                await client.execute_workflow(Echo.run, b"x" * 2_000_000, id="a", task_queue=QUEUE)
            for kind, size in itertools.product(("Makes", "Grows"), (2_000_000, 6_000_000)):
                with pytest.raises(WorkflowFailureError) as error:
                    await client.execute_workflow(kind, size, id=f"{kind}-{size}", task_queue=QUEUE)
                assert failure_of(error.value).type == "PayloadTooLarge"
        assert files(folder) == []

    asyncio.run(run())


def test_full_folder(server: SharedServer, folder: Path) -> None:
    """A client gets an error; a workflow waits, and continues when there is room."""

    async def run() -> None:
        client = await connected(server, folder, max_folder_size="1MB")
        await client.start_workflow(Echo.run, b"a" * 800_000, id="first", task_queue="nobody")
        with pytest.raises(PayloadFolderFull, match=r"800\.0 kB: 300\.0 kB more would exceed its limit of 1\.0 MB"):
            await client.start_workflow(Echo.run, b"b" * 300_000, id="second", task_queue="nobody")
        async with worker(client):
            handle = await client.start_workflow(Grows.run, 300_000, id="waits", task_queue=QUEUE)
            await failed_task(client, "waits", "would exceed its limit")
            files(folder)[0].unlink()
            assert await handle.result() == b"g" * 300_000

    asyncio.run(run())


@pytest.mark.parametrize("size", SIZES)
def test_full_disk(server: SharedServer, tmp_path: Path, disk: Disk, size: int) -> None:
    """A full disk is an error and leaves no part of a payload; with room the same payload is stored."""
    folder = disk(tmp_path / "disk", 10_000_000)
    filler = fill(folder)

    async def run() -> None:
        client = await connected(server, folder / "payloads")
        filler.rename(folder / "filler")
        with pytest.raises(PayloadFolderFull, match="No space left on device"):
            await client.start_workflow(Echo.run, b"x" * size, id="refused", task_queue=QUEUE)
        assert [path for path in files(folder) if path.name != "filler"] == []
        (folder / "filler").unlink()
        async with worker(client):
            assert len(await client.execute_workflow(Echo.run, b"x" * size, id="again", task_queue=QUEUE)) == size

    asyncio.run(run())


async def failed_task(client: Client, workflow_id: str, message: str) -> None:
    """Wait until a workflow task has failed with that message."""
    async for event in client.get_workflow_handle(workflow_id).fetch_history_events(wait_new_event=True):
        failed = event.workflow_task_failed_event_attributes
        if message in failed.failure.message:
            return
    raise AssertionError("the workflow ended without a failed task")
