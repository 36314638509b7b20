"""Inspection: a trace of a long history and a search over many, compared with the official CLI on the same server."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from temporalio.client import Client

from devserver import DevServer

from .histories import make_history
from .table import Row

LONG = 50_000
TRACED = "long"
# Namespace -> runs, events of each, rounds of activities in each: the same number of events, cut in two ways.
SEARCHED = {"short-runs": (1000, 100, 1), "long-runs": (10, 10_000, 100)}
NEEDLE = "card_declined 402"
MADE_AT_ONCE = 4
KIB_IN_MIB = 1024
# Starts a command from a small process: what a fork of this one has in memory would count as the command's peak.
LAUNCHER = """
import os, sys, time
begin = time.perf_counter()
child = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ)
_, status, usage = os.wait4(child, 0)
open(sys.argv[1], "w").write(f"{time.perf_counter() - begin} {usage.ru_maxrss}")
sys.exit(os.waitstatus_to_exitcode(status))
"""


@dataclass
class Taken:
    """Seconds and peak memory (MiB) of each repetition of a command."""

    seconds: list[float] = field(default_factory=list)
    peaks: list[float] = field(default_factory=list)

    def add(self, words: Sequence[str], status: int = 0) -> str:
        """Run it once more, which exits with this status, and return its output."""
        with tempfile.NamedTemporaryFile("r") as taken:
            launcher = [sys.executable, "-S", "-E", "-c", LAUNCHER, taken.name]
            done = subprocess.run([*launcher, *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            assert done.returncode == status, words
            seconds, peak = taken.read().split()
        self.seconds.append(float(seconds))
        self.peaks.append(float(peak) / KIB_IN_MIB)
        return done.stdout


def measure(executable: Path, devserver: str, repeat: int) -> Iterator[Row]:
    """The rows of traces, then those of searches."""
    with DevServer.start(binary=executable, ui=False, namespaces=("default", *SEARCHED)) as server:
        asyncio.run(_prepare(server.address))
        yield from _traces(str(executable), devserver, server.address, repeat)
        for namespace in SEARCHED:
            yield from _searches(str(executable), devserver, server.address, namespace, repeat)


def _traces(executable: str, devserver: str, address: str, repeat: int) -> Iterator[Row]:
    ours, trace, show = Taken(), Taken(), Taken()
    for _ in range(repeat):
        ours.add([devserver, "trace", TRACED, "--address", address])
        trace.add([executable, "workflow", "trace", "--workflow-id", TRACED, "--address", address])
        show.add([executable, "workflow", "show", "--workflow-id", TRACED, "--address", address])
    what = f"trace of {LONG:,} events"
    for stock, name in ((trace, "workflow trace"), (show, "workflow show")):
        yield Row(what, ours.seconds, stock.seconds, name, aim=1)
        yield Row(f"{what}: peak memory", ours.peaks, stock.peaks, name, at_most=2, unit="MiB")
    yield Row(what, ours.seconds, [5.0] * repeat, "5 s", at_most=1)


def _searches(executable: str, devserver: str, address: str, namespace: str, repeat: int) -> Iterator[Row]:
    first, second, stock = Taken(), Taken(), Taken()
    words = [devserver, "search", NEEDLE, "--address", address, "--namespace", namespace]
    for _ in range(repeat):
        assert first.add([*words, "--rebuild"]).count("\n") == 1
        assert second.add(words).count("\n") == 1
    by_hand = _by_hand(executable, address, namespace, stock)
    runs, events, _ = SEARCHED[namespace]
    what = f"search over {runs * events:,} events in {runs:,} runs"
    yield Row(f"{what}: the first", first.seconds, [by_hand], "list, show, grep", aim=1)
    yield Row(f"{what}: the second", second.seconds, [by_hand], "list, show, grep", aim=10)
    yield Row(f"{what}: the second", second.seconds, [1.0] * repeat, "1 s", at_most=1)
    yield Row(f"{what}: peak memory", first.peaks, [max(stock.peaks)], "list, show, grep", at_most=3, unit="MiB")


def _by_hand(executable: str, address: str, namespace: str, taken: Taken) -> float:
    """Seconds of the same search with stock tools: list every run, show it, and grep."""
    where = ["--address", address, "--namespace", namespace, "--output", "json"]
    begin = time.perf_counter()
    listed = json.loads(taken.add([executable, "workflow", "list", "--limit", "5000", *where]))
    found = 0
    for run in listed:
        execution = run["execution"]
        ids = ["--workflow-id", execution["workflowId"], "--run-id", execution["runId"]]
        found += NEEDLE in taken.add([executable, "workflow", "show", *ids, *where])
    assert found == 1
    return time.perf_counter() - begin


async def _prepare(address: str) -> None:
    await make_history(await Client.connect(address), TRACED, LONG)
    for namespace, (runs, events, rounds) in SEARCHED.items():
        client = await Client.connect(address, namespace=namespace)
        turns = asyncio.Semaphore(MADE_AT_ONCE)
        await asyncio.gather(*(_made(client, turns, number, events, rounds) for number in range(runs)))
        handle = await client.start_workflow("Declined", id="declined", task_queue="nobody")
        await handle.terminate(reason=NEEDLE)
        while (await client.count_workflows("CloseTime IS NOT NULL")).count < runs + 1:
            await asyncio.sleep(0.1)


async def _made(client: Client, turns: asyncio.Semaphore, number: int, events: int, rounds: int) -> None:
    async with turns:
        await make_history(client, f"run-{number}", events, rounds=rounds)
