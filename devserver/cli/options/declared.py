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
from ...config.settings_file import settings_file_in
from ...errors import DevServerError, OptionError
from ...instances.record import Record
from ...schedules.declared import declare_schedule
from ...system.progress import Reporter

KINDS = {"nexus-endpoints": "Nexus endpoint", "schedules": "schedule"}


def make_declared(record: Record, settings: Settings, reporter: Reporter) -> None:
    """Create or update what is declared on a server; what is not declared anymore stays.

    Raises:
        DevServerError: The server refuses a part; the message says which, and its reason.
    """
    asyncio.run(_make(record, settings, reporter))


async def _make(record: Record, settings: Settings, reporter: Reporter) -> None:
    for key, name, table in _declared(settings):
        namespace = table.get("namespace", record.namespace)
        try:
            if namespace not in record.namespaces:
                listed = namespace in (settings.namespaces or ())
                raise OptionError(
                    f"the server has no namespace {namespace}",
                    hint="create it with: devserver up" if listed else f"add {namespace!r} to namespaces",
                )
            client = await connect(Target(record.address, namespace))
            if key == "schedules":
                done = await declare_schedule(client, name, table)
            else:
                done = await declare_endpoint(client, name, table["task-queue"], table.get("description"))
        except DevServerError as error:
            error.message = f"the {KINDS[key]} {name}: {error.message}"
            error.details = (*error.details, f"declared in {_place(settings, key, name)}")
            raise
        if done != "unchanged":
            reporter.note(f"{done} the {KINDS[key]} {name}")


def _declared(settings: Settings) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Endpoints first: a schedule's workflow may call them."""
    for name, table in (settings.nexus_endpoints or {}).items():
        yield "nexus-endpoints", name, table
    for name, table in (settings.schedules or {}).items():
        yield "schedules", name, table


def _place(settings: Settings, key: str, name: str) -> str:
    file = settings_file_in(settings.file.parent) if settings.file else None
    return file.at(key, name) if file and key in file.table else "an environment variable"
