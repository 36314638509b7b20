"""`devserver observe`: real monitoring tools accept the generated configuration and collect its metrics."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from devserver.metrics.config.datadog import NAMES_FILE
from tests.conftest import Run
from tests.helpers.checkout import ROOT
from tests.helpers.measured import SUFFIXES, Worked, measured
from tests.helpers.prometheus import prometheus, promtool
from tests.helpers.waiting import eventually

from .conftest import StatusOf


@pytest.fixture
def worked(quick_up: Run, status_of: StatusOf) -> Iterator[Worked]:
    """A worker whose metrics have unit suffixes, on its own server."""
    quick_up()
    with measured(status_of()["address"], spelling=SUFFIXES) as worked:
        yield worked


def test_prometheus_scrapes_and_alerts(worked: Worked, devserver: Run, tmp_path: Path) -> None:
    """promtool accepts the files, and a real Prometheus scrapes both targets and evaluates every rule; the alert on
    failing activities fires."""
    done = devserver("observe", "prometheus", "--worker", worked.address, "--output-dir", "prom")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("wrote prom/prometheus.yml\nwrote prom/temporal-rules.yml\nthe alerts use 11")
    folder = tmp_path / "prom"
    assert "SUCCESS: 10 rules found" in promtool("check", "config", folder / "prometheus.yml")
    config = folder / "prometheus.yml"
    config.write_text(config.read_text().replace('"5s"', '"200ms"'))  # for a shorter wait
    with prometheus(config, tmp_path / "data") as real:
        assert real.targets() == {"temporal-server": "up", "temporal-worker": "up"}
        assert {health for health, _ in real.alerts().values()} == {"ok"}
        eventually(lambda: real.has("temporal_activity_execution_failed_total"))
        worked.again()
        assert eventually(lambda: real.alerts()["TemporalActivitiesFail"][1] == "pending")
        # On a busy machine a scrape may take longer than the interval, and its series are stale until the next one.
        eventually(lambda: real.has("temporal_workflow_task_schedule_to_start_latency_seconds_bucket"))
        eventually(lambda: real.has("service_requests"))


def test_datadog_agent_collects_reported_metrics(worked: Worked, devserver: Run, tmp_path: Path) -> None:
    """The Datadog Agent's own check accepts the files, and collects exactly the metrics that were reported."""
    found = json.loads(
        devserver("observe", "datadog", "--worker", worked.address, "--output-dir", "conf.d", "--json").stdout
    )
    assert [file["path"] for file in found["files"]] == [
        "conf.d/temporal.d/conf.yaml",
        "conf.d/openmetrics.d/conf.yaml",
    ]
    words = [sys.executable, "-m", "tests.helpers.datadog_agent", str(tmp_path / "conf.d"), str(NAMES_FILE)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr
    sent = json.loads(done.stdout)
    (coverage,) = found["coverage"]
    config = yaml.safe_load((tmp_path / "conf.d/temporal.d/conf.yaml").read_text())
    (more,) = config["instances"][0]["extra_metrics"]
    collected = {*coverage["exposed"], *(more[name] for name in coverage["added"])}
    prefix = "temporal.server."
    base = {name.removeprefix(prefix) for name in sent["temporal.d"]}
    assert {name for name in collected if not {name, f"{name}.count"} & base} == set()
    parts = {f"{name}{part}" for name in collected for part in ("", ".count", ".sum", ".bucket")}
    assert base - parts == set()
    assert len(coverage["exposed"]) > 100
    assert {"temporal.sdk.request.count", "temporal.sdk.worker_task_slots_available"} <= set(sent["openmetrics.d"])


def test_output_can_be_piped(quick_up: Run, devserver: Run) -> None:
    """Without a folder the main file is printed on stdout, and notes on the endpoint on stderr."""
    quick_up()
    done = devserver("observe", "prometheus")
    assert (done.returncode, done.stderr) == (0, "")
    config = yaml.safe_load(done.stdout)
    assert ("rule_files" in config, [job["job_name"] for job in config["scrape_configs"]]) == (
        False,
        ["temporal-server"],
    )
    done = devserver("observe", "datadog")
    assert yaml.safe_load(done.stdout)["instances"][0]["extra_metrics"][0]["activity_fail"] == "activity.fail"
    assert "the integration collects " in done.stderr


def test_metrics_that_the_server_does_not_have_yet(quick_up: Run, devserver: Run, tmp_path: Path) -> None:
    """A new server has no failure metrics: the output names the missing metrics that alerts need."""
    quick_up()
    done = devserver("observe", "prometheus", "--output-dir", "prom")
    assert done.returncode == 0
    assert "not recorded yet: " in done.stdout
    assert "failed_workflow_tasks" in done.stdout
    config = tmp_path / "prom" / "prometheus.yml"
    config.write_text("# mine\n")
    done = devserver("observe", "prometheus", "--output-dir", "prom")
    assert (done.returncode, done.stdout, config.read_text()) == (1, "", "# mine\n")
    assert done.stderr.startswith("error: prom/prometheus.yml exists with other content")
    assert devserver("observe", "prometheus", "--output-dir", "prom", "--force").returncode == 0
    assert config.read_text().startswith("# written by devserver observe prometheus\n")


@pytest.mark.parametrize(
    ("args", "code", "error"),
    [
        (["prometheus"], 4, "error: there is no instance default"),
        (["datadog", "--server", "1"], 4, "error: cannot read the metrics at http://127.0.0.1:1/metrics"),
        (["datadog", "--server", "nix"], 2, "error: --server nix is not the address of a metrics endpoint"),
        (["grafana"], 2, "Usage: "),
    ],
)
def test_unreachable_server(devserver: Run, args: list[str], code: int, error: str) -> None:
    """No configuration is written for a server that does not answer."""
    done = devserver("observe", *args)
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.startswith(error)
