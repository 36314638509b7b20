"""Large payloads in the real Web UI."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

import pytest
from temporalio.client import Client

from devserver import DevServer
from devserver.executables.models import Executable
from devserver.payloads import BlobFolder, LargePayloads
from devserver.payloads.codec_server import CodecServer

from ..helpers.browser import CHROMIUM, OPTIONS

DUMP = ("--virtual-time-budget=15000", "--dump-dom")


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: make system installs Debian's")
def test_the_web_ui_shows_large_payloads(installed: Executable, tmp_path: Path) -> None:
    """A payload is shown completely if it is small enough, otherwise its beginning and size with a download button."""
    origins: list[str] = []
    with (
        CodecServer(BlobFolder(tmp_path / "payloads"), origins=lambda: origins, max_shown="400KB") as codec,
        DevServer.start(ephemeral=True, ui=True, ui_codec_endpoint=codec.url) as server,
    ):
        origins.append(server.ui_url or "")
        run_id = asyncio.run(_run(server.address, tmp_path / "payloads"))
        page = f"{server.ui_url}/namespaces/default/workflows/shown/{run_id}/history"
        words = [CHROMIUM or "", *OPTIONS, *DUMP, f"--user-data-dir={tmp_path / 'chromium'}", page]
        shown = subprocess.run(words, capture_output=True, text=True, timeout=240, check=True).stdout
    assert "all-of-it" in shown
    assert "begins" in shown
    assert "the-beginning" in shown
    assert "the-end" not in shown
    assert "604.1 kB" in shown  # as our codec server formats it
    assert "589.9 KB" in shown  # on the Web UI's button


async def _run(address: str, folder: Path) -> str:
    client = await Client.connect(address, plugins=[LargePayloads(folder)])
    small = ["all-of-it", "x" * 300_000]
    large = ["the-beginning", "x" * 604_000, "the-end"]
    handle = await client.start_workflow("Order", args=[small, large], id="shown", task_queue="nobody")
    await handle.terminate()
    return handle.first_execution_run_id or ""
