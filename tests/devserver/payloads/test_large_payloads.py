"""`LargePayloads` on the real server: values of all kinds, the size of histories, and memory."""

from __future__ import annotations

import asyncio
import os
import pickle
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import (
    DataConverter,
    ExternalStorage,
    PayloadCodec,
    StorageDriver,
    StorageDriverClaim,
    StorageDriverRetrieveContext,
    StorageDriverStoreContext,
)
from temporalio.worker import Replayer

from devserver.payloads import FolderDriver, LargePayloads, PayloadOptionError
from tests.helpers.checkout import ROOT
from tests.helpers.shared_server import SharedServer

from .conftest import QUEUE, connected, files, worker
from .echo import WORKFLOWS, Echo, Grows, Makes, Parent

SMALL_HISTORY = 20_000


def test_payloads_of_5_50_and_200_mb_and_small_histories(server: SharedServer, folder: Path) -> None:
    """Each payload is stored once, is returned unchanged, and replays; the replay stores nothing."""

    async def run() -> None:
        client = await connected(server, folder)
        async with worker(client):
            for size in (5, 50, 200):
                data = os.urandom(size * 1_000_000)
                handle = await client.start_workflow(Echo.run, data, id=f"echo-{size}", task_queue=QUEUE)
                assert await handle.result() == data
                history = await handle.fetch_history()
                assert sum(event.ByteSize() for event in history.events) < SMALL_HISTORY
                before = files(folder)
                await Replayer(workflows=WORKFLOWS, plugins=[LargePayloads(folder)]).replay_workflow(history)
                assert files(folder) == before
        assert [round(path.stat().st_size, -6) for path in files(folder)] == [5_000_000, 50_000_000, 200_000_000]

    asyncio.run(run())


def test_replay_copies_no_payloads(folder: Path) -> None:
    """On a busy machine, copies of 200 MB take so long that the SDK reports a deadlock of the workflow."""
    config = LargePayloads(folder).configure_replayer({"workflows": WORKFLOWS})
    converter = config["data_converter"].payload_converter
    for value in (b"x" * 5_000_000, "x" * 5_000_000):
        assert converter.to_payload(value).ByteSize() < 1000
    assert files(folder) == []


def test_memory_compared_with_a_naive_driver(server: SharedServer) -> None:
    """50 MB through a workflow and an activity need less than two thirds of the memory of a driver of twenty lines."""
    assert peak("ours", server.address) < peak("naive", server.address) * 2 / 3


def peak(driver: str, address: str) -> float:
    """The peak memory of a process, in megabytes."""
    words = [sys.executable, "-m", "bench.payload_trip", driver, "50", address]
    done = subprocess.run(words, capture_output=True, text=True, timeout=240, cwd=ROOT, check=True)
    return float(done.stdout.splitlines()[-1].split()[0])  # on a busy machine the SDK logs before it


@pytest.mark.parametrize("size", [300_000, 6_000_000])
def test_payloads_of_workflows_activities_and_children(server: SharedServer, folder: Path, size: int) -> None:
    """Values made by workflow code, and passed from a child to its parent, are stored too."""

    async def run() -> None:
        client = await connected(server, folder)
        async with worker(client):
            assert await client.execute_workflow(Makes.run, size, id="makes", task_queue=QUEUE) == b"m" * size
            assert await client.execute_workflow(Grows.run, size, id="grows", task_queue=QUEUE) == b"g" * size
            assert await client.execute_workflow(Parent.run, size, id="parent", task_queue=QUEUE) == size
        again = await connected(server, folder)
        assert await again.get_workflow_handle("makes").result() == b"m" * size

    asyncio.run(run())


