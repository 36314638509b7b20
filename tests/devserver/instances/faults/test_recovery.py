"""kill -9 of running workflows' server, then `up` on the same database: nothing acknowledged is lost."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError

from devserver.instances.folder import InstanceFolder
from devserver.instances.record import Record
from devserver.system.paths import Paths
from devserver.system.ports import ANY, Reservation
from tests.conftest import Run
from tests.devserver.instances.faults.conftest import Begin
from tests.helpers.waiting import LIMIT, eventually
from tests.helpers.work import QUEUE, Order, worker

pytestmark = [pytest.mark.usefixtures("installed"), pytest.mark.timeout(600)]

WORKFLOWS = 8
SIGNALS_A_ROUND = 16
CALL = timedelta(seconds=2)


class Load:
    """Workflows that receive numbers as signals, and the numbers that were acknowledged."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._orders: list[WorkflowHandle[Order, list[int]]] = []
        self._acknowledged: dict[str, list[int]] = {}
        self._count = 0

    async def begin(self) -> None:
        """Start all workflows."""
        for number in range(WORKFLOWS):
            handle = await self._client.start_workflow(Order.run, id=f"order-{number}", task_queue=QUEUE)
            self._orders.append(handle)
            self._acknowledged[handle.id] = []

    async def send_numbers(self) -> None:
        """Signal numbers forever; a failed call is not acknowledged, and its number is not sent again."""
        number = 0
        while True:
            for order in self._orders:
                number += 1
                with contextlib.suppress(RPCError):
                    await order.signal(Order.tell, number, rpc_timeout=CALL)
                    self._acknowledged[order.id].append(number)
                    self._count += 1

    async def progress(self) -> None:
        """Wait until this many more signals were acknowledged."""
        await asyncio.wait_for(self._reach(self._count + SIGNALS_A_ROUND), LIMIT)

    async def _reach(self, aim: int) -> None:
        while self._count < aim:
            await asyncio.sleep(0.01)

    async def end(self) -> None:
        """End all workflows, and check that each completes with every acknowledged number."""
        for order in self._orders:
            await order.signal(Order.end)
        for order in self._orders:
            received = await asyncio.wait_for(order.result(), LIMIT)
            missing = set(self._acknowledged[order.id]) - set(received)
            assert not missing, f"{order.id} lost {missing}"
            assert len(received) == len(set(received)), f"{order.id} was told a number twice"


async def under_load(address: str, rounds: list[Callable[[], None]]) -> None:
    """Run the load, and call each round in a thread after the load has made progress."""
    client = await Client.connect(address)
    async with worker(client):
        load = Load(client)
        await load.begin()
        telling = asyncio.ensure_future(load.send_numbers())
        try:
            for act in rounds:
                await load.progress()
                await asyncio.to_thread(act)
            await load.progress()
        finally:
            telling.cancel()
            await asyncio.wait([telling])
        await load.end()


def free_port() -> int:
    """Return a free port; the server requests it again after each restart."""
    reservation = Reservation("127.0.0.1", ANY)
    reservation.release()
    return reservation.port


class Victim:
    """A server that is killed and restarted on the same port and database."""

    def __init__(self, devserver: Run, paths: Paths, *options: str) -> None:
        self._devserver = devserver
        self._paths = paths
        self._port = free_port()
        self.up = ("up", "-d", "--no-ui", "--port", str(self._port), *options)
        self.address = f"127.0.0.1:{self._port}"

    def start(self) -> None:
        """`devserver up -d`."""
        done = self._devserver(*self.up)
        assert done.returncode == 0, done.stderr

    def start_after(self, kill: Callable[[], None]) -> Callable[[], None]:
        """Run a round: kill the server in this way, and start it."""

        def act() -> None:
            kill()
            self.start()

        return act

    def record(self) -> Record:
        """Return the record."""
        found = InstanceFolder(self._paths, "default").read_record()
        assert found is not None
        return found

    def kill_server(self) -> None:
        """kill -9 of the server; its supervisor records how it ended."""
        record = self.record()
        assert record.server is not None
        record.server.kill()
        assert record.supervisor.wait_gone(LIMIT)

    def kill_supervisor(self) -> None:
        """kill -9 of the supervisor, which ends the server too."""
        record = self.record()
        assert record.server is not None
        record.supervisor.kill()
        assert record.server.wait_gone(LIMIT)

    def kill_both(self) -> None:
        """kill -9 of both."""
        record = self.record()
        if record.server is not None:
            record.server.kill()
        record.supervisor.kill()

    def down(self) -> None:
        """`devserver down`."""
        assert self._devserver("down").returncode == 0


@pytest.mark.parametrize("options", [(), ("--durable",)], ids=["normal", "durable"])
def test_kills_under_load_lose_nothing(devserver: Run, paths: Paths, options: tuple[str, ...]) -> None:
    """Workflows complete with every acknowledged signal, although the server is killed again and again."""
    victim = Victim(devserver, paths, *options)
    victim.start()
    kills = [victim.kill_server, victim.kill_supervisor, victim.kill_both]
    asyncio.run(under_load(victim.address, [victim.start_after(kill) for kill in kills]))
    victim.down()


def test_kills_while_starting_lose_nothing(devserver: Run, begin: Begin, paths: Paths) -> None:
    """A server killed during its start completes all running workflows after the next start."""
    victim = Victim(devserver, paths)

    def kill_while_starting() -> None:
        victim.kill_both()
        before = victim.record().supervisor
        with begin(*victim.up) as process:
            eventually(lambda: victim.record().supervisor != before)
            victim.kill_both()
            process.communicate(timeout=LIMIT)

    victim.start()
    asyncio.run(under_load(victim.address, [victim.start_after(kill_while_starting)] * 2))
    victim.down()


def test_database_on_another_path_recovers(devserver: Run, paths: Paths, tmp_path: Path) -> None:
    """A file given with --db recovers like the instance's own."""
    victim = Victim(devserver, paths, "--db", str(tmp_path / "mine.db"))
    victim.start()
    asyncio.run(under_load(victim.address, [victim.start_after(victim.kill_both)]))
    victim.down()
