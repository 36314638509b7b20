"""`devserver trace --otlp`: a workflow's spans, exported or shown."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import Run, command
from tests.devserver.otel import work
from tests.devserver.otel.test_histories import ended, worker
from tests.helpers.collector import Collector
from tests.helpers.shared_server import SharedServer
from tests.helpers.worker_run import running


@pytest.mark.asyncio
async def test_export_and_show(devserver: Run, server: SharedServer, otlp: Collector) -> None:
    """The output names the trace id; `-` prints the spans as a tree, or as JSON lines with the same ids."""
    client = await server.connect()
    async with worker(client):
        await ended(client, "tree", fail=True)

    def trace(*args: str) -> str:
        done = devserver("trace", "tree", *server.words, *args)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    output = trace("--otlp", otlp.url)
    trace_id = otlp.named("workflow Tree")[0].trace_id.hex()
    assert output == f"sent {len(otlp.spans)} spans of trace {trace_id} to {otlp.url}\n"
    shown = trace("--otlp", "-").splitlines()
    assert shown[0] == f"trace {trace_id}"
    assert {line.split()[0] for line in shown[1:]} == {span.span_id.hex() for span in otlp.spans}
    assert any(line.endswith(": CardDeclined: card declined") for line in shown)
    lines = [json.loads(line) for line in trace("--otlp", "-", "--json").splitlines()]
    assert {line["span_id"] for line in lines} == {span.span_id.hex() for span in otlp.spans}
    assert json.loads(trace("--otlp", otlp.url, "--json"))["trace_id"] == trace_id


@pytest.mark.asyncio
async def test_opentelemetry_variables(devserver: Run, server: SharedServer, otlp: Collector) -> None:
    """Headers, compression, service name and path come from OpenTelemetry's variables; a password in the URL is sent
    and not shown."""
    client = await server.connect()
    await client.start_workflow("Tree", id="waits", task_queue="nowhere")
    variables = {
        "OTEL_EXPORTER_OTLP_HEADERS": "api-key=secret",
        "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
        "OTEL_SERVICE_NAME": "orders",
        "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment=test",
    }
    url = otlp.url.replace("//", "//ann:pass@")
    done = devserver("trace", "waits", *server.words, "--otlp", url, "--otlp-open", env=variables)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith(f" to {otlp.url}\n")
    assert otlp.services == ["orders"]
    (headers,) = otlp.headers
    assert (headers["api-key"], headers["content-encoding"]) == ("secret", "gzip")
    assert headers["authorization"].startswith("Basic ")


def test_run_exports_closed_workflows(
    devserver: Run, server: SharedServer, otlp: Collector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With `devserver run --otlp URL` the worker exports closed workflows; an invalid URL is an error before the
    start, and a refusal of the collector is a line of output."""
    shutil.copy(work.__file__, tmp_path / "work.py")
    monkeypatch.chdir(tmp_path)
    where = server.words
    with running("work.py", *where, "--otlp", otlp.url.replace("//", "//ann:pass@")) as run:
        assert f"  spans       {otlp.url}" in run.lines
        assert devserver("workflow", "start", "work.py:Leaf", "--more", "1", *where).returncode == 0
        otlp.wait_for("workflow Leaf")
        otlp.answer = 403
        assert (
            devserver("workflow", "start", "work.py:Leaf", "--more", "0", "--workflow-id", "unseen", *where).returncode
            == 0
        )
        run.until("the spans of unseen .* are not sent: the collector at")
        assert run.end() == 130
    assert len(otlp.named("run Leaf")) == 2
    done = devserver("run", "work.py", "--otlp", "localhost")
    assert (done.returncode, "localhost is not an OTLP endpoint" in done.stderr) == (2, True)


def test_invalid_input(devserver: Run, server: SharedServer, otlp: Collector) -> None:
    """A missing URL, an unreachable collector, incompatible options and an unknown workflow are errors."""
    where = server.words

    def refused(workflow_id: str, *args: str) -> tuple[int, str]:
        done = devserver("trace", workflow_id, *where, *args)
        return done.returncode, done.stderr

    assert refused("w", "--otlp", "localhost:4318") == (
        2,
        "error: localhost:4318 is not an OTLP endpoint\nhint: write a URL such as http://127.0.0.1:4318\n",
    )
    assert refused("w", "--otlp", otlp.url, "--follow")[0] == 2
    code, message = refused("w", "--otlp", otlp.url)
    assert (code, f"there is no workflow w in the namespace {server.namespace}" in message) == (4, True)


def test_missing_extra(server: SharedServer) -> None:
    """The error is one line with the pip command, without a traceback."""
    hide = "import sys; sys.modules['opentelemetry.exporter.otlp.proto.http.trace_exporter'] = None; "
    run = "from devserver.cli.main import main; main(sys.argv[1:])"
    words = ["trace", "w", *server.words, "--otlp", "http://127.0.0.1:9"]
    python = command()[0]
    done = subprocess.run(
        [python, "-c", hide + run, *words],
        capture_output=True,
        text=True,
        env=os.environ.copy(),
        check=False,
        timeout=180,
    )
    assert done.returncode == 1
    assert "pip install 'temporal-devserver[otel]'" in done.stderr
    assert "Traceback" not in done.stderr
