"""Workers of four SDKs on one server, and what they have done there: built with the tools of this machine."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client

from devserver.system.paths import HOME_VARIABLE
from examples.sdks.demo import approve_order, start_order, workers
from examples.sdks.workers import HERE, SDKS, Sdk, build
from tests.devserver.database.servers import WAL, running
from tests.helpers.checkout import ROOT

from .official import OfficialCli

WANTED = "DEVSERVER_TEST_SDKS"
LIMIT = 900.0
NAMES = ("python", "typescript", "go", "java")


@dataclass(frozen=True)
class FourSdks:
    """A server with an order of each SDK that is closed and one that is open, and others that are blocked.

    Attributes:
        sdks: Those whose tools are on this machine.
        cli: The official CLI.
        home: The folder of devserver.
    """

    sdks: Sequence[str]
    cli: OfficialCli
    home: Path

    def devserver(self, *words: str, status: int = 0) -> str:
        """What a devserver command prints."""
        environment = {**os.environ, HOME_VARIABLE: str(self.home), "COLUMNS": "200"}
        command = [sys.executable, "-m", "devserver", *words]
        if "--file" not in words:
            command += ["--address", self.cli.address]
        done = subprocess.run(
            command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT, check=False
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout

    def lines(self, *words: str, status: int = 0) -> list[dict[str, Any]]:
        """The objects that a devserver command prints, one in a line."""
        return [json.loads(line) for line in self.devserver(*words, "--json", status=status).splitlines()]


@pytest.fixture(scope="session")
def four_sdks(real_binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FourSdks]:
    """The server with its workers; the tests share it."""
    if not os.environ.get(WANTED):
        pytest.skip(f"builds workers with npm, go and mvn: make test-sdks (or {WANTED}=1)")
    sdks = [sdk for sdk in SDKS if not sdk.missing]
    folder = ROOT / ".sdks"
    for sdk in sdks:
        build(sdk, folder)
    home = tmp_path_factory.mktemp("home")
    database = tmp_path_factory.mktemp("server") / "temporal.db"
    with (
        running(real_binary, database, *WAL, "--search-attribute", "Shop=Keyword") as server,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv(HOME_VARIABLE, str(home))
        with workers(sdks, folder, server.address):
            asyncio.run(asyncio.wait_for(_run(sdks, server.address), LIMIT))
            yield FourSdks([sdk.name for sdk in sdks], OfficialCli(real_binary, server.address), home)


@pytest.fixture(params=NAMES)
def sdk(request: pytest.FixtureRequest, four_sdks: FourSdks) -> str:
    """Each SDK whose tools are here."""
    name = str(request.param)
    if name not in four_sdks.sdks:
        (missing,) = [sdk.missing for sdk in SDKS if sdk.name == name]
        pytest.skip(f"this machine has no {' and no '.join(missing)}")
    return name


async def _run(sdks: Sequence[Sdk], address: str) -> None:
    client = await Client.connect(address)
    await asyncio.gather(*(_orders(client, sdk) for sdk in sdks))


async def _orders(client: Client, sdk: Sdk) -> None:
    await approve_order(await start_order(client, sdk, f"{sdk.name}-order"))
    await start_order(client, sdk, f"{sdk.name}-open")
    for kind in ("Packing", "Broken"):
        await client.start_workflow(kind, "tea", id=f"{sdk.name}-{kind.lower()}", task_queue=sdk.name)
    packing = client.get_workflow_handle(f"{sdk.name}-packing")
    broken = client.get_workflow_handle(f"{sdk.name}-broken")
    while not [
        activity
        for activity in (await packing.describe()).raw_description.pending_activities
        if activity.heartbeat_details.payloads
    ]:
        await asyncio.sleep(0.1)
    while (await broken.describe()).raw_description.pending_workflow_task.attempt < 2:
        await asyncio.sleep(0.1)


def line_of(sdk: str, text: str) -> int:
    """The line of the workflow's code that has this text."""
    (file,) = [
        file
        for name in ("orders.py", "workflows.ts", "main.go", "Orders.java")
        for file in (HERE / sdk).rglob(name)
        if "node_modules" not in file.parts
    ]
    (number,) = [number for number, line in enumerate(file.read_text().splitlines(), 1) if text in line]
    return number
