"""`devserver payloads`: listing, verifying and pruning payloads, and the codec server."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from temporalio.client import Client

from devserver import DevServer
from devserver.instances.folder import InstanceFolder
from devserver.payloads import LargePayloads
from devserver.system.paths import Paths
from tests.conftest import Run, command

VALUE = {"order": "o-1", "lines": ["line"] * 50_000}


def start(workflow_id: str) -> Path:
    """Start a workflow that no worker runs, with a large argument; return the file of the argument."""

    async def run() -> Path:
        plugin = LargePayloads()
        client = await Client.connect(DevServer.attach().address, plugins=[plugin])
        await client.start_workflow("Order", VALUE, id=workflow_id, task_queue="nobody")
        (file,) = (path for path in plugin.folder.rglob("*") if path.is_file())
        return file

    return asyncio.run(run())


def as_json(done: subprocess.CompletedProcess[str]) -> Any:
    """Return the printed JSON."""
    assert done.stderr == ""
    return json.loads(done.stdout)


def test_list_verify_and_prune(devserver: Run, quick_up: Run) -> None:
    """The list shows the folder and its payloads, verification finds a missing one, and prune keeps payloads in use."""
    quick_up("--no-ui")
    assert devserver("payloads", "list").stdout.startswith("nothing is stored")
    assert as_json(devserver("payloads", "status", "--json"))["payloads"] == 0
    file = start("order-1")
    (listed,) = as_json(devserver("payloads", "list", "--json"))["payloads"]
    assert (listed["sha256"], listed["encoding"], listed["path"]) == (file.name, "json/plain", str(file))
    assert f"{file.name[:12]}  " in devserver("payloads", "list", env={"COLUMNS": "40"}).stdout
    status = devserver("payloads", "status", env={"PYTHONIOENCODING": "ascii"})
    assert "stores  1 payload, 350.1 kB" in status.stdout

    checked = devserver("payloads", "check")
    assert checked.returncode == 0, checked.stderr
    assert checked.stdout == "1 run refers to 1 payload\nthe folder stores 1 payload\nno problems found\n"
    os.utime(file, (0, 0))
    pruned = as_json(devserver("payloads", "prune", "--json"))
    assert (pruned["removed"], pruned["kept_used"]) == ([], 1)

    whole = file.read_bytes()
    file.write_bytes(whole[:-1] + b"X")
    assert devserver("payloads", "check", "--offline").returncode == 1
    wrong = devserver("payloads", "status", "--folder", str(file))
    assert (wrong.returncode, f"cannot read the payload folder {file}: Not a directory" in wrong.stderr) == (1, True)
    file.unlink()
    gone = devserver("payloads", "check")
    assert gone.returncode == 1
    assert f"the payload {file.name[:12]} (350.1 kB) is missing" in gone.stdout
    assert "needed by workflow order-1 in default" in gone.stdout
    assert gone.stdout.endswith("\n1 payload missing or corrupt\n")
    assert as_json(devserver("payloads", "check", "--json"))["problems"][0]["problem"] == "PayloadMissing"


def test_serve_refuses_what_is_no_origin(devserver: Run) -> None:
    """Wrong usage, with an example; it does not serve."""
    for origin in ("*", "http://127.0.0.1:8233/namespaces"):
        done = devserver("payloads", "serve", "--port", "0", "--origin", origin)
        assert done.returncode == 2
        assert f"--origin: '{origin}' is not the origin of a page" in done.stderr
        assert "for example --origin http://127.0.0.1:8233" in done.stderr


def test_prune_removes_only_after_confirmation(devserver: Run, quick_up: Run) -> None:
    """Prune removes what the server does not need. Payloads of a deleted server are removed by name, after a
    question, and not while a snapshot needs them."""
    quick_up("--no-ui")
    file = start("order-1")
    os.utime(file, (0, 0))
    devserver("snapshot", "save", "before")
    devserver("down")
    refused = devserver("payloads", "prune")
    assert refused.returncode == 4
    assert file.exists()
    quick_up("--no-ui")  # another server, without the first one's runs
    assert "removed 0 payloads" in devserver("payloads", "prune", "--older-than", "0s").stdout
    server = file.parent.parent.name
    refused = devserver("payloads", "prune", "--forget", server, "--yes")
    assert (refused.returncode, "still exists: snapshot before of" in refused.stderr) == (2, True)
    devserver("snapshot", "delete", "before")
    assert "would remove 1 payload" in devserver("payloads", "prune", "--forget", server, "--dry-run").stdout
    for answer, code in (("n\n", 1), ("", 2)):
        asked = devserver("payloads", "prune", "--forget", server, "--json", answer=answer)
        assert (asked.returncode, asked.stdout) == (code, "")
    assert file.exists()
    assert "removed 1 payload" in devserver("payloads", "prune", "--forget", server, "--yes").stdout
    assert not file.exists()
    assert devserver("payloads", "prune", "--forget", server, "--yes").returncode == 2
    assert devserver("payloads", "prune", "--older-than", "soon").returncode == 2


def test_payloads_of_an_ephemeral_server_are_removed_with_it(devserver: Run, quick_up: Run) -> None:
    """They are removed when the server stops, or by the next command after it was killed."""
    quick_up("--no-ui")
    file = start("order-1")
    devserver("down")
    assert not file.parent.parent.exists()
    quick_up("--no-ui")
    file = start("order-2")
    record = InstanceFolder(Paths.default(), "default").read_record()
    assert record is not None
    record.supervisor.kill()
    assert record.supervisor.wait_gone(10)
    assert file.exists()
    devserver("list")
    assert not file.parent.parent.exists()


@contextmanager
def serving(*args: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run a codec server in its own process; return its address."""
    words = command("payloads", "serve", *args)
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            banner = process.stdout.readline() + process.stdout.readline()
            found = re.search(r"http://127\.0\.0\.1:\d+", banner)
            assert found, banner
            yield process, found.group()
        finally:
            process.kill()


def test_the_temporal_cli_decodes_payloads(devserver: Run, quick_up: Run) -> None:
    """With the codec server, `temporal workflow show` prints the argument itself; Ctrl-C exits with 130."""
    quick_up("--no-ui")
    start("order-1")
    with serving("--port", "0") as (process, url):
        show = ("temporal", "--", "workflow", "show", "-w", "order-1", "-o", "json", "--codec-endpoint", url)
        event = json.loads(devserver(*show).stdout)["events"][0]
        (payload,) = event["workflowExecutionStartedEventAttributes"]["input"]["payloads"]
        assert json.loads(base64.b64decode(payload["data"])) == VALUE
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130


def test_the_codec_server_allows_the_user_s_web_uis(devserver: Run, quick_up: Run) -> None:
    """Your own Web UIs are allowed by default, others by option. SIGTERM exits with 0, and a port in use is an
    error."""
    quick_up()
    ui = DevServer.attach().ui_url
    with serving("--port", "0", "--origin", "https://ui.example") as (process, url):
        for origin, status in ((ui, 200), ("https://ui.example", 200), ("https://evil.example", 403)):
            assert (
                httpx.post(f"{url}/decode", json={"payloads": []}, headers={"Origin": origin or ""}).status_code
                == status
            )
        assert devserver("payloads", "serve", "--port", "70000").returncode == 2
        taken = devserver("payloads", "serve", "--port", url.rpartition(":")[2])
        assert taken.returncode == 1
        assert "cannot listen on 127.0.0.1" in taken.stderr
        process.terminate()
        assert process.wait(10) == 0
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", int(url.rpartition(":")[2])))