def test_values_of_all_types(server: SharedServer, folder: Path) -> None:
    """Text, objects and several values, above and below the threshold, with Pydantic and after pickling."""
    values = ["t" * 5_000_000, {"list": list(range(100_000))}, b"b" * 300_000, "small", None, b"b" * 5_000_000]

    async def run() -> None:
        for converter in (DataConverter.default, pydantic_data_converter):
            client = await connected(server, folder, {"data_converter": converter}, threshold="1KB")
            used = client.data_converter
            assert await used.decode(await used.encode(values)) == values
            pickled = pickle.loads(pickle.dumps(used.payload_converter_class))()
            assert pickled.from_payloads(pickled.to_payloads(values)) == values
        used = (await connected(server, folder, threshold=0)).data_converter
        assert await used.decode(await used.encode(values)) == values

    asyncio.run(run())


class ReversingCodec(PayloadCodec):
    """In place of an encryption."""

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Reverse the bytes."""
        return [
            Payload(metadata={"encoding": b"reversed"}, data=payload.SerializeToString()[::-1]) for payload in payloads
        ]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Reverse the bytes again."""
        return [Payload.FromString(payload.data[::-1]) for payload in payloads]


def test_folder_with_a_codec(server: SharedServer, folder: Path) -> None:
    """A payload that is encrypted for the server is encrypted in the folder too."""

    async def run() -> None:
        converter = DataConverter(payload_codec=ReversingCodec())
        client = await connected(server, folder, {"data_converter": converter})
        async with worker(client):
            data = b"a secret" * 1_000_000
            assert await client.execute_workflow(Echo.run, data, id="secret", task_queue=QUEUE) == data
        assert all(b"a secret" not in path.read_bytes() for path in files(folder))
        assert files(folder)

    asyncio.run(run())


class OtherDriver(StorageDriver):
    """Another storage."""

    def name(self) -> str:
        """See the base class."""
        return "elsewhere"

    async def store(self, context: StorageDriverStoreContext, payloads: Sequence[Payload]) -> list[StorageDriverClaim]:
        """See the base class."""
        raise NotImplementedError

    async def retrieve(
        self, context: StorageDriverRetrieveContext, claims: Sequence[StorageDriverClaim]
    ) -> list[Payload]:
        """See the base class."""
        raise NotImplementedError


def test_invalid_combinations_are_refused(server: SharedServer, folder: Path) -> None:
    """A second storage, a worker whose client lacks the plugin, and invalid sizes are errors; a copied client works."""

    async def run() -> None:
        other = DataConverter(external_storage=ExternalStorage(drivers=[FolderDriver(folder)]))
        await connected(server, folder, {"data_converter": other})  # our own driver: the plugin replaces it
        two = [FolderDriver(folder), OtherDriver()]
        both = ExternalStorage(drivers=two, driver_selector=lambda _, payload: two[0])
        for storage in (both, ExternalStorage(drivers=[OtherDriver()])):
            with pytest.raises(PayloadOptionError, match=r"already has an external storage: .*elsewhere"):
                await connected(server, folder, {"data_converter": DataConverter(external_storage=storage)})
        client = await connected(server, folder)
        again = Client(**client.config(active_config=True))
        data = b"x" * 5_000_000
        assert await again.data_converter.decode(await client.data_converter.encode([data])) == [data]
        plain = await server.connect()
        with pytest.raises(PayloadOptionError, match="the worker has LargePayloads, but its client does not"):
            worker(plain, plugins=[LargePayloads(folder)])

    asyncio.run(run())
    for words in ({"threshold": "many"}, {"max_payload_size": -1}, {"max_folder_size": "1 XB"}):
        with pytest.raises(PayloadOptionError, match="is not a size"):
            LargePayloads(folder, **words)


def test_default_folder(home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The default folder is below DEVSERVER_HOME, or DEVSERVER_PAYLOADS; it is not created yet."""
    assert LargePayloads().folder == home / "devserver" / "data" / "_payloads"
    monkeypatch.setenv("DEVSERVER_PAYLOADS", str(tmp_path / "here"))
    assert LargePayloads().folder == tmp_path / "here"
    assert not LargePayloads().folder.exists()
