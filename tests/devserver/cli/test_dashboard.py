"""`devserver dashboard`: how it starts, ends and refuses. What the page does is in tests/browser."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from collections.abc import Iterator

import httpx
import pytest

from tests.conftest import Run, command
from tests.helpers.json_schemas import check_document
from tests.helpers.waiting import LIMIT


@pytest.fixture
def dashboard(home: object) -> Iterator[subprocess.Popen[str]]:
    """A dashboard that is serving, read-only."""
    words = command("dashboard", "--port", "0", "--no-open", "--json")
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    yield process
    process.kill()
    process.communicate()


def url_of(process: subprocess.Popen[str]) -> str:
    """The address that it prints."""
    assert process.stdout is not None
    document = ""
    while "}" not in document:
        document += process.stdout.readline()
    found = json.loads(document)
    check_document("dashboard", found)
    assert found["write"] is False
    return str(found["url"])


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0), (signal.SIGHUP, 0)])
def test_it_serves_until_a_signal(dashboard: subprocess.Popen[str], number: int, code: int) -> None:
    """It answers until it is ended, by whatever signal, without a traceback."""
    with httpx.Client(verify=False, timeout=LIMIT) as client:
        url = url_of(dashboard)
        page = client.get(url)
        assert "No servers yet" in page.text
        token = re.findall(r'devserver-token" content="([^"]+)', page.text)[0]
        headers = {"X-Devserver-Token": token}
        assert client.post(f"{url}actions/up", json={"name": "x"}, headers=headers).status_code == 404  # read-only
        assert client.get(url, headers={"Host": "evil.example"}).status_code == 403
    dashboard.send_signal(number)
    _, errors = dashboard.communicate(timeout=LIMIT)
    assert dashboard.returncode == code, errors
    assert "Traceback" not in errors


def test_a_taken_port_is_an_error_with_its_owner(dashboard: subprocess.Popen[str], devserver: Run) -> None:
    """The message names the port, the process that has it, and the option."""
    port = url_of(dashboard).rstrip("/").rpartition(":")[2]
    done = devserver("dashboard", "--port", port, "--no-open")
    assert done.returncode == 1
    assert f"127.0.0.1:{port}" in done.stderr
    assert "--port" in done.stderr
