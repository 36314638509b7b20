"""Rehearsals: their cost beyond the runbook, the cost of a sweep point, and the recovery time after a kill."""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.service import RPCError

from devserver.rehearsal import RehearsalSettings, Scenario, at, faults, rehearse, scenarios_in, sweep
from devserver.rehearsal.scenario.result import Result, Target

from .servers import RETRY_SECONDS, connect, free_port
from .table import Row

TARGETS: tuple[Target, ...] = ("server", "worker")
KILLED = "scale-up, the server dies while a node joins"
EXAMPLE = Path(__file__).parent.parent / "examples" / "rehearsals" / "scale_up.py"


@dataclass(frozen=True)
class Limit:
    """A measured time and its limit, in seconds."""

    what: str
    seconds: float
    at_most: float

    def cells(self) -> list[str]:
        """The row as it is printed."""
        met = "yes" if self.seconds <= self.at_most else "NO"
        return [self.what, f"{self.seconds:.2f} s", f"at most {self.at_most:g} s", met]


def limits(devserver: str, executable: Path, repeat: int) -> list[Limit]:
    """The cost of a rehearsal and of sweeps of the example."""
    scenario = _example()
    beyond = [_beyond(devserver, executable) for _ in range(repeat)]
    rows = [Limit("a rehearsal with one kill, beyond its runbook", statistics.median(beyond), 3)]
    for target in TARGETS:
        begin = time.perf_counter()
        result = asyncio.run(sweep(scenario, target, RehearsalSettings(server={"binary": executable})))
        took = time.perf_counter() - begin
        swept = result.sweep
        if result.verdict != "pass" or swept is None:
            raise RuntimeError(f"the sweep does not pass: {result.reason}")
        events = len(swept.plain.histories[0].events)
        rows.append(Limit(f"--sweep {target}: a point of {len(swept.points)}", took / len(swept.points), 2.5))
        rows.append(Limit(f"--sweep {target}: all of {events} events", took, 180))
    return rows


def recovery(executable: Path, repeat: int) -> Row:
    """From the kill to the next started activity, compared with the restart of the bare server to its first answer."""
    scenario = replace(_example(), plan=[at.activity_starts("add_node", nth=2).do(faults.kill_server())])
    ours = [_to_first_activity(_hold(scenario, executable)) for _ in range(repeat)]
    bare = [asyncio.run(_bare_restart(executable)) for _ in range(repeat)]
    return Row("kill to first activity", ours, bare, "bare restart to first answer", at_most=4)


def render(rows: Sequence[Limit]) -> str:
    """A Markdown table."""
    cells = [["what", "took", "aim", "met"], *(row.cells() for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(4)]
    lines = ["| " + " | ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) + " |" for row in cells]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def _example() -> Scenario:
    return next(each for each in scenarios_in([EXAMPLE]) if not each.plan)


def _hold(scenario: Scenario, executable: Path) -> Result:
    return asyncio.run(rehearse(scenario, RehearsalSettings(server={"binary": executable})))


def _beyond(devserver: str, executable: Path) -> float:
    """Seconds of the whole command, without those of the runbook that it rehearses."""
    words = [devserver, "rehearse", str(EXAMPLE), "--only", KILLED, "--json"]
    begin = time.perf_counter()
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    took = time.perf_counter() - begin
    return took - float(json.loads(done.stdout)["results"][0]["seconds"])


def _to_first_activity(result: Result) -> float:
    run = result.run
    if run is None or result.verdict != "pass":
        raise RuntimeError(f"the rehearsal does not pass: {result.reason}")
    killed = next(mark.until for mark in run.marks if mark.lane == "server" and mark.detail.get("ended") == "killed")
    return min(mark.at for mark in run.marks if mark.lane == "activity" and mark.at > (killed or 0.0)) - (killed or 0.0)


async def _bare_restart(executable: Path) -> float:
    """From kill -9 of a bare server with a database to the first answer of the next one."""
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        words = [str(executable), "server", "start-dev", "--ip", "127.0.0.1", "--port", str(port), "--headless"]
        words += ["--db-filename", str(Path(folder) / "t.db"), "--log-level", "error"]
        first = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            await _answer(port)
        finally:
            first.kill()
        begin = time.perf_counter()
        first.wait()
        second = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            await _answer(port)
            return time.perf_counter() - begin
        finally:
            second.kill()
            second.wait()


async def _answer(port: int) -> None:
    """Wait until a server knows its namespace; a listening port is not enough."""
    client = await connect(f"127.0.0.1:{port}")
    while True:
        try:
            await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace="default"))
        except RPCError:
            await asyncio.sleep(RETRY_SECONDS)
        else:
            return
