"""Runs every measurement, alternating between the contestants, and prints the tables."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from devserver import BinaryRequest
from devserver.cluster import CassandraMissing
from devserver.cluster import executable as cluster_executable
from devserver.executables.resolve import ensure
from devserver.system.paths import HOME_VARIABLE, Paths

from . import (
    clusters,
    inspection,
    load,
    open_workflows,
    payloads,
    rehearsals,
    replays,
    scale,
    server,
    skipping,
    suites,
)
from .table import Row, render

DEVSERVER = str(Path(sys.executable).parent / "devserver")
SECTIONS = (
    "server",
    "skipping",
    "suites",
    "scale",
    "rehearsals",
    "payloads",
    "inspection",
    "replays",
    "open",
    "clusters",
)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("sections", nargs="*", help=f"which of {', '.join(SECTIONS)}; all of them if none is named")
    parser.add_argument("--starts", type=int, default=9, help="repetitions of each start")
    parser.add_argument("--repeat", type=int, default=3, help="repetitions of each workflow and each suite")
    parser.add_argument("--tests", type=int, default=2000, help="tests of the longest suite of the section scale")
    parser.add_argument("--open", type=int, default=10_000, help="open workflows of the section open (aim: 100000)")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="write the curves of the section scale as SVG")
    parser.add_argument("--loaded", action="store_true", help=f"measure beside {load.LOOPS} busy loops")
    options = parser.parse_args()
    wanted = options.sections or SECTIONS
    own = Paths.default()  # what is built there takes long
    with tempfile.TemporaryDirectory() as home, load.busy() if options.loaded else contextlib.nullcontext():
        os.environ[HOME_VARIABLE] = home
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed package has its bytecode
        executable = ensure(BinaryRequest(), paths=Paths.default())
        print(f"temporal {executable.version} (server {executable.server_version}), {os.cpu_count()} cores, medians\n")
        if "server" in wanted:
            print(_server(executable.path, options.starts, options.repeat))
        if "skipping" in wanted:
            print(render(asyncio.run(_collect(skipping.measure(executable.path)))), end="\n\n")
        if "suites" in wanted:
            print(render(list(suites.measure(executable.path, options.repeat))), end="\n\n")
        if "scale" in wanted:
            print(_scale(executable.path, options.tests, options.plot), end="\n\n")
        if "rehearsals" in wanted:
            print(rehearsals.render(rehearsals.limits(DEVSERVER, executable.path, options.repeat)), end="\n\n")
            print(render([rehearsals.recovery(executable.path, options.repeat)]), end="\n\n")
        if "payloads" in wanted:
            print(render(list(payloads.measure(executable.path, options.repeat))), end="\n\n")
        if "inspection" in wanted:
            print(render(list(inspection.measure(executable.path, DEVSERVER, options.repeat))), end="\n\n")
        if "replays" in wanted:
            print(render(list(replays.measure(executable.path, DEVSERVER, options.repeat))), end="\n\n")
        if "open" in wanted:
            print(
                render(list(open_workflows.measure(executable.path, DEVSERVER, options.repeat, options.open))),
                end="\n\n",
            )
        if "clusters" in wanted:
            print(_clusters(own, options.repeat))


def _server(executable: Path, starts: int, repeat: int) -> str:
    server.command_seconds(DEVSERVER, "--help")
    server.up_detached(DEVSERVER)
    table = render(asyncio.run(_collect(server.measure(executable, DEVSERVER, starts, repeat))))
    own, supervisor = server.memory(executable)
    return f"{table}\n\nresident memory after the start: server {own:.0f} MiB, supervisor {supervisor:.0f} MiB\n"


def _scale(executable: Path, count: int, plot: Path | None) -> str:
    ours, stock = scale.measure(executable, count)
    if plot is not None:
        plot.write_text(scale.plot(ours, stock))
    return f"{scale.render(ours, stock)}\n\n{render(list(scale.rows(ours, stock)))}"


def _clusters(own: Paths, repeat: int) -> str:
    if not cluster_executable.built(clusters.DECLARED.version, own).is_file():
        return "clusters: not measured, no server with all roles is built (devserver cluster build)"
    os.environ[cluster_executable.VARIABLE] = str(cluster_executable.built(clusters.DECLARED.version, own))
    with tempfile.TemporaryDirectory() as data:
        paths = own._replace(data=Path(data))
        rows = [clusters.starts(paths, repeat), clusters.memory(paths)]
        try:
            rows.append(clusters.node_start(paths, repeat))
        except CassandraMissing as missing:
            print(f"a Cassandra node: not measured, {missing}")
        return f"{render(rows)}\n\n{rehearsals.render(clusters.limits(paths, repeat))}"


async def _collect(rows: AsyncIterator[Row]) -> list[Row]:
    return [row async for row in rows]


if __name__ == "__main__":
    main()
