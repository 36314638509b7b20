"""The library: `DevServer` on the real executable."""

from __future__ import annotations

import asyncio
import shutil
import threading
import urllib.request
from datetime import timedelta
from pathlib import Path

import psutil
import pytest
from temporalio.client import Client, WorkflowFailureError
from temporalio.service import RPCError, TLSConfig

from devserver import DevServer, DevServerError, ServerKeywords
from devserver.cli.up import up
from devserver.errors import InstanceNotRunning, InstanceRunning, InstanceUnknown, OptionError
from devserver.executables.models import Executable
from devserver.instances.folder import InstanceFolder
from devserver.instances.leases import holders
from devserver.instances.status import status
from devserver.instances.supervisor import LEASE_POLL_SECONDS
from devserver.system.paths import Paths
from tests.conftest import Run, ephemeral_folders_of, processes_of
from tests.helpers.holder import holding
from tests.helpers.illbehaved import Gate
from tests.helpers.waiting import eventually
from tests.helpers.work import QUEUE, Hello, Order, worker

pytestmark = pytest.mark.usefixtures("installed")


def state_of(paths: Paths, name: str) -> str:
    """Return the state that `devserver status` reports."""
    folder = InstanceFolder(paths, name)
    return str(status(folder, folder.require_record())["state"])


async def hello(address: str, name: str = "World") -> str:
    """Run the hello world workflow on the server."""
    client = await Client.connect(address)
    async with worker(client):
        return await client.execute_workflow(Hello.run, name, id=f"hello-{name}", task_queue=QUEUE)


# Starting


def test_block_without_a_name_leaves_nothing(paths: Paths, home: Path) -> None:
    """An anonymous server runs a workflow, and after the block no process, file or folder of it is left."""
    with DevServer.start() as server:
        assert asyncio.run(hello(server.address)) == "Hello, World!"
        assert server.database.is_file()
    assert not server.running
    assert server.pid is None
    assert list(paths.instances.iterdir()) == []
    assert not paths.data.exists()
    assert ephemeral_folders_of(home) == []
    assert processes_of(home) == []


def test_anonymous_servers_are_separate(paths: Paths) -> None:
    """Two servers without a name share nothing."""
    with DevServer.start() as one, DevServer.start() as other:
        assert one.address != other.address
        assert one.database != other.database
        assert one.pid != other.pid


def test_error_in_the_block_ends_the_server(paths: Paths) -> None:
    """A block that raises leaves no server."""
    server = DevServer.start()
    with pytest.raises(OSError, match="of the user's"), server:
        open_missing_file()
    assert not server.running


def open_missing_file() -> None:
    """User code that fails."""
    raise OSError("a mistake of the user's")


def test_properties(paths: Paths, installed: Executable) -> None:
    """Every address answers, and every path exists."""
    with DevServer.start("props", port=0, http_port=0, namespaces=["orders", "billing"]) as server:
        assert server.name == "props"
        assert server.namespace == "orders"
        assert server.namespaces == ("orders", "billing", "default")
        assert server.address.startswith("127.0.0.1:")
        assert server.version == installed.version
        assert server.server_version == installed.server_version
        assert server.executable == installed.path
        assert server.database == paths.database("props")
        assert server.log.is_file()
        assert server.pid is not None
        assert server.running
        assert repr(server) == f"<DevServer props at {server.address}>"
        assert server.ui_url is not None
        for url in (server.ui_url, f"{server.http_url}/api/v1/namespaces/orders", server.metrics_url):
            with urllib.request.urlopen(url, timeout=60) as answer:
                assert answer.status == 200


def test_without_ui() -> None:
    """With the Web UI off, its address is None."""
    with DevServer.start(ui=False) as server:
        assert server.ui_url is None


