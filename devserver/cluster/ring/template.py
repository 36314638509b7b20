"""A template of the nodes' data: a ring that has Temporal's schema and nothing else. Made once per version.

The schema takes a minute, because every statement waits until all nodes agree. The first node also writes the archive
of its loaded classes, from which later nodes start faster. `python -m devserver.cluster.ring.template REQUEST` makes
it: a process of its own, so that the nodes have a network of their own.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...errors import DevServerError
from ...system.parent_death import bound_to_parent
from ...system.paths import Paths
from ...system.progress import Reporter
from ...system.spawn import Child, spawn_bound
from .. import programs as server_programs
from ..declaration import Cassandra
from ..errors import ClusterStartFailed
from ..isolation.own_network import OwnNetwork
from ..preparation import last_lines, made_once, run_program
from . import cql
from .jars import CassandraPrograms
from .node_server import ARCHIVE, CQL_PORT, DATA, KEYSPACE, RingNode

FORM = 1  # counts up when a template is made in another way
LOCK_SECONDS = 1500.0
NODE_SECONDS = 400.0
SCHEMA_SECONDS = 600.0
STOP_SECONDS = 60.0
POLL_SECONDS = 0.1
LOG_LINES = 8


def folder(programs: CassandraPrograms, database: Cassandra, version: str, paths: Paths) -> Path:
    """Where the template is, or will be: a folder for each node, and the archive of classes."""
    ring = f"{database.nodes}x{database.replication}"
    return paths.cache / "cluster" / "templates" / f"cassandra-{programs.version}-{ring}-temporal-{version}-{FORM}"


def template(
    programs: CassandraPrograms, database: Cassandra, executable: Path, version: str, paths: Paths, reporter: Reporter
) -> Path:
    """The template of a ring's data, made if it is not there.

    Raises:
        ClusterStartFailed: It cannot be made.
    """

    def make_work(work: Path) -> None:
        reporter.note(f"making {database} with the schema of Temporal {version} (once; some minutes) ...")
        request = {
            "work": str(work),
            "nodes": database.nodes,
            "replication": database.replication,
            "executable": str(executable),
            "programs": programs.to_json(),
        }
        _in_own_process(request, reporter)

    target = folder(programs, database, version, paths)
    return made_once(target, make_work, lock="ring.lock", limit=LOCK_SECONDS, doing="making the template of a ring")


def _in_own_process(request: Mapping[str, Any], reporter: Reporter) -> None:
    words = bound_to_parent([sys.executable, "-m", __name__, json.dumps(request)])
    with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as process:
        try:
            for line in process.stdout or ():
                event = json.loads(line)
                if "note" in event:
                    reporter.note(event["note"])
                else:
                    raise DevServerError.from_json(event["failed"])
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        code = process.returncode
        raise ClusterStartFailed(f"the process that makes the template of a ring ended (exit code {code})")


def make(request: Mapping[str, Any]) -> None:
    """Start a new ring, give it the schema, and stop it; its data stays in the folder `work`.

    Raises:
        ClusterStartFailed: A node does not start, or the schema tool fails.
    """
    network = OwnNetwork()
    network.enter()
    work = Path(request["work"])
    programs = CassandraPrograms.from_json(request["programs"])
    server = server_programs.programs(Path(request["executable"]))
    nodes = [RingNode(number, work / f"node-{number}") for number in range(1, request["nodes"] + 1)]
    started: list[tuple[RingNode, Child]] = []
    try:
        for node in nodes:  # one after the other: a node that joins waits for no other that joins
            node.write([1])
            _note(f"starting {node.name} of {len(nodes)} ...")
            network.hosts.add(node.number)
            words = network.hosts.inside(node.number, node.command(programs, work / ARCHIVE, make=node.number == 1))
            child = spawn_bound(words, log=node.folder / "log", environ=os.environ)
            started.append((node, child))
            _until_serving(node, child)
        _note("creating Temporal's schema: about a minute ...")
        tool = [*server.tool("cassandra"), "--ep", nodes[0].address, "-p", str(CQL_PORT), "--timeout", "60"]
        _schema([*tool, "create-keyspace", "-k", KEYSPACE, "--rf", str(request["replication"])])
        for words in (["setup-schema", "-v", "0.0"], ["update-schema", "--schema-name", "cassandra/temporal"]):
            _schema([*tool, "-k", KEYSPACE, *words])
        for node, child in started:
            _stop(node, child)
    finally:
        for _, child in started:
            child.kill()
            child.wait()
    for node in nodes:
        for path in node.folder.iterdir():
            if path.name != DATA:
                path.unlink()
        for table in (node.folder / DATA / "sstables" / "system").glob("prepared_statements-*"):
            shutil.rmtree(table)  # those of the schema tool: each start would prepare them again


def _until_serving(node: RingNode, child: Child) -> None:
    deadline = time.monotonic() + NODE_SECONDS
    while not cql.serves(node.address):
        if child.poll() is not None or time.monotonic() >= deadline:
            lines = (node.folder / "log").read_text(errors="replace").splitlines()
            errors = [line for line in lines if line.startswith(("ERROR", "Exception", "Caused by"))]
            raise ClusterStartFailed(f"{node.name} of Cassandra does not start", details=(errors or lines)[-LOG_LINES:])
        time.sleep(POLL_SECONDS)


def _stop(node: RingNode, child: Child) -> None:
    """SIGTERM: it writes what it has, and the first node writes the archive of its classes."""
    os.kill(child.pid, 15)
    deadline = time.monotonic() + STOP_SECONDS
    while child.poll() is None:
        if time.monotonic() >= deadline:
            raise ClusterStartFailed(f"{node.name} of Cassandra does not stop within {STOP_SECONDS:g} s")
        time.sleep(POLL_SECONDS)


def _schema(words: Sequence[str]) -> None:
    try:
        done = run_program(words, limit=SCHEMA_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ClusterStartFailed("Temporal's schema tool does not run", details=[str(error)]) from error
    if done.returncode:
        raise ClusterStartFailed(
            f"Temporal's schema tool failed (exit code {done.returncode})",
            details=last_lines(done.stdout, LOG_LINES),
        )


def _note(text: str) -> None:
    sys.stdout.write(json.dumps({"note": text}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    try:
        make(json.loads(sys.argv[1]))
    except DevServerError as failed:
        sys.stdout.write(json.dumps({"failed": failed.to_json()}) + "\n")
