"""Advice on code that does not match its history is in the words of the SDK that runs it."""

from __future__ import annotations

import io

import pytest

from devserver.history import HistoryTail, find_histories
from devserver.stuck.causes import of_workflow_task
from tests.helpers.histories import HistoryDocument


@pytest.mark.parametrize(
    ("sdk", "source", "word"),
    [
        ("temporal-go", "", "workflow.GetVersion"),
        ("temporal-java", "GoSDK", "Workflow.getVersion"),
        ("temporal-typescript", "", "patched()"),
        ("temporal-python", "", "workflow.patched:"),
        ("", "GoSDK", "workflow.GetVersion"),
        ("", "", "your SDK's patching or versioning"),
    ],
)
def test_the_word_of_the_sdk(sdk: str, source: str, word: str) -> None:
    """The SDK is the one that completed a workflow task, else the one of the failure; without either, no SDK's word."""
    history = HistoryDocument()
    history.task(sdkMetadata={"sdkName": sdk, "sdkVersion": "1"})
    text = "[TMPRL1100] it does not match"
    failure = {"message": text, "source": source, "applicationFailureInfo": {}}
    cause = "WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR"
    history.add("WorkflowTaskFailed", scheduledEventId="9", cause=cause, failure=failure)
    events = find_histories("-", io.BytesIO(history.data)).histories[0].events
    failed = HistoryTail(list(reversed(events))).failed_task()
    assert failed is not None
    assert f"guard the change with {word}" in of_workflow_task("order-1", failed, [text]).text
