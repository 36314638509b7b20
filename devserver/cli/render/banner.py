"""What a person is shown of an instance that runs."""

from __future__ import annotations

from pathlib import Path

import click

from ...config.server_options import DEFAULT_NAME
from ...instances.record import Record


def banner(record: Record, *, fresh: bool, ending: str, log: Path) -> str:
    """Where everything is, a line each."""
    what = f"Temporal {record.version} (server {record.server_version})"
    done = "is ready" if fresh else "already runs"
    head = click.style(f"{what} {done}", bold=True) + (f"; {ending}" if ending else "")
    rows = [
        ("address", record.address),
        ("namespace", ", ".join(record.namespaces)),
        ("web ui", record.ui_url or "off"),
        ("metrics", record.metrics_url),
        ("state", "kept nowhere (--ephemeral)" if record.options.ephemeral else str(record.database)),
        ("log", str(log)),
    ]
    if record.name != DEFAULT_NAME:
        rows.insert(0, ("instance", record.name))
    return "\n".join([head, *(f"  {name:<10} {value}" for name, value in rows)])
