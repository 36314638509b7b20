"""The status of instances, in the documented form of `status --json` and `list --json`."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Any

from ..errors import DevServerError
from ..server.http_api import ALLOWED_HOSTS, HOST, HOST_REFUSED, NO_NAMESPACE, HttpApi, NotAnswering
from ..system.json_form import FORM
from ..system.paths import Paths
from .database_room import room
from .folder import InstanceFolder
from .record import READY, Record

ANSWER_SECONDS = 2.0


def status(folder: InstanceFolder, record: Record) -> dict[str, Any]:
    """The status of an instance as JSON; see docs/json.md. Keys are only added within one `form`.

    `state` is starting, ready, unresponsive (the process exists, but clients of its namespace cannot work: `problem`
    says why), stopping, stopped, crashed or running elsewhere (in a container or on a machine that shares this home).
    """
    state, problem = record.state_now(), None
    if state == READY:
        problem = _problem(record)
        state = READY if problem is None else "unresponsive"
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
        "tls": tls_status(folder, record),
        "version": record.version,
        "server_version": record.server_version,
        "tuning": record.options.tuning,
        "ephemeral": record.options.ephemeral,
        "room": found.to_json() if (found := room(record, folder.log)) else None,
        "database": str(record.database),
        "executable": str(record.executable),
        "log": str(folder.log),
        "pid": record.server.pid if alive and record.server else None,
        "supervisor_pid": record.supervisor.pid if alive else None,
        "holders": folder.holders(),
        "started_at": record.started_at,
        "exit": record.exit,
        "problem": problem,
        "overdue": record.overdue.to_json() if record.overdue else None,
    }


def tls_status(folder: InstanceFolder, record: Record) -> dict[str, Any] | None:
    """What a client of the TLS port needs, as JSON; None without TLS."""
    if record.ports.tls is None:
        return None
    from .tls import tls_access

    access = tls_access(folder, record)
    return access.to_json() if access else None


def _problem(record: Record) -> str | None:
    """Why the server does not serve the instance's namespace now; None if it does."""
    try:
        return HttpApi(record.host, record.ports.http, limit=ANSWER_SECONDS).problem(record.namespace)
    except NotAnswering as error:
        return f"it does not answer: {error}"


def way_out(found: dict[str, Any], record: Record) -> str:
    """What to do about a server that runs and does not serve its namespace; `found` is its status."""
    name = shlex.quote(record.name)
    if NO_NAMESPACE in found["problem"]:
        return f"it was deleted; devserver restart --name {name} creates it again, empty"
    if record.server is not None and record.server.stopped():
        return f"the process {found['pid']} is stopped by a signal: continue it with kill -CONT {found['pid']}"
    if HOST_REFUSED in found["problem"]:
        return f"{ALLOWED_HOSTS} in the server's dynamic configuration must include {HOST}, by which devserver asks"
    return f"the server or the machine may be overloaded: see devserver logs --name {name}"


def all_statuses(paths: Paths, on_damaged: Callable[[DevServerError], None]) -> list[dict[str, Any]]:
    """The status of every instance of this user, by name.

    Args:
        paths: Where the instances are.
        on_damaged: Receives the error for each instance whose record cannot be read; the instance is left out.
    """
    found = []
    for folder in InstanceFolder.all(paths):
        try:
            record = folder.read_record()
        except DevServerError as error:
            on_damaged(error)
            continue
        if record is not None:
            found.append(status(folder, record))
    return found
