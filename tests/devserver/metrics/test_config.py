"""Configuration with the spellings of the endpoints, and its files."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from devserver.errors import FolderNotWritable
from devserver.metrics import MetricSpelling, parse_endpoint
from devserver.metrics.config import (
    ConfigExists,
    MonitoringConfig,
    ScrapeSource,
    datadog_config,
    prometheus_config,
    write_files,
)
from devserver.metrics.config.files import yaml_text
from tests.helpers.prometheus import promtool

SERVER = parse_endpoint("127.0.0.1:7300", "--server")
WORKER = parse_endpoint("https://worker.example/sdk?part=1", "--worker")


def source(*spellings: MetricSpelling, metric: str = "") -> ScrapeSource:
    """Return a worker with these spellings."""
    return ScrapeSource(
        WORKER, {metric or spelling.name.removesuffix(spelling.suffix): spelling for spelling in spellings}
    )


def late_rule(config: MonitoringConfig) -> str:
    """Return the expression of the alert on waiting tasks."""
    groups = yaml.safe_load(config.files["temporal-rules.yml"])["groups"]
    (found,) = (rule["expr"] for group in groups for rule in group["rules"] if rule["alert"] == "TemporalWorkersLate")
    return str(found)


def test_rules_are_in_the_spelling_of_the_endpoint() -> None:
    """Rules use metric names with or without suffixes, as the endpoint does, and limits in its unit of durations."""
    name = "temporal_workflow_task_schedule_to_start_latency"
    for spelling, written in (
        (MetricSpelling(name, "histogram", "", 0.001), f"({name}_bucket[5m]))) > 5000"),
        (MetricSpelling(f"{name}_seconds", "histogram", "_seconds"), f"({name}_seconds_bucket[5m]))) > 5"),
        (
            MetricSpelling(f"{name}_milliseconds", "histogram", "_milliseconds", 0.001),
            "_milliseconds_bucket[5m]))) > 5000",
        ),
    ):
        config = prometheus_config([ScrapeSource(SERVER, {})], [source(spelling)])
        assert late_rule(config).endswith(written)
        assert [need.name for need in config.needs if need.available] == [spelling.name]


def test_metrics_without_series_are_spelled_like_the_others() -> None:
    """A worker without failures has no counter of failures yet; its other counters show how it will be spelled."""
    counter = MetricSpelling("temporal_request_total", "counter", "_total")
    took = MetricSpelling("temporal_request_latency_seconds", "histogram", "_seconds")
    config = prometheus_config([ScrapeSource(SERVER, {})], [source(counter, took)])
    needs = {need.metric: need for need in config.needs}
    failed = needs["temporal_activity_execution_failed"]
    assert (failed.name, failed.available) == ("temporal_activity_execution_failed_total", False)
    assert late_rule(config).endswith("_latency_seconds_bucket[5m]))) > 5")
    bare = prometheus_config([ScrapeSource(SERVER, {})], [source()])
    assert late_rule(bare).endswith("_latency_bucket[5m]))) > 5000")


def test_different_spellings_are_noted() -> None:
    """Rules use the spelling of the first endpoint, and a note says so."""
    one = source(MetricSpelling("temporal_activity_execution_failed", "counter"))
    other = source(MetricSpelling("temporal_activity_execution_failed_total", "counter", "_total"))
    (note,) = prometheus_config([ScrapeSource(SERVER, {})], [one, other]).notes
    assert note.startswith("endpoints spell temporal_activity_execution_failed differently")


def test_unusual_addresses() -> None:
    """HTTPS, another path and a query are written where Prometheus and the Agent expect them."""
    config = yaml.safe_load(prometheus_config([ScrapeSource(SERVER, {})], [source()]).files["prometheus.yml"])
    (target,) = config["scrape_configs"][1]["static_configs"]
    labels = {"__scheme__": "https", "__metrics_path__": "/sdk", "__param_part": "1"}
    assert target == {"targets": ["worker.example:443"], "labels": labels}
    agent = yaml.safe_load(datadog_config([ScrapeSource(SERVER, {})], [source()]).files["openmetrics.d/conf.yaml"])
    assert agent["instances"][0]["openmetrics_endpoint"] == WORKER.url


def test_datadog_coverage_of_units() -> None:
    """The integration drops `_total` only, so it does not collect durations with a unit in their name."""
    spellings = {
        "service_requests": MetricSpelling("service_requests_total", "counter", "_total"),
        "service_latency": MetricSpelling("service_latency_seconds", "histogram", "_seconds"),
    }
    (found,) = datadog_config([ScrapeSource(SERVER, spellings)], []).coverage
    assert (found.exposed, found.unknown) == (("service_requests",), ("service_latency_seconds",))
    assert "cassandra_init_session_latency" in found.elsewhere
    assert "workflow_timeout" in found.not_yet


SCRAPED = {"series": 'up{job="temporal-server",instance="a"}', "values": "1x30"}
UNPOLLED = 'no_poller_tasks{namespace="default",taskqueue="orders",task_type="Workflow",instance="a"}'
ALERTED = {"namespace": "default", "taskqueue": "orders", "task_type": "Workflow", "severity": "critical"}


@pytest.mark.parametrize(
    ("values", "minute", "alerted"),
    [
        ("_x10 3x20", 13, True),  # the first tasks: the series starts with them
        ("3x10 4x20", 13, True),
        ("3x30", 3, False),  # Prometheus has just started, and the tasks are old
        ("3x30", 13, False),
    ],
)
def test_alert_on_a_counter(tmp_path: Path, values: str, minute: int, alerted: bool) -> None:
    """One new task without a poller fires the alert; an old one does not."""
    write_files(tmp_path, prometheus_config([ScrapeSource(SERVER, {})], []).files)
    expected = [{"exp_labels": ALERTED}] if alerted else []
    case = {
        "interval": "1m",
        "input_series": [SCRAPED, {"series": UNPOLLED, "values": values}],
        "promql_expr_test": [],
        "alert_rule_test": [
            {"eval_time": f"{minute}m", "alertname": "TemporalTaskQueueWithoutWorker", "exp_alerts": expected}
        ],
    }
    rules = yaml.safe_load((tmp_path / "temporal-rules.yml").read_text())
    for rule in (rule for group in rules["groups"] for rule in group["rules"]):
        del rule["annotations"]  # promtool compares texts too
    (tmp_path / "rules.yml").write_text(yaml.safe_dump(rules))
    (tmp_path / "test.yml").write_text(yaml.safe_dump({"rule_files": ["rules.yml"], "tests": [case]}))
    assert "SUCCESS" in promtool("test", "rules", tmp_path / "test.yml")


@pytest.mark.parametrize(
    "data", [{"a": {"b": [1, {"c": 'q"\n: #', "d": []}], "e": {}}}, [["x"], "ü"], {"f": None, "g": True}]
)
def test_yaml_round_trip(data: object) -> None:
    """Quotes, newlines and empty lists are read as they were written."""
    assert yaml.safe_load(yaml_text(data, "a comment")) == data


def test_existing_files_are_not_overwritten(tmp_path: Path) -> None:
    """One file with other content stops the whole write, unless it is forced; the same content is fine."""
    texts = {"a.yml": "ours", "b/c.yml": "ours too"}
    assert write_files(tmp_path / "new", texts) == [tmp_path / "new/a.yml", tmp_path / "new/b/c.yml"]
    write_files(tmp_path / "new", texts)
    (tmp_path / "b").mkdir()
    (tmp_path / "b/c.yml").write_bytes(b"theirs \xff")
    with pytest.raises(ConfigExists, match=r"b/c\.yml exists with other content"):
        write_files(tmp_path, texts)
    assert not (tmp_path / "a.yml").exists()
    write_files(tmp_path, texts, force=True)
    assert [(tmp_path / name).read_text() for name in texts] == list(texts.values())
    assert sorted(path.name for path in tmp_path.rglob("*.*")) == ["a.yml", "a.yml", "c.yml", "c.yml"]


def test_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """The error names the folder."""
    (tmp_path / "file").write_text("")
    with pytest.raises(FolderNotWritable, match="cannot write to"):
        write_files(tmp_path / "file", {"a": "b"})