def test_keywords_reach_the_server(tmp_path: Path) -> None:
    """Retention, search attributes and the database match the keywords."""
    with DevServer.start(
        database=tmp_path / "mine.db",
        search_attributes={"Customer": "Keyword"},
        retention=timedelta(hours=50),
        dynamic_config={"frontend.WorkflowPauseEnabled": True},
        tuning="stock",
        durable=True,
        log_level="error",
        timeout=120,
    ) as server:
        from devserver.server.http_api import HttpApi

        frontend = HttpApi("127.0.0.1", int(server.http_url.rpartition(":")[2]))
        assert frontend.retention("default") == 50 * 3600
        assert frontend.search_attributes("default") == {"Customer": "Keyword"}
        assert server.database == tmp_path / "mine.db"
    assert (tmp_path / "mine.db").is_file()


def test_a_server_with_tls(paths: Paths, home: Path) -> None:
    """A worker and a client use the TLS port, also after a crash and a restart; after the block nothing is left."""

    async def greet(name: str) -> str:
        assert server.tls is not None
        tls = TLSConfig(server_root_ca_cert=server.tls.ca.read_bytes())
        client = await Client.connect(server.tls.address, tls=tls, api_key=server.tls.api_key)
        async with worker(client):
            return await client.execute_workflow(Hello.run, name, id=f"hello-{name}", task_queue=QUEUE)

    with DevServer.start(tls=True, api_key="generated") as server:
        access = server.tls
        assert access is not None
        assert access.variables()["TEMPORAL_API_KEY"] == access.api_key
        assert asyncio.run(greet("TLS")) == "Hello, TLS!"
        server.kill()
        server.restart()
        assert server.tls == access
        assert asyncio.run(greet("again")) == "Hello, again!"
    assert list(paths.instances.iterdir()) == []
    assert processes_of(home) == []
    with DevServer.start() as plain:
        assert plain.tls is None


def test_every_option_of_up_is_a_keyword() -> None:
    """Every option of `devserver up` is a typed keyword of `DevServer.start`."""
    of_the_command = {"name", "detach", "quiet", "as_json", "news_off"}
    names = {str(option.name) for option in up.params if not str(option.name).startswith("refused_")}
    assert names - of_the_command == set(ServerKeywords.__annotations__)


@pytest.mark.parametrize(
    "options",
    [
        {"prot": 7233},
        {"port": "7233"},
        {"namespaces": "orders"},
        {"search_attributes": ["Customer"]},
        {"dynamic_config": {"key": object()}},
        {"retention": 30},
        {"database": 5},
        {"tuning": "slow"},
        {"ephemeral": True, "durable": True},
    ],
)
def test_invalid_keyword(options: dict[str, object], paths: Paths) -> None:
    """A wrong keyword or value is an error before anything is started."""
    with pytest.raises(OptionError):
        DevServer.start(**options)  # type: ignore[arg-type]
    assert not paths.state.exists()


