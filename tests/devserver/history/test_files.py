"""Histories in files: every form that Temporal's tools and SDKs write, and a clear word on what is none."""

from __future__ import annotations

import asyncio
import copy
import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict
from temporalio.api.history.v1 import History

from devserver.history import HistoryFileError, RunBuilder, StoredHistories, find_histories, read_history
from tests.helpers.histories import HistoryDocument, in_snake_case, of_2020, order


def _numbered(document: Any) -> Any:
    """Enums as numbers, and times as seconds and nanoseconds."""
    changed = copy.deepcopy(document)
    parsed = ParseDict(document, History())
    for event, read in zip(changed["events"], parsed.events, strict=True):
        event["eventType"] = read.event_type
        event["eventTime"] = {"seconds": str(read.event_time.seconds), "nanos": read.event_time.nanos}
    return changed


def _shorthand(document: Any) -> Any:
    """Payloads as the Temporal CLI writes them: their values."""
    changed = copy.deepcopy(document)
    for event in changed["events"]:
        attributes = next(value for key, value in event.items() if key.endswith("Attributes"))
        for name in ("input", "result"):
            if name in attributes:
                read = ParseDict({"events": [event]}, History()).events[0]
                values = getattr(getattr(read, read.WhichOneof("attributes") or ""), name).payloads
                attributes[name] = [json.loads(value.data) if value.data else None for value in values]
    return changed


FORMS: dict[str, Callable[[Any], bytes]] = {
    "the Web UI's download": lambda document: json.dumps(document).encode(),
    "enums of 2020": lambda document: json.dumps(of_2020(document)).encode(),
    "snake_case keys": lambda document: json.dumps(in_snake_case(document)).encode(),
    "numbers": lambda document: json.dumps(_numbered(document)).encode(),
    "the CLI's shorthand": lambda document: json.dumps(_shorthand(document)).encode(),
    "a bare list": lambda document: json.dumps(document["events"]).encode(),
    "an answer of the API": lambda document: json.dumps({"history": document, "nextPageToken": ""}).encode(),
    "a byte order mark": lambda document: b"\xef\xbb\xbf" + json.dumps(document).encode(),
    "UTF-16": lambda document: json.dumps(document).encode("utf-16"),
    "gzip": lambda document: gzip.compress(json.dumps(document).encode()),
    "Protobuf": lambda document: ParseDict(document, History()).SerializeToString(),
    "newest event first": lambda document: json.dumps({"events": document["events"][::-1]}).encode(),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_history_is_read_alike(tmp_path: Path, form: str) -> None:
    """However a tool wrote the history, its events are the same."""
    file = tmp_path / "order.json"
    file.write_bytes(FORMS[form](order().document))
    history = read_history(file)
    assert (history.workflow_id, history.workflow_type) == ("order-1", "Order")
    assert History(events=history.events) == ParseDict(order().document, History())


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"{}", "is empty"),
        (b'{"name": "shop"}', "has no events"),
        (b"[]", "has no events"),
        (b"42", "is JSON, but no history"),
        (b"[1, 2]", "its events are not objects"),
        (b'{"events": [', "is not JSON: line 1, column 13"),
        (b"[" * 5000, "is n"),
        (b"\xff\x00\x80\x81", "is n"),
        (b"\x00\x80\x81", "is neither JSON nor a history in Protobuf"),
        (gzip.compress(b"{}" * 1000)[:-9], "cannot be uncompressed"),
        (json.dumps(order().events[3:]).encode(), "its first event is 4"),
        (json.dumps([{"eventId": "1", "eventType": "TimerFired"}]).encode(), "does not begin with the start"),
        (json.dumps([{"eventId": "x"}]).encode(), "event 1 cannot be read"),
        (json.dumps([{"eventId": "1", "links": 3}]).encode(), "event 1 cannot be read"),
    ],
    ids=range(15),
)
def test_what_is_no_history_is_said(tmp_path: Path, content: bytes, reason: str) -> None:
    """A file that is no history is one sentence, with the name of the file and the reason."""
    file = tmp_path / "package.json"
    file.write_bytes(content)
    with pytest.raises(HistoryFileError) as found:
        read_history(file)
    assert found.value.message.startswith(str(file))
    assert reason in found.value.message
    assert "\n" not in found.value.message


