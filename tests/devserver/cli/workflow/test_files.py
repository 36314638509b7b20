"""`trace` and `search` of saved histories, without a server."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from tests.conftest import Run
from tests.helpers.histories import HistoryDocument, order


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two workflows and a file that is no history."""
    place = tmp_path / "saved"
    place.mkdir()
    (place / "order.json").write_bytes(order().data)
    (place / "late.json.gz").write_bytes(gzip.compress(HistoryDocument("late-1", "Late", number=2).data))
    (place / "package.json").write_text('{"name": "shop"}')
    return place


def test_trace_draws_a_file(devserver: Run, folder: Path) -> None:
    """The tree of a file is that of a server, as text, as JSON, as a page, as spans and from standard input."""
    file = str(folder / "order.json")
    shown = devserver("trace", file)
    assert shown.returncode == 0, shown.stderr
    for text in ("Order order-1, completed in 1m", "charge, failed", "CardDeclined: no funds", "timer 1m", "ship"):
        assert text in shown.stdout
    assert devserver("trace", "-", answer=order().data.decode()).stdout == shown.stdout
    document = json.loads(devserver("trace", file, "--json").stdout)
    assert document["address"] is None
    assert [step["name"] for step in document["runs"][0]["steps"]] == ["charge", "", "ship"]
    page = folder / "page.html"
    assert devserver("trace", file, "--html", str(page)).returncode == 0
    assert "CardDeclined" in page.read_text()
    assert "activity charge, 20 ms: CardDeclined: no funds" in devserver("trace", file, "--otlp", "-").stdout


def test_trace_of_a_folder_shows_each_workflow(devserver: Run, folder: Path) -> None:
    """All workflows of a folder are shown, the oldest first; an open one by its last event; skipped files are named."""
    shown = devserver("trace", str(folder))
    assert shown.returncode == 0, shown.stderr
    assert "Order order-1" in shown.stdout
    assert "Late late-1, running for 0 ms" in shown.stdout
    assert f"skipped: {folder / 'package.json'} has no events" in shown.stderr
    one = devserver("trace", "--file", str(folder), "late-1", "--json")
    assert json.loads(one.stdout)["workflow_id"] == "late-1"
    both = devserver("trace", str(folder), "--json")
    assert both.returncode == 2
    assert "there are 2 workflows" in both.stderr


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["missing.json"], "there is no file missing.json"),
        (["--file", "missing/order"], "cannot read missing/order: No such file or directory"),
        (["package.json"], "package.json has no events"),
        (["order.json", "--follow"], "--follow needs a server"),
        (["--file", "order.json", "other"], "there is no workflow other"),
        ([], "Missing argument 'WORKFLOW_ID'"),
    ],
)
def test_what_cannot_be_traced_is_said(devserver: Run, folder: Path, words: list[str], text: str) -> None:
    """A name that is no file, a file that is no history, an option that needs a server: one sentence."""
    done = devserver("trace", *(str(folder / word) if (folder / word).is_file() else word for word in words))
    assert done.returncode in (2, 4)
    assert text in done.stderr


def test_search_looks_into_files(devserver: Run, folder: Path) -> None:
    """The conditions of a search apply to files as they do to a server."""
    found = devserver("search", "--file", str(folder), "--failure", "funds", "--json")
    hits = [json.loads(line) for line in found.stdout.splitlines()]
    assert [(hit["workflow_id"], hit["name"], hit["state"]) for hit in hits] == [("order-1", "charge", "failed")]
    assert "order-1" in devserver("search", "--file", str(folder), "--type", "O*").stdout
    assert devserver("search", "--file", str(folder), "--type", "O*", "--open").returncode == 1
    assert devserver("search", "--file", str(folder), "--status", "running").stdout.count("late-1") == 1
    assert devserver("search", "--file", str(folder), "--type", "Late", "--longer", "1s").returncode == 1
    refused = devserver("search", "--file", str(folder), "--query", "CustomerId = 'ann'")
    assert refused.returncode == 2
    assert "files have no list filter" in refused.stderr
