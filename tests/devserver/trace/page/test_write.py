"""The file of `devserver trace --html`: complete or unchanged, on any disk and with any payload."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.client import Client
from temporalio.common import RawValue, WorkflowIDConflictPolicy
from temporalio.testing import TimeSkipper

from devserver import DevServer
from devserver.executables.models import Executable
from devserver.history import HistoryReader
from devserver.trace import TraceOptions
from devserver.trace.page import PageNotWritten, write_page
from tests.helpers.trouble import QUEUE, Sleeps, worker

Write = Callable[[Path], int]
ORDER = "Order\x1b[2J\u202ex"
HOSTILE = (b'"</script><b>"', b'"\\ud83d half of a face, \\u202eturned"', b"\xff no text \x00")


@pytest.fixture
def write(installed: Executable) -> Iterator[Write]:
    """Write the page of a workflow with hostile payloads into a file."""
    with DevServer.start(ui=False) as server:

        async def written(file: Path) -> int:
            client = await Client.connect(server.address)
            plain = [RawValue(Payload(metadata={"encoding": b"json/plain"}, data=data)) for data in HOSTILE]
            odd = RawValue(Payload(metadata={"encoding": b"binary/\xff"}, data=b"secret"))
            there = WorkflowIDConflictPolicy.USE_EXISTING
            await client.start_workflow(ORDER, args=[*plain, odd], id="w", task_queue="q", id_conflict_policy=there)
            reader = HistoryReader(client)
            return await write_page(reader, await reader.chain("w"), TraceOptions(), file, where="here")

        yield lambda file: asyncio.run(written(file))


def test_hostile_payloads_are_text(write: Write, tmp_path: Path) -> None:
    """Markup, control characters, lone surrogates, undecodable payloads and the longest file name are handled."""
    folder = tmp_path / "pages"
    folder.mkdir()
    file = folder / ("x" * 250 + ".html")
    assert write(file) == 1
    assert list(folder.iterdir()) == [file]
    shown = file.read_text(encoding="utf-8")
    assert "&lt;/script&gt;&lt;b&gt;" in shown
    assert "? half of a face" in shown
    assert "(encoded: binary/\ufffd, 6 bytes)" in shown
    assert shown.count("</script>") == 1
    assert "Order?[2J?x" in shown
    assert [item for item in shown if item in "\x1b\u202e\r"] == []


def test_an_existing_file_keeps_its_mode_and_its_link(write: Write, tmp_path: Path) -> None:
    """A user who could not read the old page cannot read the new one; a new file has the default mode."""
    page, link = tmp_path / "private" / "page.html", tmp_path / "link.html"
    page.parent.mkdir()
    page.write_text("old")
    page.chmod(0o600)
    link.symlink_to(page)
    write(link)
    assert link.is_symlink()
    assert "<!doctype html>" in page.read_text(encoding="utf-8")
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
    plain, new = tmp_path / "plain", tmp_path / "new.html"
    plain.touch()
    write(new)
    assert new.stat().st_mode == plain.stat().st_mode


def test_a_full_disk_keeps_the_old_page(write: Write, tmp_path: Path) -> None:
    """The error names the file, and no partial file is left; likewise if the folder is missing."""
    with pytest.raises(PageNotWritten, match=r"nowhere/page.html: No such file or directory"):
        write(tmp_path / "nowhere" / "page.html")
    mount = shutil.which("mount")
    if mount is None or os.geteuid() != 0:
        pytest.skip("mounting a disk needs root")
    folder = tmp_path / "small"
    folder.mkdir()
    command = [mount, "-t", "tmpfs", "-o", "size=8k,mode=0700", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mounting is not permitted here")
    try:
        (folder / "page.html").write_text("old")
        with pytest.raises(PageNotWritten, match=r"page.html: No space left on device"):
            write(folder / "page.html")
        assert {path.name: path.read_text() for path in folder.iterdir()} == {"page.html": "old"}
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_page_of_skipped_time(installed: Executable, tmp_path: Path) -> None:
    """A workflow that has skipped three days runs for three days, and its bars cover them."""
    file = tmp_path / "page.html"

    async def story(address: str) -> None:
        client = await Client.connect(address)
        async with worker(client):
            handle = await TimeSkipper(client).client.start_workflow(
                Sleeps.run, 86400.0 * 3, id="skips", task_queue=QUEUE
            )
            while (await handle.describe()).history_length < 10:
                await asyncio.sleep(0.02)
        reader = HistoryReader(client)
        await write_page(reader, await reader.chain("skips"), TraceOptions(), file, where="here")

    with DevServer.start(ui=False) as server:
        asyncio.run(asyncio.wait_for(story(server.address), 30))
    shown = file.read_text(encoding="utf-8")
    assert shown.count("running for 3d") == 3, "in the title, the head, and on the row of the run"
    (left, right) = re.findall(
        r'class="row step completed[^"]*".*?data-l="([\d.]+)" data-r="([\d.]+)"', shown, re.DOTALL
    )[0]
    assert (float(left) < 1, float(right) > 99) == (True, True), "the timer"
