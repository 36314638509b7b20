"""What is printed of an instance that has started or is already running."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from ...config.option_values import DEFAULT_NAME
from ...instances.database_room import room
from ...instances.folder import InstanceFolder
from ...instances.record import Record
from ..program_name import as_called
from .output import echo_json
from .terminal import clean

# What a client of the TLS port needs, as status and banner name it.
TLS_ROWS = {
    "address": "tls address",
    "ca": "tls ca",
    "client_cert": "client cert",
    "client_key": "client key",
    "api_key": "api key",
}
ENV_PRINTS = "required; devserver env prints it"


def echo_started(
    folder: InstanceFolder, record: Record, *, fresh: bool, ending: str = "", as_json: bool = False
) -> None:
    """Print where everything is: as text, or in the form of `devserver status --json`.

    Args:
        fresh: Whether this call started it.
        ending: How it is stopped.
    """
    if not as_json:
        tls = None
        if record.ports.tls is not None:
            from ...instances.status import tls_status

            tls = tls_status(folder, record)
        click.echo(banner(record, fresh=fresh, ending=ending, log=folder.log, tls=tls))
        left = room(record, folder.log)
        if left is not None and (left.full or left.little):
            click.echo(f"  {'room':<10} {left}\nhint: {left.hint}")
        return
    from ...instances.status import status

    echo_json({**status(folder, record), "fresh": fresh})


def banner(record: Record, *, fresh: bool, ending: str, log: Path, tls: Mapping[str, Any] | None = None) -> str:
    """Where everything is, a line each; `tls` is what a client of the TLS port needs."""
    server = f"Temporal {record.version} (server {record.server_version})"
    state = "is ready" if fresh else "is already running"
    head = click.style(f"{server} {state}", bold=True) + (f"; {as_called(ending)}" if ending else "")
    access = (tls or {}).items()
    rows = [
        ("address", record.address),
        *((TLS_ROWS[key], as_called(ENV_PRINTS) if value is True else value) for key, value in access if value),
        ("namespace", ", ".join(record.namespaces)),
        ("web ui", record.ui_url or "off"),
        ("metrics", record.metrics_url),
        ("state", "not on disk (--ephemeral)" if record.options.ephemeral else str(record.database)),
        ("log", str(log)),
    ]
    if record.name != DEFAULT_NAME:
        rows.insert(0, ("instance", record.name))
    width = max(10, *(len(name) for name, _ in rows))
    return "\n".join([head, *(f"  {name:<{width}} {clean(value)}" for name, value in rows)])
