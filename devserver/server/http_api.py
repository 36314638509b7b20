"""The running server's HTTP face: is it ready, which namespaces it has, what they are set to.

HTTP, because it needs no gRPC library, whose import alone takes longer than the server's start.
The paths are those of Temporal's HTTP API (google.api.http annotations of WorkflowService and OperatorService).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from ..errors import NamespaceRefused

CALL_SECONDS = 5.0
NOT_FOUND = 5
ALREADY_EXISTS = 6
PROBE = "devserver-readiness-probe"


class NotAnswering(Exception):
    """The server gave no HTTP answer: not up yet, gone, or frozen."""


class HttpApi:
    """Speaks to the HTTP port of one server at `host` (as clients reach it); a connection per call, never through a
    proxy.
    """

    def __init__(self, host: str, port: int, *, limit: float = CALL_SECONDS) -> None:
        self._host = host
        self._port = port
        self._limit = limit

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        """HTTP status and decoded JSON of one call.

        Raises:
            NotAnswering: No connection, no answer within the limit, or no JSON.
        """
        import http.client

        connection = http.client.HTTPConnection(self._host, self._port, timeout=self._limit)
        try:
            connection.request(method, path, None if body is None else json.dumps(body))
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise NotAnswering(str(error)) from error
        finally:
            connection.close()

    def serves(self, namespace: str) -> bool:
        """Whether `namespace` answers as a first workflow needs it: history, which must own its shard by then (a
        workflow is looked up), and visibility (workflows are listed).
        """
        base = f"/api/v1/namespaces/{quote(namespace, safe='')}"
        status, answer = self.call("GET", f"{base}/workflows/{PROBE}")
        if status != 200 and not _is_missing_workflow(answer):
            return False
        return self.call("GET", f"{base}/workflows?pageSize=1")[0] == 200

    def server_version(self) -> str:
        """The server's version, as `1.32.0`."""
        return str(self._get("/api/v1/system-info")["serverVersion"])

    def retention(self, namespace: str) -> int | None:
        """Seconds for which `namespace` keeps closed workflows; None where there is no such namespace."""
        status, answer = self.call("GET", f"/api/v1/namespaces/{quote(namespace, safe='')}")
        if status == 404:
            return None
        _raise_unless_ok(status, answer, f"the namespace {namespace}")
        return int(str(answer["config"]["workflowExecutionRetentionTtl"]).rstrip("s").partition(".")[0])

    def ensure_namespace(self, namespace: str, retention: int) -> None:
        """Make `namespace` or set its retention (in seconds).

        Raises:
            NamespaceRefused: Temporal refuses; with its own words.
        """
        current = self.retention(namespace)
        if current == retention:
            return
        period = f"{retention}s"
        if current is None:
            body: dict[str, Any] = {"namespace": namespace, "workflowExecutionRetentionPeriod": period}
            status, answer = self.call("POST", "/api/v1/namespaces", body)
            if answer.get("code") == ALREADY_EXISTS:
                return
        else:
            body = {"config": {"workflowExecutionRetentionTtl": period}}
            path = f"/api/v1/namespaces/{quote(namespace, safe='')}/update"
            status, answer = self.call("POST", path, body)
        _raise_unless_ok(status, answer, f"the namespace {namespace}")

    def namespaces(self) -> list[str]:
        """The names of all namespaces but the server's own."""
        found = self._get("/api/v1/namespaces?pageSize=1000")["namespaces"]
        names = [str(item["namespaceInfo"]["name"]) for item in found]
        return [name for name in names if name != "temporal-system"]

    def search_attributes(self, namespace: str) -> dict[str, str]:
        """Custom search attributes of `namespace`: name -> type as the CLI spells it (`KeywordList`)."""
        path = f"/api/v1/namespaces/{quote(namespace, safe='')}/search-attributes"
        custom = self._get(path).get("customAttributes", {})
        return {name: _cli_type(kind) for name, kind in custom.items()}

    def knows(self, namespace: str, search_attributes: Iterable[str]) -> bool:
        """Whether lists of `namespace` can be filtered by these search attributes by now."""
        query = " AND ".join(f"{name} IS NULL" for name in search_attributes)
        path = f"/api/v1/namespaces/{quote(namespace, safe='')}/workflows?pageSize=1&query={quote(query)}"
        return self.call("GET", path)[0] == 200

    def _get(self, path: str) -> dict[str, Any]:
        status, answer = self.call("GET", path)
        _raise_unless_ok(status, answer, path)
        return answer


def _is_missing_workflow(answer: dict[str, Any]) -> bool:
    """History was asked and does not know the workflow; a missing namespace is answered before history is asked."""
    kinds = [str(detail.get("@type")) for detail in answer.get("details", ())]
    return answer.get("code") == NOT_FOUND and not any("NamespaceNotFound" in kind for kind in kinds)


def _cli_type(kind: str) -> str:
    words = kind.removeprefix("INDEXED_VALUE_TYPE_").lower().split("_")
    return "".join(word.capitalize() for word in words)


def _raise_unless_ok(status: int, answer: dict[str, Any], what: str) -> None:
    if status != 200:
        raise NamespaceRefused(
            f"Temporal refuses {what}: {answer.get('message', f'HTTP {status}')}",
            hint="choose another name with --namespace, or another --retention",
        )
