"""`LargePayloads` on the real server: what goes through, what it leaves in histories, and what it takes."""

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

from devserver import DevServer
from devserver.payloads import FolderDriver, LargePayloads, PayloadOptionError
from tests.helpers.checkout import ROOT

from .conftest import QUEUE, connected, files, worker
from .echo import WORKFLOWS, Echo, Grows, Makes, Parent

SMALL_HISTORY = 20_000


def test_payloads_of_5_50_and_200_mb_go_through_and_the_history_stays_small(server: DevServer, folder: Path) -> None:
    """Each is stored once, comes back as it was, and replays; the replay stores nothing."""

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
        assert [round(each.stat().st_size, -6) for each in files(folder)] == [5_000_000, 50_000_000, 200_000_000]

    asyncio.run(run())


def test_a_replay_copies_nothing_of_what_a_workflow_sends(folder: Path) -> None:
    """On a busy machine the copies of 200 MB take so long that the SDK takes the workflow for deadlocked."""
    config = LargePayloads(folder).configure_replayer({"workflows": WORKFLOWS})
    converter = config["data_converter"].payload_converter
    for value in (b"x" * 5_000_000, "x" * 5_000_000):
        assert converter.to_payload(value).ByteSize() < 1000
    assert files(folder) == []


def test_it_takes_less_memory_than_a_naive_driver(server: DevServer) -> None:
    """50 MB through a workflow and an activity need less than two thirds of what twenty lines need."""
    assert peak("ours", server.address) < peak("naive", server.address) * 2 / 3


def peak(driver: str, address: str) -> float:
    """Megabytes that a process needed at most."""
    words = [sys.executable, "-m", "bench.payload_trip", driver, "50", address]
    done = subprocess.run(words, capture_output=True, text=True, timeout=100, cwd=ROOT, check=True)
    return float(done.stdout.split()[0])


@pytest.mark.parametrize("size", [300_000, 6_000_000])
def test_what_workflows_activities_and_children_make_goes_through(server: DevServer, folder: Path, size: int) -> None:
    """Also what workflow code makes, and what a child hands to its parent."""

    async def run() -> None:
        client = await connected(server, folder)
        async with worker(client):
            assert await client.execute_workflow(Makes.run, size, id="makes", task_queue=QUEUE) == b"m" * size
            assert await client.execute_workflow(Grows.run, size, id="grows", task_queue=QUEUE) == b"g" * size
            assert await client.execute_workflow(Parent.run, size, id="parent", task_queue=QUEUE) == size
        again = await connected(server, folder)
        assert await again.get_workflow_handle("makes").result() == b"m" * size

    asyncio.run(run())


def test_all_values_that_a_converter_knows_go_through(server: DevServer, folder: Path) -> None:
    """Text, objects and several at once, above and below the threshold, with Pydantic and in another process."""
    values = ["t" * 5_000_000, {"list": list(range(100_000))}, b"b" * 300_000, "small", None, b"b" * 5_000_000]

    async def run() -> None:
        for converter in (DataConverter.default, pydantic_data_converter):
            client = await connected(server, folder, {"data_converter": converter}, threshold="1KB")
            mine = client.data_converter
            assert await mine.decode(await mine.encode(values)) == values
            there = pickle.loads(pickle.dumps(mine.payload_converter_class))()
            assert there.from_payloads(there.to_payloads(values)) == values
        made = await connected(server, folder, threshold=0)
        assert await made.data_converter.decode(await made.data_converter.encode(values)) == values

    asyncio.run(run())


class Turning(PayloadCodec):
    """Stands for an encryption."""

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Turn them round."""
        return [Payload(metadata={"encoding": b"turned"}, data=each.SerializeToString()[::-1]) for each in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Turn them back."""
        return [Payload.FromString(each.data[::-1]) for each in payloads]


def test_with_a_codec_the_folder_holds_what_the_codec_made(server: DevServer, folder: Path) -> None:
    """What is encrypted for the server is encrypted on the disk as well."""

    async def run() -> None:
        converter = DataConverter(payload_codec=Turning())
        client = await connected(server, folder, {"data_converter": converter})
        async with worker(client):
            data = b"a secret" * 1_000_000
            assert await client.execute_workflow(Echo.run, data, id="secret", task_queue=QUEUE) == data
        assert all(b"a secret" not in each.read_bytes() for each in files(folder))
        assert files(folder)

    asyncio.run(run())


class Elsewhere(StorageDriver):
    """Stands for another storage."""

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


def test_what_does_not_fit_together_is_refused(server: DevServer, folder: Path) -> None:
    """A second storage, a worker whose client has none, a size that is none; a client made of another one fits."""

    async def run() -> None:
        other = DataConverter(external_storage=ExternalStorage(drivers=[FolderDriver(folder)]))
        await connected(server, folder, {"data_converter": other})  # our driver already: the plugin takes its place
        two = [FolderDriver(folder), Elsewhere()]
        both = ExternalStorage(drivers=two, driver_selector=lambda _, payload: two[0])
        for storage in (both, ExternalStorage(drivers=[Elsewhere()])):
            with pytest.raises(PayloadOptionError, match=r"has an external storage already: .*elsewhere"):
                await connected(server, folder, {"data_converter": DataConverter(external_storage=storage)})
        client = await connected(server, folder)
        again = Client(**client.config(active_config=True))
        data = b"x" * 5_000_000
        assert await again.data_converter.decode(await client.data_converter.encode([data])) == [data]
        plain = await Client.connect(server.address)
        with pytest.raises(PayloadOptionError, match="a worker whose client does not have it"):
            worker(plain, plugins=[LargePayloads(folder)])

    asyncio.run(run())
    for words in ({"threshold": "many"}, {"largest": -1}, {"most": "1 XB"}):
        with pytest.raises(PayloadOptionError, match="is no size"):
            LargePayloads(folder, **words)


def test_the_folder_is_the_users_or_the_variables(home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without a folder it is one below DEVSERVER_HOME, or what DEVSERVER_PAYLOADS says; nothing is made there yet."""
    assert LargePayloads().folder == home / "devserver" / "data" / "_payloads"
    monkeypatch.setenv("DEVSERVER_PAYLOADS", str(tmp_path / "here"))
    assert LargePayloads().folder == tmp_path / "here"
    assert not LargePayloads().folder.exists()
