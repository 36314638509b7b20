"""Runs every measurement, alternating between the contestants, and prints the tables."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from devserver import BinaryRequest
from devserver.cluster import CassandraMissing
from devserver.cluster import executable as cluster_executable
from devserver.executables.resolve import ensure
from devserver.system.paths import HOME_VARIABLE, Paths

from . import (
    clusters,
    dashboard,
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
    "dashboard",
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
    parser.add_argument("--loaded", action="store_true", help=f"measure while {load.LOOPS} busy loops run")
    options = parser.parse_args()
    wanted = options.sections or SECTIONS
    own = Paths.default()  # what is built there takes long
    with tempfile.TemporaryDirectory() as home, load.busy() if options.loaded else contextlib.nullcontext():
        os.environ[HOME_VARIABLE] = home
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed package has its bytecode
        executable = ensure(BinaryRequest(), paths=Paths.default())
        print(f"temporal {executable.version} (server {executable.server_version}), {os.cpu_count()} cores, medians\n")
        for name in SECTIONS:
            if name in wanted:
                print(_section(name, executable.path, own, options).rstrip(), end="\n\n")


def _section(name: str, executable: Path, own: Paths, options: argparse.Namespace) -> str:
    repeat = options.repeat
    measures: dict[str, Callable[[], str]] = {
        "server": lambda: _server(executable, options.starts, repeat),
        "skipping": lambda: render(asyncio.run(_collect(skipping.measure(executable)))),
        "suites": lambda: render(list(suites.measure(executable, repeat))),
        "scale": lambda: _scale(executable, options.tests, options.plot),
        "rehearsals": lambda: _rehearsals(executable, repeat),
        "payloads": lambda: render(list(payloads.measure(executable, repeat))),
        "inspection": lambda: render(list(inspection.measure(executable, DEVSERVER, repeat))),
        "replays": lambda: render(list(replays.measure(executable, DEVSERVER, repeat))),
        "open": lambda: render(list(open_workflows.measure(executable, DEVSERVER, repeat, options.open))),
        "clusters": lambda: _clusters(own, repeat),
        "dashboard": lambda: rehearsals.render(dashboard.measure(executable, DEVSERVER)),
    }
    return measures[name]()


def _rehearsals(executable: Path, repeat: int) -> str:
    limits = rehearsals.render(rehearsals.limits(DEVSERVER, executable, repeat))
    return f"{limits}\n\n{render([rehearsals.recovery(executable, repeat)])}"


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
