"""Histories of the Go, Java and core SDKs: what their markers record, and what failures and steps say beside names."""

from __future__ import annotations

import asyncio
import io
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from devserver.history import StoredHistories, find_histories
from devserver.otel import spans_of
from devserver.search import Search, SearchQuery
from tests.conftest import Run
from tests.helpers.histories import HistoryDocument, failure, payload, payloads

LOCAL = "LocalActivity"


def go() -> HistoryDocument:
    """What a Go worker records."""
    history = HistoryDocument("go-order", "Order", "tea")
    history.task()

    def local(name: str, attempt: int = 1) -> dict[str, Any]:
        return payloads(
            {"ActivityID": "1", "ActivityType": name, "ReplayTime": "2026-11-02T09:30:00Z", "Attempt": attempt}
        )

    history.marker(LOCAL, {"data": local("Slow"), "result": payloads("slow")})
    declined = failure("card declined", "CardDeclined", cause={"message": "no funds", "applicationFailureInfo": {}})
    declined["applicationFailureInfo"] |= {"nonRetryable": True, "details": payloads({"code": 7})}
    history.marker(LOCAL, {"data": local("Charge", 3)}, failure=declined)
    history.marker("Version", {"change-id": payloads("c"), "version": payloads(4)})
    history.marker("Version", {"change-id": payloads("old"), "version": payloads(-1)})
    history.marker("SideEffect", {"side-effect-id": payloads(1), "data": payloads(1234)})
    values = {"data": payloads("cfg", payloads({"Max": 5})), "side-effect-id": payloads("cfg_1")}
    history.marker("MutableSideEffect", values)
    return history.completed("ok")


def java() -> HistoryDocument:
    """What a Java worker records."""
    history = HistoryDocument("java-order", "Order", "tea", number=2)
    history.task()
    milliseconds = round(history.at.timestamp() * 1000)
    for name, value, attempts in (("Slow", 60, 1), ("Flaky", 3, 3)):
        history.marker(
            LOCAL,
            {
                "type": payloads(name),
                "activityId": payloads(f"id-{name}"),
                "input": payloads(value),
                "time": payloads(milliseconds + 5),
                "meta": payloads({"firstSkd": milliseconds, "atpt": attempts, "backoff": None}),
                "result": payloads(value),
            },
        )
    history.marker("Version", {"changeId": payloads("c"), "version": payloads(4)})
    history.marker("SideEffect", {"data": payloads(1234)})
    history.marker("MutableSideEffect", {"data": payloads(5), "id": payloads("cfg"), "skipCount": payloads(0)})
    return history.completed("ok")


def core() -> HistoryDocument:
    """What workers of Python, TypeScript, .NET and Ruby record, and a timer with a summary."""
    history = HistoryDocument("core-order", "Order", "tea", number=3)
    history.task()
    started = history.at - timedelta(seconds=0.01)  # the workflow task; the activities begin 5 ms later
    times = {"original_schedule_time": stamp(started + timedelta(seconds=0.005))}
    for name, attempt, took in (("slow", 1, 0.06), ("busy", 2, 0.001)):
        data = {"activity_type": name, "activity_id": name, "attempt": attempt, **times}
        data["complete_time"] = stamp(started + timedelta(seconds=took))
        details = {"data": payloads(data), "result": payloads("slow")}
        history.marker("core_local_activity", details, after=0.5 if name == "slow" else 0.01)
    history.marker("core_patch", {"patch-data": payloads({"id": "c", "deprecated": False})})
    summary = {"summary": payload("wait for the bank")}
    timer = history.add("TimerStarted", timerId="1", startToFireTimeout="5s", userMetadata=summary)
    history.add("TimerFired", after=5, timerId="1", startedEventId=str(timer))
    history.add("WorkflowPropertiesModified", upsertedMemo={"fields": {"note": payload("hello")}})
    return history.completed("ok")


def stamp(when: datetime) -> dict[str, int]:
    """A time as the shared core writes it."""
    return {"seconds": int(when.timestamp()), "nanos": when.microsecond * 1000}