def test_a_value_that_this_sdk_does_not_know_is_left_out(tmp_path: Path) -> None:
    """A history of a newer server is read as far as it is known."""
    history = order()
    history.events[1]["eventType"] = "EVENT_TYPE_OF_NEXT_YEAR"
    history.events[2]["ofNextYear"] = {"a": 1}
    file = tmp_path / "new.json"
    file.write_bytes(history.data)
    builder = RunBuilder("order-1", "")
    for event in read_history(file).events:
        builder.add(event)
    assert (builder.run.status, len(builder.run.steps)) == ("completed", 3)


def test_a_folder_names_what_it_skips(tmp_path: Path) -> None:
    """Histories are found in all folders below; a file that is none is named with the reason."""
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "order.json.gz").write_bytes(gzip.compress(order().data))
    (tmp_path / "package.json").write_text('{"name": "shop"}')
    (tmp_path / "notes.txt").write_text("no history has this name")
    found = find_histories(tmp_path)
    assert [history.workflow_id for history in found.histories] == ["order-1"]
    assert found.skipped == (f"{tmp_path / 'package.json'} has no events",)
    (tmp_path / "empty").mkdir()
    with pytest.raises(HistoryFileError, match="has no history of a workflow"):
        find_histories(tmp_path / "empty")


def test_runs_and_children_in_one_folder_belong_together() -> None:
    """Continue-as-new and children are followed from file to file; the tree has one root."""
    first = HistoryDocument("batch", "Batch", number=1)
    child = HistoryDocument("leaf", "Leaf", number=3)
    start = child.events[0]["workflowExecutionStartedEventAttributes"]
    start["parentWorkflowExecution"] = {"workflowId": "batch", "runId": first.run_id}
    initiated = first.add("StartChildWorkflowExecutionInitiated", workflowId="leaf", workflowType={"name": "Leaf"})
    execution = {"workflowId": "leaf", "runId": child.run_id}
    first.add("ChildWorkflowExecutionStarted", initiatedEventId=str(initiated), workflowExecution=execution)
    second = HistoryDocument("batch", "Batch", number=2)
    second.events[0]["workflowExecutionStartedEventAttributes"] |= {
        "continuedExecutionRunId": first.run_id,
        "firstExecutionRunId": first.run_id,
    }
    first.add("WorkflowExecutionContinuedAsNew", newExecutionRunId=second.run_id)
    files = [
        find_histories("-", io.BytesIO(each.data)).histories[0]
        for each in (child.completed(), second.completed(), first)
    ]
    reader = StoredHistories(files)

    async def read() -> tuple[list[str], str]:
        chain = await reader.chain(*reader.stored.roots()[0])
        run = await reader.run(chain.workflow_id, chain.runs[0])
        below = await reader.child(run.steps[0])
        return [run.run_id for run in chain.runs], below.workflow_id if below is not None else ""

    assert len(reader.stored.roots()) == 1
    assert asyncio.run(read()) == ([first.run_id, second.run_id], "leaf")


def test_a_folder_with_too_many_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder such as / is refused within a second, and not searched for minutes."""
    monkeypatch.setattr("devserver.history.files.MOST_LOOKED_AT", 3)
    (tmp_path / "order.json").write_bytes(order().data)
    assert len(find_histories(tmp_path).histories) == 1
    for number in range(3):
        (tmp_path / f"{number}.txt").touch()
    with pytest.raises(HistoryFileError, match="has more than 3 files"):
        find_histories(tmp_path)
