"""Clusters: their start against the same processes started by hand, a reset, a rehearsal, memory, a Cassandra node.

The server's executable must be built (`devserver cluster build`).
"""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psutil
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError

from devserver.cluster import Cluster, ClusterControl, cassandra, executable, postgres_server, postgres_template
from devserver.cluster.member import environment, listens
from devserver.cluster.ports import reserved
from devserver.cluster.postgres_server import PASSWORD
from devserver.cluster.ring import jars
from devserver.cluster.ring import template as ring_template
from devserver.cluster.role_config import dynamic_config, member_config, role_of
from devserver.rehearsal import RehearsalSettings, rehearse, scenarios_in
from devserver.rehearsal.patient.pool import PatientPool
from devserver.system.paths import Paths
from devserver.system.ports import Reservations
from devserver.system.progress import Silent

from . import cassandra_node
from .rehearsals import Limit
from .servers import RETRY_SECONDS
from .table import Row
from .work import Empty

MIB = 1024 * 1024
EXAMPLE = Path(__file__).parent.parent / "examples" / "clusters" / "history_dies.py"
CALL = timedelta(seconds=2)
DECLARED = Cluster()


def starts(paths: Paths, repeat: int) -> Row:
    """From nothing to the first acknowledged workflow: ours, and the same processes on a copy of the same data."""
    program = executable.find(DECLARED.version, paths)
    template = postgres_template.template(program, DECLARED.version, paths, Silent())
    ours, bare = [], []
    for _ in range(repeat):
        ours.append(_ours(paths))
        bare.append(_bare(program, template))
    return Row("cluster from nothing to the first workflow", ours, bare, "bare processes", at_most=1.1)


def limits(paths: Paths, repeat: int) -> list[Limit]:
    """A reset, what a rehearsal takes beyond its runbook, and the memory of all processes."""
    control = ClusterControl("bench", paths)
    resets = []
    with control.started(DECLARED, patient=True):
        for _ in range(repeat):
            begin = time.perf_counter()
            control.ask("reset", declaration=DECLARED.to_json())
            resets.append(time.perf_counter() - begin)
    control.delete()
    return [Limit("reset of a cluster on PostgreSQL", sorted(resets)[len(resets) // 2], 4), asyncio.run(_beyond())]


def memory(paths: Paths) -> Row:
    """Memory of five roles and PostgreSQL after a workflow; pages that they share count once."""
    control = ClusterControl("bench", paths)
    with control.started(DECLARED) as status:
        asyncio.run(_acknowledged(str(status["address"])))
        processes = [psutil.Process(member["pid"]) for member in status["members"]]
        processes += [child for process in processes for child in process.children(recursive=True)]
        used = sum(process.memory_full_info().pss for process in processes) / MIB
    control.delete()
    return Row("memory of five roles and PostgreSQL", [used], [600], "600 MiB", at_most=1, unit="MiB")


def _ours(paths: Paths) -> float:
    control = ClusterControl("bench", paths)
    begin = time.perf_counter()
    with control.started(DECLARED) as status:
        asyncio.run(_acknowledged(str(status["address"])))
        took = time.perf_counter() - begin
    control.delete()
    return took


def _bare(program: Path, template: Path) -> float:
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as closing:
        folder = Path(name)
        begin = time.perf_counter()
        postgres_template.copy_template(template, folder)
        reservations = closing.enter_context(Reservations(postgres_server.HOST))
        ports = reserved(DECLARED, reservations, {}, None)
        data, port = folder / postgres_template.DATA, ports["postgres"].grpc
        closing.enter_context(_process(postgres_server.command(data, port, 200), folder))
        while not postgres_server.accepts(port):
            time.sleep(RETRY_SECONDS)
        dynamic = folder / "dynamic.yaml"
        dynamic.write_text(dynamic_config({}))
        for member in DECLARED.roles.members():
            config = folder / f"{member}.yaml"
            config.write_text(member_config(DECLARED, member, ports, (folder / PASSWORD).read_text(), str(dynamic)))
            closing.enter_context(_process([str(program), "serve", str(config), role_of(member)], folder))
            while member == "frontend-1" and not listens(ports[member].grpc):  # several at once race on new data
                time.sleep(RETRY_SECONDS)
        asyncio.run(_acknowledged(f"127.0.0.1:{ports['frontend-1'].grpc}"))
        took = time.perf_counter() - begin
        closing.close()
        postgres_server.discard(data)
        return took


@contextlib.contextmanager
def _process(words: list[str], folder: Path) -> Iterator[None]:
    with (folder / f"{uuid.uuid4()}.log").open("w") as log:
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment())
    try:
        yield
    finally:
        children = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        process.wait()
        psutil.wait_procs(children, timeout=10)


async def _acknowledged(address: str) -> None:
    """Start a workflow, as soon as the cluster acknowledges one."""
    while True:
        with contextlib.suppress(RPCError, RuntimeError):
            client = await Client.connect(address)
            with contextlib.suppress(RPCError):
                await client.workflow_service.register_namespace(_namespace(), timeout=CALL)
            await client.start_workflow(Empty.run, id=str(uuid.uuid4()), task_queue="bench", rpc_timeout=CALL)
            return
        await asyncio.sleep(RETRY_SECONDS)


def _namespace() -> RegisterNamespaceRequest:
    request = RegisterNamespaceRequest(namespace=DECLARED.namespace)
    request.workflow_execution_retention_period.FromTimedelta(timedelta(days=1))
    return request


async def _beyond() -> Limit:
    """What a rehearsal takes beyond its runbook, with a cluster that an earlier one has used."""
    (scenario, _) = scenarios_in([EXAMPLE])
    with tempfile.TemporaryDirectory() as name:
        async with PatientPool(Path(name) / "patients") as patients:
            took = 0.0
            for number in range(2):
                settings = RehearsalSettings(folder=Path(name) / str(number), patients=patients)
                begin = time.perf_counter()
                result = await rehearse(scenario, settings)
                if result.run is None or result.verdict != "pass":
                    raise RuntimeError(f"the rehearsal does not pass: {result.reason}")
                took = time.perf_counter() - begin - (result.run.seconds or 0.0)
    return Limit("a rehearsal with a cluster, beyond its runbook", took, 15)


def node_start(paths: Paths, repeat: int) -> Row:
    """A ring of one Cassandra node until it serves: with our options, archive and data, and with stock options.

    Raises:
        CassandraMissing: Java or the jars are not on this machine.
    """
    programs = jars.find(paths, Silent())
    ring, program = cassandra(nodes=1, replication=1), executable.find(DECLARED.version, paths)
    template = ring_template.template(programs, ring, program, DECLARED.version, paths, Silent())
    ours = [cassandra_node.seconds(programs, template) for _ in range(repeat)]
    stock = [cassandra_node.seconds(programs, None) for _ in range(repeat)]
    return Row("start of a Cassandra node", ours, stock, "stock options, new data", aim=1)
