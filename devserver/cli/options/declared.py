"""What the project's settings declare, made on a server that is ready: Nexus endpoints and schedules.

Only an `up` with such settings imports this module, and with it `temporalio`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

from ...client.nexus_endpoints import declare_endpoint
from ...client.target import Target, connect
from ...config.settings import Settings
from ...errors import ConfigFileError, DevServerError
from ...instances.record import Record
from ...schedules.declared import declare_schedule
from ...system.progress import Reporter


def make_declared(record: Record, settings: Settings, reporter: Reporter) -> None:
    """Create or update what is declared on a server; what is not declared anymore stays.

    Raises:
        DevServerError: The server refuses a part; the message says which, and its reason.
    """
    asyncio.run(_make(record, settings, reporter))


async def _make(record: Record, settings: Settings, reporter: Reporter) -> None:
    for kind, name, table in _declared(settings):
        namespace = table.get("namespace", record.namespace)
        if namespace not in record.namespaces:
            raise _failed(
                settings,
                record,
                ConfigFileError(
                    f"the {kind} {name} is in the namespace {namespace}, which this server does not create",
                    hint=f"add {namespace!r} to namespaces",
                ),
            )
        client = await connect(Target(record.address, namespace))
        try:
            if kind == "schedule":
                done = await declare_schedule(client, name, table)
            else:
                done = await declare_endpoint(client, name, table["task-queue"], table.get("description"))
        except DevServerError as error:
            error.message = f"the {kind} {name}: {error.message}"
            raise _failed(settings, record, error) from None
        if done != "unchanged":
            reporter.note(f"{done} the {kind} {name}")


def _declared(settings: Settings) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Endpoints first: a schedule's workflow may call them."""
    for name, table in (settings.nexus_endpoints or {}).items():
        yield "Nexus endpoint", name, table
    for name, table in (settings.schedules or {}).items():
        yield "schedule", name, table


def _failed(settings: Settings, record: Record, error: DevServerError) -> DevServerError:
    where = f"it is declared in {settings.file}" if settings.file else "it is declared in an environment variable"
    error.details = (*error.details, where)
    return error
