"""Activities that count the errors of a cluster's processes: the only early truth about its database."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError

from .access import beating, control

COUNTERS = (
    "persistence_errors",
    "persistence_error_with_type",
    "persistence_session_refresh_failures",
    "service_errors",
    "service_error_with_type",
    "service_errors_resource_exhausted",
)
KINDS = ("error_type", "failure", "exception_type")
HOST = "127.0.0.1"
LIMIT = 3.0


@activity.defn
async def error_counts(endpoints: list[str] | None = None) -> dict[str, float]:
    """The error counters of each process since its start, by `PROCESS NAME` or `PROCESS NAME (TYPE)`.

    Health checks say SERVING while the database is dead; these counters rise within a second. A process that does not
    answer has none. It reads, so it may run any number of times. Unit: errors.

    Args:
        endpoints: HOST:PORT of the metrics of each process; those of the patient if None.

    Raises:
        ApplicationError: There are no endpoints to ask; not retryable.
    """
    return await _counts(endpoints)


@activity.defn
async def errors_since(before: dict[str, float], endpoints: list[str] | None = None) -> dict[str, float]:
    """How many errors there were since `before`, an answer of `error_counts`; only what has risen.

    A process that was restarted meanwhile counts from zero. Idempotent for the same `before`. Unit: errors.

    Raises:
        ApplicationError: There are no endpoints to ask; not retryable.
    """
    return rise(before, await _counts(endpoints))


def rise(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """What has risen; a process that was restarted meanwhile counts from zero."""
    by = {name: value - before.get(name, 0.0) for name, value in after.items()}
    return {name: after[name] if more < 0 else more for name, more in by.items() if more}


async def _counts(endpoints: list[str] | None) -> dict[str, float]:
    if endpoints is None:
        status = await beating(lambda: control().ask("status"))
        known = endpoints_of(status)
    else:
        known = {endpoint: endpoint for endpoint in endpoints}
    if not known:
        raise ApplicationError("no metrics endpoints are given", non_retryable=True)
    found = await asyncio.gather(*(counts_of(name, endpoint) for name, endpoint in known.items()))
    return {name: value for counts in found for name, value in counts.items()}


def endpoints_of(status: Mapping[str, Any]) -> dict[str, str]:
    """The metrics endpoints of the processes of a cluster with this status, by name."""
    members = status["members"]
    return {each["name"]: f"{HOST}:{each['ports']['metrics']}" for each in members if each["ports"].get("metrics")}


async def counts_of(process: str, endpoint: str) -> dict[str, float]:
    """The error counters of a process; none if it does not answer."""
    from ...errors import DevServerError
    from ...metrics.endpoints import fetch_metrics, parse_endpoint
    from ...metrics.parser import parse_metrics

    try:
        parsed = parse_metrics(await fetch_metrics(parse_endpoint(endpoint, "endpoint"), limit=LIMIT), COUNTERS)
    except DevServerError:
        return {}
    counts: dict[str, float] = {}
    for name in COUNTERS:
        for labels, value in parsed.all(name):
            kind = next((labels[key] for key in KINDS if labels.get(key)), "")
            key = f"{process} {name}" + (f" ({kind})" if kind else "")
            counts[key] = counts.get(key, 0.0) + value
    return counts
