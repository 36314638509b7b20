"""Temporal's HTTP API: whether a server is ready, its namespaces and their settings.

HTTP needs no gRPC library, whose import takes longer than the start of a server. Answers of HTTP 1.0 end with the
connection, so `http.client` is not needed either: its import is a fifth of the start of a supervisor. The paths are
those of the google.api.http annotations of WorkflowService and OperatorService.

A page in a browser can send requests to this port too. So the server answers only those to the host `HOST`, which no
page can send: it does not exist, and a browser adds the port.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from ..config.option_values import SYSTEM_NAMESPACE
from ..errors import DatabaseFull, NamespaceRefused, StartFailed

CALL_SECONDS = 5.0
MOST_WORDS = 80  # of an answer that is not JSON
CHUNK_BYTES = 65536
NOT_FOUND = 5
ALREADY_EXISTS = 6
PROBE = "devserver-readiness-probe"
HOST = "devserver.invalid"
ALLOWED_HOSTS = "frontend.httpAllowedHosts"
HOST_REFUSED = "Host not allowed"
NO_NAMESPACE = "it has no namespace"


class NotAnswering(Exception):
    """The server did not answer over HTTP: it is still starting, has ended, or is frozen."""


class HttpApi:
    """Calls the HTTP API of one server. Each call opens a connection, never through a proxy.

    Args:
        host: The host that clients connect to.
        port: The HTTP port.
        limit: Seconds for one call.
    """

    def __init__(self, host: str, port: int, *, limit: float = CALL_SECONDS) -> None:
        self._host = host
        self._port = port
        self._limit = limit

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        """The HTTP status and the decoded JSON of one call.

        Raises:
            NotAnswering: There is no connection, or no JSON answer within the limit.
        """
        content = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.0\r\nHost: {HOST}\r\nContent-Length: {len(content)}\r\n\r\n"
        try:
            with socket.create_connection((self._host, self._port), timeout=self._limit) as connection:
                connection.sendall(head.encode("ascii") + content)
                answer = _read_to_end(connection)
        except ConnectionRefusedError as error:
            raise NotAnswering(f"nothing listens on its HTTP port {self._port}") from error
        except TimeoutError as error:
            raise NotAnswering(f"no answer on its HTTP port {self._port} within {self._limit:g} s") from error
        except OSError as error:
            raise NotAnswering(f"no answer on its HTTP port {self._port}: {error}") from error
        first, _, text = answer.partition(b"\r\n\r\n")
        status = first.decode("utf-8", "replace").partition(" ")[2].partition(" ")[0]
        try:
            return int(status), json.loads(text)
        except ValueError as error:
            words = (text or first)[:MOST_WORDS].decode("utf-8", "replace").strip()
            raise NotAnswering(f"its HTTP port {self._port} answers {status} {words}".rstrip()) from error

    @staticmethod
    def with_access(dynamic_config: Mapping[str, str]) -> dict[str, str]:
        """A dynamic configuration (key -> JSON) whose own hosts of the HTTP API include ours: it refuses others."""
        hosts = json.loads(dynamic_config.get(ALLOWED_HOSTS, "null"))
        added = {ALLOWED_HOSTS: json.dumps([*hosts, HOST])} if isinstance(hosts, list) else {}
        return {**dynamic_config, **added}

    def serves(self, namespace: str) -> bool:
        """Whether the server is ready for a first workflow in `namespace`."""
        return self.problem(namespace) is None

    def problem(self, namespace: str) -> str | None:
        """Why the server, which answers, is not ready for a first workflow in `namespace`; None if it is.

        Looking up a workflow needs the history service with its shard, listing workflows needs visibility.
        """
        base = f"/api/v1/namespaces/{quote(namespace, safe='')}"
        status, answer = self.call("GET", f"{base}/workflows/{PROBE}")
        if status == 200 or _is_missing_workflow(answer):
            status, answer = self.call("GET", f"{base}/workflows?pageSize=1")
            if status == 200:
                return None
        if answer.get("code") == NOT_FOUND:
            return f"{NO_NAMESPACE} {namespace}"
        return f"it does not serve the namespace {namespace}: {answer.get('message') or f'HTTP {status}'}"

    def server_version(self) -> str:
        """The server's version, such as `1.32.0`."""
        return str(self._get("/api/v1/system-info")["serverVersion"])

    def retention(self, namespace: str) -> int | None:
        """Seconds for which `namespace` keeps closed workflows; None if the namespace does not exist."""
        status, answer = self.call("GET", f"/api/v1/namespaces/{quote(namespace, safe='')}")
        if status == 404:
            return None
        _raise_unless_ok(status, answer, f"the namespace {namespace}")
        return int(str(answer["config"]["workflowExecutionRetentionTtl"]).rstrip("s").partition(".")[0])

    def ensure_namespace(self, namespace: str, retention: int) -> int | None:
        """Create `namespace`, or set its retention (in seconds).

        Returns:
            The retention before; None if the namespace is new.

        Raises:
            NamespaceRefused: Temporal rejects the name or the retention; the message has its reason.
        """
        current = self.retention(namespace)
        if current == retention:
            return current
        if current is None:
            self.create_namespace(namespace, retention)
        else:
            body = {"config": {"workflowExecutionRetentionTtl": f"{retention}s"}}
            path = f"/api/v1/namespaces/{quote(namespace, safe='')}/update"
            status, answer = self.call("POST", path, body)
            _raise_unless_ok(status, answer, f"the namespace {namespace}")
        return current

    def create_namespace(self, namespace: str, retention: int) -> bool:
        """Create `namespace` with this retention (in seconds); False if it exists, which is not changed.

        A server remembers for a second that a namespace does not exist, so do not look for it first.

        Raises:
            NamespaceRefused: Temporal rejects the name or the retention; the message has its reason.
        """
        body = {"namespace": namespace, "workflowExecutionRetentionPeriod": f"{retention}s"}
        status, answer = self.call("POST", "/api/v1/namespaces", body)
        if answer.get("code") == ALREADY_EXISTS:
            return False
        _raise_unless_ok(status, answer, f"the namespace {namespace}")
        return True

    def namespaces(self) -> list[str]:
        """The names of all namespaces, sorted, without the server's internal one."""
        found = self._get("/api/v1/namespaces?pageSize=1000")["namespaces"]
        names = [str(item["namespaceInfo"]["name"]) for item in found]
        return sorted(name for name in names if name != SYSTEM_NAMESPACE)

    def search_attributes(self, namespace: str) -> dict[str, str]:
        """The custom search attributes of `namespace`: name -> type, as the CLI spells it (`KeywordList`)."""
        path = f"/api/v1/namespaces/{quote(namespace, safe='')}/search-attributes"
        custom = self._get(path).get("customAttributes", {})
        return {name: _cli_type(kind) for name, kind in custom.items()}

    def knows(self, namespace: str, search_attributes: Iterable[str]) -> bool:
        """Whether lists of `namespace` can be filtered by these search attributes."""
        query = " AND ".join(f"{name} IS NULL" for name in search_attributes)
        path = f"/api/v1/namespaces/{quote(namespace, safe='')}/workflows?pageSize=1&query={quote(query)}"
        return self.call("GET", path)[0] == 200

    def workflows(self, namespace: str, query: str, page: int) -> tuple[list[dict[str, Any]], bool]:
        """The workflows of `namespace` that match a list filter, at most `page`, and whether these are all."""
        path = f"/api/v1/namespaces/{quote(namespace, safe='')}/workflows?pageSize={page}&query={quote(query)}"
        answer = self._get(path)
        return list(answer.get("executions", ())), not answer.get("nextPageToken")

    def count(self, namespace: str, query: str) -> int:
        """How many workflows of `namespace` match a list filter."""
        path = f"/api/v1/namespaces/{quote(namespace, safe='')}/workflow-count?query={quote(query)}"
        return int(self._get(path).get("count", 0))

    def pause_schedule(self, namespace: str, schedule_id: str, note: str) -> bool:
        """Pause a schedule; True, also where it does not exist.

        Raises:
            StartFailed: Temporal rejects it; the message has its reason.
        """
        path = f"/api/v1/namespaces/{quote(namespace, safe='')}/schedules/{quote(schedule_id, safe='')}/patch"
        status, answer = self.call("POST", path, {"patch": {"pause": note}})
        if status not in (200, 404):
            reason = answer.get("message", f"HTTP {status}")
            raise StartFailed(f"Temporal does not pause the schedule {schedule_id} of {namespace}: {reason}")
        return True

    def unpaused_schedules(self, namespace: str) -> set[str]:
        """The ids of the schedules of `namespace` that are not paused, as its list shows them."""
        path = f"/api/v1/namespaces/{quote(namespace, safe='')}/schedules?maximumPageSize=1000"
        answer = self._get(path)
        found = list(answer.get("schedules", ()))
        while answer.get("nextPageToken"):
            answer = self._get(f"{path}&nextPageToken={quote(answer['nextPageToken'], safe='')}")
            found += answer.get("schedules", ())
        return {str(each["scheduleId"]) for each in found if not each.get("info", {}).get("paused")}

    def _get(self, path: str) -> dict[str, Any]:
        status, answer = self.call("GET", path)
        _raise_unless_ok(status, answer, path)
        return answer


def _read_to_end(connection: socket.socket) -> bytes:
    parts = []
    while part := connection.recv(CHUNK_BYTES):
        parts.append(part)
    return b"".join(parts)


def _is_missing_workflow(answer: dict[str, Any]) -> bool:
    """Whether history does not know the workflow. A missing namespace is reported before history is asked."""
    kinds = [str(detail.get("@type")) for detail in answer.get("details", ())]
    return answer.get("code") == NOT_FOUND and not any("NamespaceNotFound" in kind for kind in kinds)


def _cli_type(kind: str) -> str:
    words = kind.removeprefix("INDEXED_VALUE_TYPE_").lower().split("_")
    return "".join(word.capitalize() for word in words)


def _raise_unless_ok(status: int, answer: dict[str, Any], what: str) -> None:
    if "disk is full" in str(answer.get("message")):
        raise DatabaseFull(
            f"the server has no room for {what}: {answer['message']}",
            hint="devserver doctor shows what is left, and what gives it more room",
        )
    if status != 200:
        raise NamespaceRefused(
            f"Temporal rejects {what}: {answer.get('message', f'HTTP {status}')}",
            hint="choose another name with --namespace, or another --retention",
        )
