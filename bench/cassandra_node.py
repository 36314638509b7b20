"""The start of one Cassandra node in a network of its own: `python -m bench.cassandra_node REQUEST` prints seconds."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from devserver.cluster.isolation.own_network import OwnNetwork
from devserver.cluster.ring import cql
from devserver.cluster.ring.jars import CassandraPrograms
from devserver.cluster.ring.node_server import ARCHIVE, DATA, RingNode

OURS = ("-XX:TieredStopAtLevel", "-Dcassandra.ring_delay_ms", "-Dcassandra.skip_wait_for_gossip_to_settle")
POLL_SECONDS = 0.05
LIMIT = 400.0


def seconds(programs: CassandraPrograms, template: Path | None) -> float:
    """Seconds until a node serves: with a template's data and archive, or None: with stock options and new data."""
    request = {"programs": programs.to_json(), "template": str(template) if template else None}
    words = [sys.executable, "-m", "bench.cassandra_node", json.dumps(request)]
    return float(subprocess.run(words, capture_output=True, text=True, check=True).stdout)


def _measure(request: dict[str, str | None]) -> float:
    programs = CassandraPrograms.from_json(request["programs"])  # type: ignore[arg-type]
    template = Path(request["template"]) if request["template"] else None
    network = OwnNetwork()
    network.enter()
    network.hosts.add(1)
    with tempfile.TemporaryDirectory() as name:
        node = RingNode(1, Path(name) / "node-1")
        node.write([1])
        begin = time.perf_counter()
        if template is not None:
            shutil.copytree(template / node.name / DATA, node.folder / DATA)
        words = node.command(programs, template / ARCHIVE if template is not None else None)
        if template is None:
            options = Path(words[1][1:])
            lines = options.read_text().splitlines(keepends=True)
            options.write_text("".join(line for line in lines if not json.loads(line).startswith(OURS)))
        with (node.folder / "log").open("w") as log:
            process = subprocess.Popen(network.hosts.inside(1, words), stdout=log, stderr=log)
        try:
            while not cql.serves(node.address):
                if process.poll() is not None or time.perf_counter() - begin > LIMIT:
                    raise RuntimeError((node.folder / "log").read_text()[-2000:])
                time.sleep(POLL_SECONDS)
            return time.perf_counter() - begin
        finally:
            process.kill()
            process.wait()


if __name__ == "__main__":
    sys.stdout.write(str(_measure(json.loads(sys.argv[1]))))
