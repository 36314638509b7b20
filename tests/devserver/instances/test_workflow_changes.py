"""Workflows that start and close, as a server in the foreground shows them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from devserver.instances import workflow_changes
from devserver.instances.workflow_changes import WorkflowChanges, WorkflowWatcher


class OddServer:
    """Answers with something that is no list of workflows."""

    def __init__(self, answer: dict[str, Any]) -> None:
        self._answer = answer

    def namespaces(self) -> list[str]:
        """Return the only one."""
        return ["default"]

    def workflows(self, namespace: str, query: str, page: int) -> tuple[list[dict[str, Any]], bool]:
        """Return one that has not what a workflow has."""
        return [self._answer], True


@pytest.mark.parametrize("answer", [{}, {"execution": None}, {"execution": {"workflowId": "w"}, "type": {"name": "T"}}])
def test_an_odd_answer_shows_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: dict[str, Any]) -> None:
    """The supervisor continues: the server must not end because a line cannot be shown."""
    monkeypatch.setattr(workflow_changes, "HttpApi", lambda *_, **__: OddServer(answer))
    record: Any = SimpleNamespace(database=tmp_path / "server.db", host="127.0.0.1", ports=SimpleNamespace(http=1))
    assert WorkflowWatcher(record).look() == WorkflowChanges()
