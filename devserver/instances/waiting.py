"""Waiting until an instance is ready, for scripts and health checks: it may not exist yet, or be starting."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable
from typing import Any

from ..errors import DevServerError
from ..server.http_api import HttpApi, NotAnswering
from ..server.log import log_tail
from .folder import InstanceFolder
from .record import CRASHED, READY, STOPPED, Record, up_command
from .status import status, way_out

POLL_SECONDS = 0.1
LOG_LINES = 8


class NotReady(DevServerError):
    """The instance exists and is not ready, or has ended before it was."""


def wait_until_ready(
    folder: InstanceFolder, limit: float, *, namespace: str | None = None, clock: Callable[[], float] = time.monotonic
) -> dict[str, Any]:
    """Wait until an instance is ready; returns its status, as `devserver status --json` prints it.

    An instance that does not exist, or is stopped, may be about to start. One that ends while this waits will not be
    ready, which is an error at once.

    Args:
        folder: The instance.
        limit: Seconds to wait; with 0 the instance is asked once.
        namespace: A namespace that it has to serve, too.
        clock: The clock for the limit.

    Raises:
        InstanceUnknown: It does not exist at the end of the limit.
        NotReady: It was not ready within the limit, or ended.
    """
    end = clock() + limit
    was_running = False
    while True:
        record = folder.read_record()
        if record is not None:
            found = _with_namespace(status(folder, record), record, namespace)
            if found["state"] == READY:
                return found
            if was_running and found["state"] in (STOPPED, CRASHED):
                raise _ended(folder, found)
            was_running = was_running or found["state"] not in (STOPPED, CRASHED)
            if clock() >= end:
                raise _late(found, record, limit, namespace)
        elif clock() >= end:
            folder.require_record()
        time.sleep(POLL_SECONDS)


def _with_namespace(found: dict[str, Any], record: Record, namespace: str | None) -> dict[str, Any]:
    """The status; `unresponsive` if a ready server does not serve the namespace."""
    if found["state"] != READY or namespace in (None, record.namespace):
        return found
    try:
        problem = HttpApi(record.host, record.ports.http).problem(str(namespace))
    except NotAnswering as error:
        problem = str(error)
    return found if problem is None else {**found, "state": "unresponsive", "problem": problem}


def _ended(folder: InstanceFolder, found: dict[str, Any]) -> NotReady:
    how = f" ({found['exit']})" if found["exit"] else ""
    return NotReady(
        f"the instance {found['name']} {found['state']}{how} before it was ready",
        details=log_tail(folder.log, LOG_LINES) if found["state"] == CRASHED else (),
        hint=f"start it again with: {up_command(found['name'])}",
    )


def _late(found: dict[str, Any], record: Record, limit: float, namespace: str | None) -> NotReady:
    when = f"not ready after {limit:g} s" if limit else "not ready"
    problem = f": {found['problem']}" if found["problem"] else ""
    if found["state"] in (STOPPED, CRASHED):
        hint = f"start it with: {up_command(record.name)}"
    elif namespace not in (None, *record.namespaces):
        hint = f"create the namespace with: {up_command(record.name)} --namespace {shlex.quote(str(namespace))}"
    elif found["problem"]:
        hint = way_out(found, record)
    else:
        hint = "wait longer with --timeout"
    return NotReady(f"the instance {record.name} is {when}; it is {found['state']}{problem}", hint=hint)
