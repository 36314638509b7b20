"""The Web UI in a real browser."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
from temporalio.client import Client

from devserver import DevServer
from devserver.executables.models import Executable
from tests.helpers.checkout import ROOT

from ..conftest import Run
from ..helpers.browser import CHROMIUM, OPTIONS

DUMP = ("--virtual-time-budget=15000", "--dump-dom")
HELLO = ROOT / "examples" / "hello.py"


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: make system installs Debian's")
def test_a_workflow_is_in_the_ui_after_a_restart(devserver: Run, installed: Executable, tmp_path: Path) -> None:
    """After the server was stopped and started, the Web UI still shows the hello world workflow and its result."""
    try:
        assert devserver("up", "-d", "--port", "0").returncode == 0
        environ = os.environ | {"TEMPORAL_ADDRESS": DevServer.attach().address}
        # The SDK may abort at interpreter exit after all work is done, so it is judged by what it printed.
        done = subprocess.run([sys.executable, str(HELLO)], env=environ, capture_output=True, text=True, check=False)
        assert done.stdout.startswith("Hello, Ada"), done.stderr
        workflow_id = done.stdout.strip().rpartition("(")[2].rstrip(")")
        assert devserver("down").returncode == 0
        assert devserver("up", "-d", "--port", "0").returncode == 0
        server = DevServer.attach()
        run_id = asyncio.run(_run_id(server.address, workflow_id))
        page = f"{server.ui_url}/namespaces/default/workflows/{workflow_id}/{run_id}/history"
        shown = subprocess.run(
            [CHROMIUM or "", *OPTIONS, *DUMP, f"--user-data-dir={tmp_path / 'chromium'}", page],
            capture_output=True,
            text=True,
            timeout=240,
            check=True,
        ).stdout
    finally:
        devserver("down")
    assert workflow_id in shown
    assert "Hello, Ada" in shown
    assert "Workflow Execution Completed" in shown


async def _run_id(address: str, workflow_id: str) -> str:
    client = await Client.connect(address)
    found = await client.get_workflow_handle(workflow_id).describe()
    return found.run_id
