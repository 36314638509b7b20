"""The process that supervises a cluster: `python -m devserver.cluster.machine_main REQUEST EVENTS LIFELINE`.

REQUEST is JSON; EVENTS is an open descriptor for a line of JSON for each event. LIFELINE is the read end of a pipe; the
cluster ends when its other end is closed. -1: none. (A signal at the parent's death would come with a thread's end.)
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import sys
import warnings
from pathlib import Path
from typing import Any

from ..errors import DevServerError
from ..system.paths import Paths
from .declaration import Cluster
from .folder import ClusterFolder
from .machine import ClusterMachine
from .ring.jars import CassandraPrograms
from .ring.ring import Ring

OPEN_FILES = 16384


def main(text: str, events: int, lifeline: int) -> None:
    """Run the cluster."""
    for descriptor in {events, lifeline} - {-1}:
        os.set_inheritable(descriptor, False)
    # Proxies have threads, and what is started is started at once after the fork.
    warnings.filterwarnings("ignore", message=".*multi-threaded, use of fork", category=DeprecationWarning)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))  # each connection to the database takes two
    request: dict[str, Any] = json.loads(text)

    def send(event: dict[str, Any]) -> None:
        with contextlib.suppress(OSError):  # the process that asked has ended
            os.write(events, json.dumps(event).encode() + b"\n")

    try:
        folder = ClusterFolder(Paths(**{key: Path(value) for key, value in request["paths"].items()}), request["name"])
        machine = ClusterMachine(
            folder,
            Cluster.from_json(request["declaration"]),
            Path(request["executable"]),
            Path(request["template"]),
            request["limit"],
            send,
            _ring(folder, request["ring"]),
            patient=request["patient"],
            proxies=request["proxies"],
        )
        machine.run(request["port"], lifeline)
    except DevServerError as error:
        send({"failed": error.to_json()})


def _ring(folder: ClusterFolder, request: dict[str, Any] | None) -> Ring | None:
    if request is None:
        return None
    return Ring(folder, CassandraPrograms.from_json(request["programs"]), Path(request["template"]), request["nodes"])


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
