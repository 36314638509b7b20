"""Whether a cluster serves: its namespace exists, and a workflow can be started."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from ..config.option_values import SYSTEM_NAMESPACE
from ..errors import DevServerError
from ..server.http_api import HttpApi, NotAnswering
from .errors import ClusterStartFailed
from .folder import command
from .members import POLL_SECONDS
from .postgres_server import HOST

CANARY_SECONDS = 2.0  # a call that is swallowed at the start comes back only at its deadline
CANARY = "devserver-canary"
RETENTION = 86400


def until_serving(
    port: int, namespace: str, deadline: float, pause: Callable[[float], None], name: str, limit: float
) -> None:
    """Wait until the namespace exists and a workflow can be started.

    Args:
        port: The port of the frontend's HTTP API.
        namespace: The namespace to create.
        deadline: By `time.monotonic()`.
        pause: Called between two tries; it raises when the start is over.
        name: The cluster's name, for the error.
        limit: Seconds of the start, for the error.

    Raises:
        ClusterStartFailed: It does not serve in time.
    """
    api = HttpApi(HOST, port, limit=CANARY_SECONDS)
    problem, exists = "it does not answer", False
    while time.monotonic() < deadline:
        try:
            if not exists:
                api.create_namespace(namespace, RETENTION)
                exists = True
            problem = _canary(api) or api.problem(namespace) or ""
            if not problem:
                return
        except (NotAnswering, DevServerError) as error:
            problem = str(error).splitlines()[0]
        pause(POLL_SECONDS)
    raise ClusterStartFailed(
        f"every process of the cluster runs, and no workflow can be started within {limit:g} s: {problem}",
        hint=f"see the logs with: {command('logs', name)} history-1; on a busy machine give --timeout",
    )


def _canary(api: HttpApi) -> str | None:
    """Start a workflow that nobody runs, in the server's own namespace; why it cannot be started."""
    path = f"/api/v1/namespaces/{SYSTEM_NAMESPACE}/workflows/{CANARY}-{os.getpid()}-{time.monotonic_ns()}"
    body = {"workflowType": {"name": CANARY}, "taskQueue": {"name": CANARY}, "workflowExecutionTimeout": "1s"}
    status, answer = api.call("POST", path, body)
    return None if status == 200 else str(answer.get("message", f"HTTP {status}"))