def test_invalid_keyword_downloads_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A misspelled keyword is an error before an executable is looked up."""
    from devserver import executables

    monkeypatch.setattr(executables, "ensure", lambda *_, **__: pytest.fail("looked for an executable"))
    with pytest.raises(OptionError, match="prot"):
        DevServer.start(prot=7233)  # type: ignore[call-arg]


def test_invalid_name() -> None:
    """A name that is a path out of the state folder is an error."""
    with pytest.raises(OptionError, match="is not a valid instance name"):
        DevServer.start("../elsewhere")


def test_start_from_a_thread() -> None:
    """A server started from a thread outlives that thread."""
    found: list[DevServer] = []
    thread = threading.Thread(target=lambda: found.append(DevServer.start()))
    thread.start()
    thread.join()
    with found[0] as server:
        assert asyncio.run(hello(server.address)) == "Hello, World!"


# Async


def test_async_with() -> None:
    """`async with` starts a server without blocking the loop, and stops it."""

    async def main() -> DevServer:
        async with DevServer.start_async(namespaces=["orders"]) as server:
            assert server.namespace == "orders"
            assert await hello(server.address) == "Hello, World!"
        return server

    assert not asyncio.run(main()).running


def test_await() -> None:
    """`await` starts a server that `stop` stops."""

    async def main() -> DevServer:
        server = await DevServer.start_async()
        assert server.running
        server.stop()
        return server

    assert not asyncio.run(main()).running


def test_cancelled_start_leaves_nothing(tmp_path: Path, real_binary: Path, home: Path) -> None:
    """Cancelling the task of a start ends its processes."""
    gate = Gate(tmp_path / "gate", real_binary)

    async def main() -> None:
        task = asyncio.ensure_future(_enter(DevServer.start_async(binary=gate.path)))
        while not gate.started():
            await asyncio.sleep(0.01)
        task.cancel()
        gate.open()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert eventually(lambda: processes_of(home) == [])


async def _enter(start: object) -> None:
    async with start:  # type: ignore[attr-defined]
        raise AssertionError("it was to be cancelled")


# Finding


def test_attach_to_a_running_instance() -> None:
    """`attach` returns the running instance without a lease on it."""
    with DevServer.start("there", port=0) as server:
        found = DevServer.attach("there")
        assert found.address == server.address
        assert found.pid == server.pid
        with found:
            pass
        assert server.running


def test_attach_waits_for_a_start(tmp_path: Path, real_binary: Path) -> None:
    """`attach` to a starting server returns it once it is ready."""
    gate = Gate(tmp_path / "gate", real_binary)
    found: list[DevServer] = []
    starting = threading.Thread(
        target=lambda: found.append(DevServer.start("slow", port=0, binary=gate.path, namespaces=["orders"]))
    )
    starting.start()
    eventually(gate.started)
    eventually(lambda: InstanceFolder(Paths.default(), "slow").read_record())
    threading.Timer(0.05, gate.open).start()
    assert asyncio.run(hello(DevServer.attach("slow").address)) == "Hello, World!"
    starting.join()
    found[0].close()


def test_attach_to_an_unknown_instance() -> None:
    """The error says how to start it."""
    with pytest.raises(InstanceUnknown) as caught:
        DevServer.attach("nowhere")
    assert caught.value.hint == "start it with: devserver up --name nowhere"


def test_attach_to_a_stopped_instance() -> None:
    """The error says that it is stopped."""
    DevServer.start("gone", port=0).stop()
    with pytest.raises(InstanceNotRunning, match="gone is not running"):
        DevServer.attach("gone")


# Ending


def test_stop_twice() -> None:
    """`stop` stops the server whoever has a lease on it, and a second call does nothing."""
    server = DevServer.start("twice", port=0)
    server.stop()
    assert not server.running
    server.stop()
    server.close()


def test_restart_after_stop() -> None:
    """`restart` after `stop` starts the server again until the end of the block."""
    with DevServer.start("back", port=0) as server:
        asyncio.run(hello(server.address))
        server.stop()
        server.restart()
        first = server.pid
        assert asyncio.run(_result(server.address, "hello-World")) == "Hello, World!"
        assert server.pid == first
    assert not server.running


def test_restart_without_holders(devserver: Run) -> None:
    """`devserver restart` of a server without holders runs it until it is stopped."""
    DevServer.start("left", port=0).close()
    assert devserver("restart", "--name", "left").returncode == 0
    server = DevServer.attach("left")
    supervisor = InstanceFolder(Paths.default(), "left").require_record().supervisor
    assert not supervisor.wait_gone(3 * LEASE_POLL_SECONDS)
    server.stop()


def test_detached_server_outlives_a_block() -> None:
    """A detached server keeps running after the block that joined it, until it is stopped."""
    started = DevServer.start("detached", port=0, detach=True)
    with DevServer.start("detached") as joined:
        assert joined.pid == started.pid
    assert started.running
    started.stop()
    assert not started.running


def test_state_survives_a_restart() -> None:
    """A named server has its state after another start."""
    with DevServer.start("kept", port=0) as server:
        asyncio.run(hello(server.address))
    with DevServer.start("kept") as server:
        assert asyncio.run(_result(server.address, "hello-World")) == "Hello, World!"


async def _result(address: str, workflow_id: str) -> object:
    client = await Client.connect(address)
    return await client.get_workflow_handle(workflow_id).result()


# Sharing


def test_same_name_with_other_options() -> None:
    """The error lists the options that differ from those of the running server."""
    with DevServer.start("shared", port=0), pytest.raises(InstanceRunning) as caught:
        DevServer.start("shared", tuning="stock")
    assert caught.value.details == ("--tuning: running with fast, requested stock",)


def test_joining_creates_namespaces() -> None:
    """Joining a running server creates the requested namespaces."""
    with DevServer.start("shared", port=0), DevServer.start("shared", namespaces=["later"]) as joined:
        assert "later" in joined.namespaces


def test_two_processes_share_one_server(paths: Paths) -> None:
    """Processes that start the same name share its server; when the last one leaves, it stops."""
    with holding("shared") as one, holding("shared") as other:
        assert one.ready["address"] == other.ready["address"]
        assert one.ready["pid"] == other.ready["pid"]
        one.leave()
        assert state_of(paths, "shared") == "ready"
        assert holders(paths.instance("shared")) == [other.process.pid]
        other.leave()
    assert state_of(paths, "shared") == "stopped"


def test_simultaneous_starts_share_one_server() -> None:
    """Of processes that start the same name at the same time, one starts the server and all use it."""
    found: list[DevServer] = []
    threads = [threading.Thread(target=lambda: found.append(DevServer.start("shared", port=0))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({server.pid for server in found}) == 1
    for server in found:
        assert server.running
        server.close()
    assert not found[0].running


def test_killed_holder_ends_the_server(paths: Paths) -> None:
    """A server whose only holder is killed stops."""
    with holding("shared") as holder:
        holder.kill()
    assert eventually(lambda: state_of(paths, "shared") == "stopped")


def test_forked_child_of_a_dead_holder_does_not_hold(paths: Paths) -> None:
    """A forked child of a killed holder does not keep the server running."""
    with holding("shared", child="lives") as holder:
        holder.kill()
        assert eventually(lambda: state_of(paths, "shared") == "stopped")


def test_forked_child_does_not_release_the_lease_of_its_parent(paths: Paths) -> None:
    """A child that leaves the block in which it was forked does not stop its parent's server."""
    with holding("shared", child="closes") as holder:
        assert holders(paths.instance("shared")) == [holder.process.pid]
        assert state_of(paths, "shared") == "ready"
        holder.leave()
    assert state_of(paths, "shared") == "stopped"


