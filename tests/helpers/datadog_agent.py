"""The Datadog Agent's own OpenMetrics check, run once on each file of a `conf.d` as the Agent does.

Run as a program with a `conf.d` and the file of metric names that the integration `temporal` sends, it prints as JSON
the names that each check sends, by the check's folder.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import yaml
from datadog_checks.base import OpenMetricsBaseCheckV2
from datadog_checks.base.stubs import aggregator


class Temporal(OpenMetricsBaseCheckV2):  # type: ignore[misc]
    """The integration: the same check with a namespace and a map of metric names."""

    __NAMESPACE__ = "temporal.server"
    DEFAULT_METRIC_LIMIT = 0
    names: tuple[str, ...] = ()

    def get_default_config(self) -> dict[str, Any]:
        """Return the default metrics."""
        return {"metrics": [{name: name for name in self.names}]}


def sent(folder: Path, check: type[Any]) -> list[str]:
    """Return the metric names that the check sends with the configuration in `folder`."""
    config = yaml.safe_load((folder / "conf.yaml").read_text())
    aggregator.reset()
    for instance in config["instances"]:
        error = check(folder.stem, config["init_config"], [instance]).run()
        if error:
            raise SystemExit(error)
    return sorted(aggregator.metric_names)


def main(conf_d: str, names: str) -> None:
    """Run all checks and print the names."""
    Temporal.names = tuple(line for line in Path(names).read_text().splitlines() if not line.startswith("#"))
    checks = {"temporal.d": Temporal, "openmetrics.d": OpenMetricsBaseCheckV2}
    json.dump({name: sent(Path(conf_d) / name, check) for name, check in checks.items()}, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