def reader(*histories: HistoryDocument) -> StoredHistories:
    """The histories as `trace` reads them."""
    return StoredHistories([find_histories("-", io.BytesIO(each.data)).histories[0] for each in histories])


def traced(devserver: Run, folder: Path, history: HistoryDocument) -> str:
    """The tree of a history."""
    file = folder / "history.json"
    file.write_bytes(history.data)
    done = devserver("trace", str(file), env={"COLUMNS": "120"})
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_go_is_shown_whole(devserver: Run, tmp_path: Path) -> None:
    """Local activities have their names and attempts, an unknown duration is unknown, markers have their values."""
    shown = traced(devserver, tmp_path, go())
    for text in (
        'Slow (local), duration unknown  → "slow"',
        "Charge (local), failed, duration unknown, 3 attempts",
        "no funds",
        'non-retryable, details {"code": 7}',
        "version c = 4",
        "version old = default",
        "side effect  → 1234",
        'mutable side effect cfg  → {"Max": 5}',
    ):
        assert text in shown, shown
    assert "0 ms" not in shown.partition("\n")[2]


def test_java_is_shown_whole(devserver: Run, tmp_path: Path) -> None:
    """Local activities have names, inputs, attempts and starts; versions their change, side effects their values."""
    shown = traced(devserver, tmp_path, java())
    for text in (
        "Slow (local), duration unknown  60 → 60",
        "Flaky (local), duration unknown, 3 attempts  3 → 3",
        "version c = 4",
        "side effect  → 1234",
        "mutable side effect cfg  → 5",
    ):
        assert text in shown, shown
    assert "0.03 s ├─ ✓ Slow" in shown


def test_core_is_shown_whole(devserver: Run, tmp_path: Path) -> None:
    """A patch, a local activity with its time, a summary that cannot be taken for an argument, and memo values."""
    shown = traced(devserver, tmp_path, core())
    for text in (
        "0.03 s ├─ ✓ slow (local), 60 ms  ",
        "busy (local), 515 ms, 2 attempts",  # until it was recorded: the core has the time of the last attempt only
        "patch c",
        "timer 5 s  summary: wait for the bank",
        'memo note  = "hello"',
        'memo note = "hello"',
    ):
        assert text in shown, shown


def test_a_session_of_go_takes_two_lines(devserver: Run, tmp_path: Path) -> None:
    """The side effect and the signal that a session adds for itself are folded; `--no-fold` shows them."""
    history = HistoryDocument("go-order", "Order", "tea")
    history.task()
    history.marker("SideEffect", {"side-effect-id": payloads(1), "data": payloads("session-id")})
    history.activity("internalSessionCreationActivity", "session-id")
    history.add("WorkflowExecutionSignaled", signalName="session-id", input=payloads({"HostName": "shop-7"}))
    history.activity("ship", "tea", result="sent")
    history.activity("internalSessionCompletionActivity", "session-id")
    shown = traced(devserver, tmp_path, history.completed("ok"))
    lines = [line.partition("─ ✓ ")[2].partition(",")[0] for line in shown.splitlines() if "─ ✓" in line]
    assert lines == ["session on shop-7", "ship", "session ends", 'completed  "ok"']
    assert devserver("trace", str(tmp_path / "history.json"), "--no-fold").stdout.count("session-id") == 4


def test_a_search_without_hits_says_why(devserver: Run, tmp_path: Path) -> None:
    """An activity that exists and does not meet the other conditions is told from a wrong name and a wrong case."""
    file = tmp_path / "history.json"
    file.write_bytes(java().data)
    few = devserver("search", "--file", str(file), "--activity", "Slow", "--attempts", ">=9")
    assert (few.returncode, few.stdout) == (1, "")
    assert "there are activities of the type Slow; none meets the other conditions" in few.stderr
    assert "did you mean" not in few.stderr
    assert "did you mean Slow?" in devserver("search", "--file", str(file), "--activity", "slow").stderr
    long = devserver("search", "--file", str(file), "--activity", "Slow", "--longer", "1ms")
    assert "do not record how long a local activity took" in long.stderr