def test_lingering_server_is_joined(paths: Paths) -> None:
    """A lingering server is joined by the next holder; it stops at once when the last one wants no lingering."""
    with holding("shared", linger=600) as holder:
        first = holder.ready
        holder.leave()
    with holding("shared", linger=600) as holder:
        assert holder.ready["pid"] == first["pid"]
        holder.leave()
    assert state_of(paths, "shared") == "ready"
    with DevServer.start("shared", port=0, linger=timedelta(seconds=600)) as other:
        DevServer.start("shared", port=0, linger=timedelta(seconds=600)).close(linger=False)
        assert state_of(paths, "shared") == "ready"
        other.close(linger=False)
    assert state_of(paths, "shared") == "stopped"


def test_lingering_server_stops(paths: Paths) -> None:
    """A server that nobody joins stops after its linger time."""
    DevServer.start("shared", port=0, linger=timedelta(milliseconds=300)).close()
    assert eventually(lambda: state_of(paths, "shared") == "stopped")


# Faults


def test_freeze_and_thaw(paths: Paths) -> None:
    """A frozen server is unresponsive and lets calls time out; after `thaw` it continues."""

    async def main(server: DevServer) -> None:
        client = await Client.connect(server.address)
        handle = await client.start_workflow(Order.run, id="order", task_queue=QUEUE)
        server.freeze()
        with pytest.raises(RPCError, match=r"(?i)timeout|deadline"):
            await handle.signal(Order.tell, 1, rpc_timeout=timedelta(milliseconds=500))
        assert server.running
        assert await asyncio.to_thread(state_of, paths, "cold") == "unresponsive"
        server.thaw()
        async with worker(client):
            await handle.signal(Order.end)
            assert await handle.result() in ([], [1])

    with DevServer.start("cold", port=0) as server:
        asyncio.run(main(server))
        assert state_of(paths, "cold") == "ready"


def test_stop_a_frozen_server() -> None:
    """A frozen server stops like any other."""
    server = DevServer.start("cold", port=0)
    server.freeze()
    server.stop()
    assert not server.running


