"""The page of the dashboard, without a browser."""

from __future__ import annotations

import threading
from pathlib import Path

import httpx
import pytest

from devserver.cluster.folder import ClusterFolder
from devserver.dashboard import Dashboard
from devserver.system.paths import Paths
from tests.helpers.waiting import LIMIT


def test_a_frozen_cluster_holds_up_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While one does not answer, pages load and are kept up to date."""
    asked, thawed = threading.Event(), threading.Event()

    def frozen(paths: Paths) -> list[ClusterFolder]:
        asked.set()
        thawed.wait(LIMIT)
        return []

    monkeypatch.setattr(ClusterFolder, "all", frozen)
    paths = Paths(tmp_path / "cache", tmp_path / "state", tmp_path / "data")
    with Dashboard(paths, port=0) as served, httpx.Client(verify=False, timeout=LIMIT) as client:
        try:
            with client.stream("GET", f"{served.url}events") as events:
                assert asked.wait(LIMIT)
                page = client.get(served.url).text
                assert "No servers yet" in page
                assert "Looking" in page
                assert any("No servers yet" in line for line in events.iter_lines())
        finally:
            thawed.set()
