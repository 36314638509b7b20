"""Which workflows start and close on a server, cheap while nothing happens.

The server is asked only after its database has changed, which one look at the file's times shows.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from ..database.header import files_of
from ..errors import DevServerError
from ..server.http_api import HttpApi, NotAnswering
from .record import Record

STARTED = "started"
ANSWER_SECONDS = 1.0
PAGE = 100
OVERLAP = dt.timedelta(seconds=10)  # the server's list can be later than what it lists
MOST_NAMESPACES = 50
_STATUS = "WORKFLOW_EXECUTION_STATUS_"


@dataclass(frozen=True)
class WorkflowChange:
    """A workflow that started or closed.

    Attributes:
        at: When.
        what: `started`, or the status with which it closed, such as `completed` or `timed out`.
        namespace: Its namespace.
        workflow_id: Its id.
        workflow_type: Its type.
        seconds: How long it ran; None if it started.
    """

    at: dt.datetime
    what: str
    namespace: str
    workflow_id: str
    workflow_type: str
    seconds: float | None = None


@dataclass(frozen=True)
class WorkflowChanges:
    """What happened since the last look.

    Attributes:
        changes: The changes, the oldest first.
        more: How many others there were.
    """

    changes: tuple[WorkflowChange, ...] = ()
    more: int = 0


class WorkflowWatcher:
    """Looks for workflows that started or closed since the watcher was created.

    Args:
        record: The server.
    """

    def __init__(self, record: Record) -> None:
        self._database = record.database
        self._http_api = HttpApi(record.host, record.ports.http, limit=ANSWER_SECONDS)
        self._begin = dt.datetime.now(dt.timezone.utc)
        self._since = self._begin
        self._state: object = None
        self._seen: dict[tuple[str, str], dt.datetime] = {}  # run and change -> when
        self._counted: dict[str, int] = {}  # namespace -> changes until now
        self._crowded: set[str] = set()  # namespaces where more happened than a page has: some of it was only counted

    def look(self) -> WorkflowChanges:
        """The changes since the last look; none if the server does not answer, which the next look makes up for."""
        state = files_of(self._database)
        if state == self._state:
            return WorkflowChanges()
        now = dt.datetime.now(dt.timezone.utc)
        changes: list[WorkflowChange] = []
        more = 0
        try:
            for namespace in self._http_api.namespaces()[:MOST_NAMESPACES]:
                found, others = self._look_at(namespace)
                changes += found
                more += others
        except (NotAnswering, DevServerError, LookupError, TypeError, ValueError):
            # It stops, a namespace was just deleted, or it answers oddly: what only shows must not end the server.
            self._state = None
        else:
            self._state = state
            self._since = max(self._begin, now - OVERLAP)
            self._seen = {key: at for key, at in self._seen.items() if at >= self._since - OVERLAP}
        return WorkflowChanges(tuple(sorted(changes, key=lambda change: change.at)), more)

    def _look_at(self, namespace: str) -> tuple[list[WorkflowChange], int]:
        """The new changes in a namespace, and how many did not fit."""
        exact = self._total(namespace) if namespace in self._crowded else None
        workflows, complete = self._http_api.workflows(namespace, _since(self._since), PAGE)
        if not complete and exact is None:
            exact = self._total(namespace)
        found = []
        for workflow in workflows:
            for change in _changes_of(namespace, workflow):
                key = (workflow["execution"]["runId"], change.what)
                if change.at >= self._since and key not in self._seen:
                    self._seen[key] = change.at
                    found.append(change)
        before = self._counted.get(namespace, 0)
        if exact is None:
            self._counted[namespace] = before + len(found)
            return found, 0
        self._counted[namespace] = max(exact, before)
        new = self._counted[namespace] - before
        if complete and not found and not new:
            self._crowded.discard(namespace)
        else:
            self._crowded.add(namespace)
        return found[:new], max(0, new - len(found))

    def _total(self, namespace: str) -> int:
        begin = _text(self._begin)
        queries = (f"StartTime >= '{begin}'", f"CloseTime >= '{begin}'")
        return sum(self._http_api.count(namespace, query) for query in queries)


def _changes_of(namespace: str, workflow: dict[str, Any]) -> list[WorkflowChange]:
    workflow_id, kind = str(workflow["execution"]["workflowId"]), str(workflow["type"]["name"])
    start, close = _time(workflow["startTime"]), _time(workflow.get("closeTime"))
    found = []
    if start is not None:
        found.append(WorkflowChange(start, STARTED, namespace, workflow_id, kind))
    if close is not None:
        what = str(workflow["status"]).removeprefix(_STATUS).lower().replace("_", " ")
        seconds = (close - start).total_seconds() if start else None
        found.append(WorkflowChange(close, what, namespace, workflow_id, kind, seconds))
    return found


def _since(moment: dt.datetime) -> str:
    return f"StartTime >= '{_text(moment)}' OR CloseTime >= '{_text(moment)}'"


def _text(moment: dt.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _time(text: str | None) -> dt.datetime | None:
    """A time of the server, which has nanoseconds; None if there is none."""
    if not text:
        return None
    head, _, fraction = text.rstrip("Z").partition(".")
    return dt.datetime.fromisoformat(f"{head}.{(fraction + '000000')[:6]}+00:00")
