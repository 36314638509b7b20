"""A real Prometheus, for the generated configuration."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest

from devserver.system.ports import reserve

from .waiting import eventually


class Prometheus:
    """A running Prometheus and its HTTP API."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}/api/v1"

    def ask(self, path: str) -> Any:
        """Return the data of an answer, or None while there is none."""
        try:
            with urllib.request.urlopen(f"{self._url}/{path}", timeout=60) as answer:
                return json.load(answer)["data"]
        except (URLError, ConnectionError, TimeoutError):
            return None

    def targets(self) -> dict[str, str]:
        """Return the health of each job's target, once all were scraped."""
        found = eventually(lambda: self._all_tried(self.ask("targets")))
        return {target["labels"]["job"]: target["health"] for target in found}

    def alerts(self) -> dict[str, tuple[str, str]]:
        """Return health and state of each alert, once all were evaluated."""
        groups = eventually(lambda: self._all_evaluated(self.ask("rules")))
        return {rule["name"]: (rule["health"], rule["state"]) for group in groups for rule in group["rules"]}

    def has(self, metric: str) -> bool:
        """Return whether it has a series of that metric."""
        return bool((self.ask(f"query?query={metric}") or {}).get("result"))

    @staticmethod
    def _all_tried(data: Any) -> list[Any]:
        targets: list[Any] = data["activeTargets"] if data else []
        return targets if all(target["health"] != "unknown" for target in targets) else []

    @staticmethod
    def _all_evaluated(data: Any) -> list[Any]:
        groups: list[Any] = data["groups"] if data else []
        return groups if all(rule["health"] != "unknown" for group in groups for rule in group["rules"]) else []


def promtool(*words: str | Path) -> str:
    """Return the output of promtool; skip the test if it is not installed."""
    tool = shutil.which("promtool")
    if tool is None:
        pytest.skip("promtool is not installed (make system)")
    done = subprocess.run([tool, *map(str, words)], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@contextlib.contextmanager
def prometheus(config: Path, folder: Path) -> Iterator[Prometheus]:
    """Run it with this configuration and its data in `folder`; kill it at the end of the block."""
    tool = shutil.which("prometheus")
    if tool is None:
        pytest.skip("Prometheus is not installed (make system)")
    reserved = reserve("127.0.0.1", 0, "")
    port = reserved.port
    reserved.release()
    words = [tool, f"--config.file={config}", f"--storage.tsdb.path={folder}", f"--web.listen-address=127.0.0.1:{port}"]
    log = folder.with_suffix(".log")
    with log.open("wb") as file, subprocess.Popen(words, stdout=file, stderr=file) as process:
        try:
            yield Prometheus(port)
        finally:
            process.kill()