@pytest.mark.parametrize("name", [None, "hit"])
def test_kill_and_restart_lose_nothing(name: str | None) -> None:
    """After a kill and a restart, an open workflow completes with every acknowledged signal."""

    async def main(server: DevServer) -> None:
        client = await Client.connect(server.address)
        async with worker(client):
            handle = await client.start_workflow(Order.run, id="order", task_queue=QUEUE)
            for number in range(5):
                await handle.signal(Order.tell, number)
            await asyncio.to_thread(server.kill)
            assert not server.running
            await asyncio.to_thread(server.restart)
            await handle.signal(Order.end)
            assert await handle.result() == [0, 1, 2, 3, 4]

    with DevServer.start(name, port=0) as server:
        asyncio.run(main(server))


def test_kill_and_restart_of_a_detached_ephemeral_server() -> None:
    """A detached ephemeral server keeps its state over a kill and a restart."""
    server = DevServer.start("brief", port=0, ephemeral=True, detach=True)
    try:
        asyncio.run(hello(server.address))
        server.kill()
        eventually(lambda: not InstanceFolder(Paths.default(), "brief").require_record().supervised())
        server.restart()
        assert asyncio.run(_result(server.address, "hello-World")) == "Hello, World!"
    finally:
        server.stop()


@pytest.mark.parametrize("touched", [False, True])
def test_a_database_that_was_changed_while_its_server_was_down_is_examined(touched: bool, paths: Paths) -> None:
    """Right after a kill nothing can be overdue, unless somebody has put other data there."""
    with DevServer.start("killed", port=0, ephemeral=True) as server:
        server.kill()
        if touched:
            copy = server.database.with_name("copy")
            shutil.copyfile(server.database, copy)
            copy.replace(server.database)
        server.restart()
        assert (InstanceFolder(paths, "killed").require_record().overdue is not None) == touched


@pytest.mark.parametrize(("name", "own", "found"), [(None, None, "300"), (None, "50", "50"), ("durable", None, None)])
def test_how_often_the_server_collects_garbage(
    name: str | None, own: str | None, found: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seldom on a server for one run, unless the user says how often; as Go does by default on one that stays."""
    monkeypatch.delenv("GOGC", raising=False)
    if own is not None:
        monkeypatch.setenv("GOGC", own)
    with DevServer.start(name, port=0, ui=False) as server:
        assert psutil.Process(server.pid).environ().get("GOGC") == found


def test_restart_keeps_state_ports_and_holders(paths: Paths) -> None:
    """A restarted ephemeral server has the same ports, state and holders."""
    with DevServer.start("same", port=0, http_port=0, ui_port=0, metrics_port=0, ephemeral=True) as server:
        asyncio.run(hello(server.address))
        before = (server.address, server.http_url, server.ui_url, server.metrics_url, server.database)
        first = server.pid
        server.restart(down=timedelta(milliseconds=10))
        assert (server.address, server.http_url, server.ui_url, server.metrics_url, server.database) == before
        assert server.pid != first
        assert len(holders(paths.instance("same"))) == 1
        assert asyncio.run(_result(server.address, "hello-World")) == "Hello, World!"


def test_kill_a_stopped_server() -> None:
    """Faults on a stopped server are an error that says so."""
    server = DevServer.start("over", port=0)
    server.stop()
    for fault in (server.kill, server.freeze, server.thaw):
        with pytest.raises(InstanceNotRunning, match="not running"):
            fault()


def test_snapshot_of_a_running_server() -> None:
    """A snapshot is saved while the server runs."""
    with DevServer.start("shot", port=0) as server:
        snapshot = server.snapshot("before")
        assert snapshot.name == "before"
        assert snapshot.folder.is_dir()
        assert server.running
        with pytest.raises(DevServerError, match="before"):
            server.snapshot("before")


def test_names_have_separate_state() -> None:
    """A workflow of one name is unknown under another."""
    with DevServer.start("one", port=0) as one, DevServer.start("two", port=0) as two:
        asyncio.run(hello(one.address))
        with pytest.raises((RPCError, WorkflowFailureError), match="not found"):
            asyncio.run(_result(two.address, "hello-World"))