def test_spans_and_searches_know_what_is_unknown() -> None:
    """A local activity without a duration is not 0 ms long: not in a search for durations, and marked in its span."""

    async def look() -> tuple[list[str], list[str], dict[str, Any], list[str], list[float]]:
        stored = reader(go(), java(), core())
        named = [hit.name async for hit in Search(stored, SearchQuery(activity="S*"))]
        short = [hit.workflow_id async for hit in Search(stored, SearchQuery(activity="*", shorter=1))]
        hits = Search(stored, SearchQuery(activity="*", longer=0.05))
        took = [round(hit.seconds or 0, 6) async for hit in hits if hit.workflow_id == "core-order"]
        bank = [hit.kind async for hit in Search(stored, SearchQuery(text="bank"))]
        spans = [span async for span in spans_of(reader(go(), core()), "go-order")]
        spans += [span async for span in spans_of(reader(core()), "core-order")]
        return named, short, {span.name: span.attributes for span in spans}, bank, took

    named, short, spans, bank, took = asyncio.run(look())
    assert sorted(named) == ["Slow", "Slow"]
    assert short == ["core-order", "core-order"]
    assert took == [0.515, 0.06]
    assert spans["local activity Slow"]["temporal.duration_unknown"] is True
    assert spans["timer"]["temporal.summary"] == "wait for the bank"
    assert bank == ["timer"]


@pytest.mark.parametrize(
    ("wrapped", "line"),
    [
        (  # Java: a null pointer in workflow code
            failure(
                "Failure handling event 8 of type 'EVENT_TYPE_WORKFLOW_TASK_STARTED'",
                "io.temporal.internal.statemachines.InternalWorkflowTaskException",
                cause=failure(
                    "null", "java.lang.RuntimeException", cause=failure("Cannot invoke it", "NullPointerException")
                ),
            ),
            "NullPointerException: Cannot invoke it",
        ),
        (  # Go: a Nexus handler that refuses
            {
                "message": "nexus operation completed unsuccessfully",
                "nexusOperationExecutionFailureInfo": {"service": "shop"},
                "cause": failure("", "OperationError", cause=failure("op refused")),
            },
            "op refused",
        ),
    ],
)
def test_one_failure_of_a_chain_is_shown_everywhere(
    devserver: Run, tmp_path: Path, wrapped: dict[str, Any], line: str
) -> None:
    """Wrappers step aside for their cause: alike in the tree, the JSON, the page, spans and searches."""
    history = HistoryDocument("order-1", "Order")
    history.task()
    history.failed(wrapped)
    shown = traced(devserver, tmp_path, history)
    file, page = str(tmp_path / "history.json"), tmp_path / "page.html"
    assert line in shown
    assert json.loads(devserver("trace", file, "--json").stdout)["runs"][0]["last_failure"] == line
    assert devserver("trace", file, "--html", str(page)).returncode == 0
    assert line in page.read_text()

    async def others() -> tuple[list[str | None], list[str]]:
        stored = reader(history)
        hits = [hit.last_failure async for hit in Search(stored, SearchQuery(failure=line.split(": ")[-1]))]
        return [span.error async for span in spans_of(stored, "order-1")], hits

    assert asyncio.run(others()) == ([line, line], [line])


def test_a_start_that_is_not_due_is_no_running_workflow(devserver: Run, tmp_path: Path) -> None:
    """A start delay or a cron schedule that is not due yet is shown with the time left."""
    history = HistoryDocument("nightly", "Report")
    history.events[0]["workflowExecutionStartedEventAttributes"] |= {
        "firstWorkflowTaskBackoff": "40s",
        "cronSchedule": "0 3 * * *",
    }
    history.add("WorkflowExecutionSignaled", after=1, signalName="early")
    shown = traced(devserver, tmp_path, history)
    assert shown.count("starts in 39 s") == 2
    assert "cron schedule 0 3 * * *" in shown
    assert "running" not in shown
