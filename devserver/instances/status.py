"""How an instance is, in the documented form of `status --json` and `list --json`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import DevServerError
from ..server.http_api import HttpApi, NotAnswering
from ..server.log import LOG
from ..system.paths import Paths
from .leases import holders
from .record import READY, Record, names, read_record

ANSWER_SECONDS = 2.0
FORM = 1


def status(paths: Paths, record: Record) -> dict[str, Any]:
    """The instance as JSON; see docs/json.md. Keys are only ever added within one `form`.

    `state` is starting, ready, unresponsive (the process is there and does not answer), stopping, stopped or crashed.
    """
    state = record.state_now()
    if state == READY and not answers(record):
        state = "unresponsive"
    alive = state in ("starting", READY, "unresponsive")
    return {
        "form": FORM,
        "name": record.name,
        "state": state,
        "address": record.address,
        "namespace": record.namespace,
        "namespaces": list(record.namespaces),
        "ui_url": record.ui_url,
        "http_url": record.http_url,
        "metrics_url": record.metrics_url,
        "version": record.version,
        "server_version": record.server_version,
        "tuning": record.options.tuning,
        "ephemeral": record.options.ephemeral,
        "database": str(record.database),
        "executable": str(record.executable),
        "log": str(paths.instance(record.name) / LOG),
        "pid": record.server.pid if alive and record.server else None,
        "supervisor_pid": record.supervisor.pid if alive else None,
        "holders": holders(paths.instance(record.name)),
        "started_at": record.started_at,
        "exit": record.exit,
    }


def answers(record: Record) -> bool:
    """Whether the frontend serves the instance's namespace now."""
    try:
        return HttpApi(record.host, record.ports.http, limit=ANSWER_SECONDS).serves(record.namespace)
    except NotAnswering:
        return False


def all_statuses(paths: Paths, damaged: Callable[[DevServerError], None]) -> list[dict[str, Any]]:
    """Every instance of this user, by name; one whose record cannot be read is told to `damaged` and left out."""
    found = []
    for name in names(paths):
        try:
            record = read_record(paths, name)
        except DevServerError as error:
            damaged(error)
            continue
        if record is not None:
            found.append(status(paths, record))
    return found
