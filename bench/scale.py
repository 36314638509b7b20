"""What a test costs in a long suite: CPU and memory for each hundred tests, with the plugin and with `start_local`."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from .plot import svg
from .suites import PLUGIN, today
from .table import Row

MIB = 1024 * 1024
STEPS = 20
WORKERS = 2
POLL_SECONDS = 0.2
SETTLE_SECONDS = 3.0
IDLE_SECONDS = 6.0
HOLD_SECONDS = 120.0
TOKEN = "BENCH_SCALE"
SERVER = "temporal"

# Counts the tests, and keeps the servers at the end until they have been looked at.
CONFTEST = """
import time
from pathlib import Path
import pytest

def note(name):
    with open(name, "a") as file:
        file.write(".")

def pytest_runtest_logfinish(nodeid):
    import os
    if "PYTEST_XDIST_WORKER" in os.environ:
        note("done")

@pytest.fixture(scope="session", autouse=True)
def hold({after}):
    yield
    note("holding")
    deadline = time.monotonic() + {limit}
    while not Path("go").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
"""


@dataclass(frozen=True)
class Step:
    """The state after a number of tests: CPU seconds since the start, and MiB of all servers and of the largest."""

    tests: int
    server: float
    client: float
    memory: float
    largest: float


@dataclass(frozen=True)
class Curve:
    """The steps of one run, and how busy its servers are when it has ended, in percent of a core."""

    steps: Sequence[Step]
    idle: float

    def server(self) -> list[float]:
        """Milliseconds of server CPU for each test of a step."""
        return self._per_test([step.server for step in self.steps])

    def both(self) -> list[float]:
        """Milliseconds of server and client CPU for each test of a step."""
        return self._per_test([step.server + step.client for step in self.steps])

    def _per_test(self, seconds: Sequence[float]) -> list[float]:
        counts = [step.tests for step in self.steps]
        spans = zip(seconds, seconds[1:], counts, counts[1:], strict=False)
        return [1000 * (after - before) / (last - first) for before, after, first, last in spans]


class Processes:
    """CPU and memory of the processes of a run, found by a variable in their environment; also of those that ended."""

    def __init__(self, token: str) -> None:
        self._token = token
        self._ours: dict[psutil.Process, bool] = {}
        self._cpu: dict[bool, dict[psutil.Process, float]] = {True: {}, False: {}}
        self._memory: list[float] = []

    def look(self) -> None:
        """Read all processes."""
        self._memory = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if self._ours.setdefault(process, process.environ().get(TOKEN) == self._token):
                    self._read(process)

    def _read(self, process: psutil.Process) -> None:
        is_server = process.name() == SERVER
        times = process.cpu_times()
        self._cpu[is_server][process] = times.user + times.system
        if is_server:
            self._memory.append(process.memory_info().rss / MIB)

    def server(self) -> float:
        """CPU seconds of servers."""
        return sum(self._cpu[True].values())

    def step(self, tests: int) -> Step:
        """The state now."""
        memory = self._memory or [0.0]
        return Step(tests, self.server(), sum(self._cpu[False].values()), sum(memory), max(memory))


def run(text: str, count: int, *, after: str = "") -> Curve:
    """The curve of a suite of `count` tests; `after` is the fixture that its servers belong to."""
    with tempfile.TemporaryDirectory() as name:
        folder, token = Path(name), uuid.uuid4().hex
        (folder / "test_bench.py").write_text(text)
        (folder / "conftest.py").write_text(CONFTEST.format(after=after, limit=HOLD_SECONDS))
        (folder / "pytest.ini").write_text("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
        with (folder / "output").open("w+") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", str(WORKERS)],
                cwd=folder,
                env={**os.environ, "CI": "1", TOKEN: token},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            try:
                curve = _watch(process, folder, count, Processes(token))
            finally:
                (folder / "go").touch()
                code = process.wait(HOLD_SECONDS)
            if code != 0:
                raise RuntimeError((folder / "output").read_text()[-3000:])
            return curve


def _watch(process: subprocess.Popen[bytes], folder: Path, count: int, processes: Processes) -> Curve:
    size = max(1, count // STEPS)
    steps: list[Step] = []
    while _noted(folder, "holding") < WORKERS and process.poll() is None:
        done = _noted(folder, "done")
        processes.look()
        if done >= (steps[-1].tests + size if steps else 0):
            steps.append(processes.step(done))
        time.sleep(POLL_SECONDS)
    processes.look()
    steps[-1] = processes.step(count) if steps[-1].tests + size > count else steps[-1]
    time.sleep(SETTLE_SECONDS)
    processes.look()
    before, began = processes.server(), time.perf_counter()
    time.sleep(IDLE_SECONDS)
    processes.look()
    return Curve(steps, 100 * (processes.server() - before) / (time.perf_counter() - began))


def _noted(folder: Path, name: str) -> int:
    path = folder / name
    return path.stat().st_size if path.exists() else 0


def measure(executable: Path, count: int) -> tuple[Curve, Curve]:
    """The curve of the plugin and of one `start_local` for each worker."""
    ours = run(PLUGIN.format(count=count), count)
    stock = run(today("session", count, executable), count, after="environment")
    return ours, stock


def render(ours: Curve, stock: Curve) -> str:
    """A Markdown table of both curves."""
    lines = ["| tests | ours: CPU of a test (of it server) | stock | ours: largest server | all servers | stock: all |"]
    lines.append("|" + "---|" * 6)
    columns = (ours.both(), ours.server(), stock.both(), stock.server())
    for number, (both, server, stock_both, stock_server) in enumerate(zip(*columns, strict=False), start=1):
        mine, other = ours.steps[number], stock.steps[number]
        cells = [f"up to {mine.tests}", f"{both:.0f} ms ({server:.0f})", f"{stock_both:.0f} ms ({stock_server:.0f})"]
        cells += [f"{mine.largest:.0f} MiB", f"{mine.memory:.0f} MiB", f"{other.memory:.0f} MiB"]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def plot(ours: Curve, stock: Curve) -> str:
    """Both curves as SVG."""
    cpu = {name: list(zip(_ends(curve), curve.both(), strict=True)) for name, curve in _named(ours, stock)}
    memory = {
        name: [(step.tests, step.memory) for step in curve.steps[1:]] for name, curve in _named(ours, stock)
    }  # fmt: skip
    return svg({"CPU of a test, server and client (ms)": cpu, "memory of all servers (MiB)": memory}, "tests")


def _named(ours: Curve, stock: Curve) -> list[tuple[str, Curve]]:
    return [("temporaltest", ours), ("start_local", stock)]


def _ends(curve: Curve) -> list[int]:
    return [step.tests for step in curve.steps[1:]]


def rows(ours: Curve, stock: Curve) -> Iterator[Row]:
    """The aims."""
    both, server = ours.both(), ours.server()
    largest = max(step.largest for step in ours.steps)
    against = "start_local per worker"
    early = both[min(1, len(both) - 1)]  # not the very first: it includes the start of pytest and of the server
    last = f"CPU of a test, the last {ours.steps[-1].tests - ours.steps[-2].tests}"
    yield Row(last, both[-1:], [early], "the second part", at_most=1.2, unit="ms")
    yield Row("CPU of a test, all", both, stock.both(), against, at_most=1, unit="ms")
    yield Row("server CPU of a test, all", server, stock.server(), against, at_most=1, unit="ms")
    yield Row("memory of the largest server", [largest], [500], "500 MiB", at_most=1, unit="MiB")
    most, stock_most = (max(step.memory for step in curve.steps) for curve in (ours, stock))
    yield Row("memory of all servers, at most", [most], [500], "500 MiB", at_most=1, unit="MiB")
    yield Row("memory of all servers, at most", [most], [stock_most], against, at_most=1, unit="MiB")
    yield Row("CPU of idle servers at the end", [ours.idle], [5], "5 % of a core", at_most=1, unit="%")
    yield Row("CPU of idle servers at the end", [ours.idle], [stock.idle], against, at_most=1, unit="%")
