"""The way from a runbook's activity to the patient of its rehearsal."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from temporalio import activity
from temporalio.exceptions import ApplicationError

if TYPE_CHECKING:
    from ...cluster import Cluster, ClusterControl

VARIABLE = "DEVSERVER_PATIENT"
HEARTBEAT_SECONDS = 1.0

T = TypeVar("T")


def described(control: ClusterControl, cluster: Cluster, address: str) -> dict[str, str]:
    """What the worker of the runbook gets: `DEVSERVER_PATIENT`, JSON with `address`, `namespace`, `cluster` (the
    name), `data` (the folder of `ClusterControl`), `shards`, `executable` and `dynamic_config` (paths), and
    `database` (`address`, `user`, `password_file`), for `devserver.rehearsal.cluster`.
    """
    from ...cluster import database_access
    from ...cluster.postgres_server import ADMIN, PASSWORD

    folder = control.folder
    found = {
        "address": address,
        "namespace": cluster.namespace,
        "cluster": folder.name,
        "data": str(folder.paths.data),
        "shards": cluster.shards,
        "executable": folder.read()["executable"],
        "dynamic_config": str(folder.dynamic_config),
        "database": {
            "address": database_access.address(folder),
            "user": ADMIN,
            "password_file": str(folder.path / PASSWORD),
        },
    }
    return {VARIABLE: json.dumps(found)}


def patient() -> dict[str, Any]:
    """What the rehearsal says of its patient.

    Raises:
        ApplicationError: There is none; not retryable.
    """
    text = os.environ.get(VARIABLE)
    if not text:
        raise ApplicationError(f"there is no patient: {VARIABLE} is not set", non_retryable=True)
    found: dict[str, Any] = json.loads(text)
    return found


def control() -> ClusterControl:
    """The way to the members of the patient.

    Raises:
        ApplicationError: There is no patient, or it is known by its address only; not retryable.
    """
    from ...cluster import ClusterControl
    from ...system.paths import Paths

    found = patient()
    if "cluster" not in found:
        raise ApplicationError("the patient is given by its address: it is only looked at", non_retryable=True)
    return ClusterControl(found["cluster"], Paths.default()._replace(data=Path(found["data"])))


async def ask(kind: str, **facts: Any) -> dict[str, Any]:
    """Ask the process that supervises the patient; its status afterwards.

    Raises:
        ApplicationError: It refuses, or there is none.
    """
    found = control()
    return await beating(lambda: found.ask(kind, **facts))


async def beating(function: Callable[[], T]) -> T:
    """Run a blocking function in a thread; the activity heartbeats every second.

    Raises:
        ApplicationError: Of our own errors, with the name of the class; retryable, unless an argument is wrong.
    """
    from ...errors import DevServerError, OptionError

    work = asyncio.ensure_future(asyncio.to_thread(function))
    try:
        while not (await asyncio.wait({work}, timeout=HEARTBEAT_SECONDS))[0]:
            activity.heartbeat()
        return await work
    except DevServerError as error:
        where = f"; {error.details[-1]}" if error.details else ""  # a failure is kept in the history: no whole log
        raise ApplicationError(
            f"{error.message}{where}", type=type(error).__name__, non_retryable=isinstance(error, OptionError)
        ) from None
    except OSError as error:
        raise ApplicationError(f"{type(error).__name__}: {error}") from error
