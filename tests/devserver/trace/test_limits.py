"""Repeats are collapsed, failures never are, and long histories need little memory."""

from __future__ import annotations

import asyncio
import json
import tracemalloc
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, timezone

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType
from temporalio.api.failure.v1 import ApplicationFailureInfo, Failure
from temporalio.api.history.v1 import HistoryEvent
from temporalio.converter import DataConverter, PayloadCodec

from devserver.history import RunBuilder, Step, StepStatus, preview
from devserver.history.previews import truncate
from devserver.history.step_builder import MAX_FAILURE, trimmed_failure
from devserver.trace import OmittedSteps, Repeat, fold

START = datetime(2026, 11, 1, tzinfo=timezone.utc)
SECOND = timedelta(seconds=1)


def steps(names: Sequence[str], bad: Sequence[int] = ()) -> list[Step]:
    """Return activities with these names, one a second, some of them failed."""
    return [
        Step("activity", name, at, status(at in bad), START + at * SECOND, closed=START + (at + 1) * SECOND, attempts=1)
        for at, name in enumerate(names)
    ]


def status(bad: bool) -> StepStatus:
    """Return the status of a closed step."""
    return "failed" if bad else "completed"


def short(entries: Sequence[object]) -> list[str]:
    """Return each entry as text: `3x charge ship`, `charge`, `rest 12`."""
    return [
        f"{entry.count}x {' '.join(each.name for each in entry.pattern)}"
        if isinstance(entry, Repeat)
        else f"rest {entry.count}"
        if isinstance(entry, OmittedSteps)
        else entry.name
        for entry in entries
        if isinstance(entry, (Step, Repeat, OmittedSteps))
    ]


@pytest.mark.parametrize(
    ("names", "folded"),
    [
        ("a b c", ["a", "b", "c"]),
        ("a a", ["a", "a"]),
        ("a a a", ["3x a"]),
        ("x a b a b a b y", ["x", "3x a b", "y"]),
        ("a b a b a b a", ["3x a b", "a"]),
        ("a a b a a b a a b", ["3x a a b"]),
        ("a a a a b b b", ["4x a", "3x b"]),
        ("a b c d e f g h i j " * 3, ["3x a b c d e f g h i j"]),
        ("", []),
    ],
)
def test_repeats_are_collapsed(names: str, folded: list[str]) -> None:
    """Three or more rounds of up to ten steps are collapsed; every step is in exactly one entry."""
    assert short(fold(steps(names.split()))) == folded


def test_failures_are_not_collapsed() -> None:
    """Failed, retried and open steps of a repeat are shown in full, with the times of all."""
    done = steps(["charge", "ship"] * 1000, bad=[700])
    done[5].attempts = 3
    done[8].closed, done[8].status = None, "running"
    (repeat,) = fold(done)
    assert isinstance(repeat, Repeat)
    assert (repeat.count, repeat.first, repeat.last, repeat.closed) == (1000, 0, 1999, None)
    assert [step.event_id for step in repeat.notable] == [5, 8, 700]
    charge, ship = repeat.pattern
    assert (charge.count, charge.total, charge.least, charge.most) == (1000, 999 * SECOND, SECOND, SECOND)
    assert ship.total == 1000 * SECOND


def test_the_status_of_a_repeat() -> None:
    """Rounds that are open, or were open when the run closed, are not shown as completed."""
    done = steps(["charge"] * 3)
    ended: list[tuple[StepStatus, datetime | None]] = [("completed", START), ("unfinished", START), ("running", None)]
    for state, closed in ended:
        done[1].status, done[1].closed = state, closed
        (repeat,) = fold(done)
        assert isinstance(repeat, Repeat)
        assert (repeat.status, repeat.unfinished) == (state, int(state == "unfinished"))


def test_the_number_of_entries_is_limited() -> None:
    """Of many different or failed steps a limited number is shown, and the rest by name and count."""
    different = fold(steps([f"step-{at}" for at in range(500)], bad=[499]), most=10)
    assert len(different) == 10
    rest = different[-1]
    assert isinstance(rest, OmittedSteps)
    assert (rest.count, rest.bad, rest.first) == (491, 1, 9)
    (failed,) = fold(steps(["charge"] * 500, bad=range(500)), most=10)
    assert isinstance(failed, Repeat)
    assert (len(failed.notable), failed.hidden) == (9, 491)
    mixed = fold(steps(["charge"] * 50 + ["ship"] * 50, bad=range(100)), most=10)
    assert short(mixed) == ["50x charge", "rest 50"]


def test_a_long_history_takes_little_memory() -> None:
    """50,000 events with inputs of 50 kB each, 800 MB in all, need less than 90 MB."""
    builder = RunBuilder("w", "r")
    tracemalloc.start()
    try:
        for event in events(50_000):
            builder.add(event)
        memory, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (builder.run.events, len(builder.run.steps)) == (50_000, 16_667)
    assert memory < 90_000_000


def events(count: int) -> Iterator[HistoryEvent]:
    """Return activities with three events each."""
    data = json.dumps("x" * 50_000).encode()
    for number in range(1, count + 1):
        event = HistoryEvent(event_id=number)
        opener = number - (number - 1) % 3
        if number == opener:
            event.event_type = EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
            scheduled = event.activity_task_scheduled_event_attributes
            scheduled.activity_id, scheduled.activity_type.name = f"{number}", "charge"
            scheduled.input.payloads.add(metadata={"encoding": b"json/plain"}, data=data)
        elif number == opener + 1:
            event.event_type = EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED
            event.activity_task_started_event_attributes.scheduled_event_id = opener
        else:
            event.event_type = EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED
            event.activity_task_completed_event_attributes.scheduled_event_id = opener
        yield event


def test_repeated_and_unknown_events() -> None:
    """A page that is read again changes nothing; unknown event types, and events without an opening one, are
    skipped."""
    builder = RunBuilder("w", "r")
    for event in [*events(9), *events(9)]:
        builder.add(event)
    builder.add(HistoryEvent(event_id=10, event_type=9999))  # type: ignore[arg-type]
    fired = HistoryEvent(event_id=11, event_type=EventType.EVENT_TYPE_TIMER_FIRED)
    fired.timer_fired_event_attributes.started_event_id = 4711
    assert builder.add(fired) is None
    assert ([step.status for step in builder.run.steps], builder.run.events) == (["completed"] * 3, 11)


def test_failed_attempts_of_a_workflow_task() -> None:
    """The history has one failure of several in a row; their number stays when the workflow continues."""
    builder = RunBuilder("w", "r")
    first = HistoryEvent(event_id=3, event_type=EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED)
    first.workflow_task_failed_event_attributes.failure.message = "a bug"
    again = HistoryEvent(event_id=4, event_type=EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED)
    again.workflow_task_scheduled_event_attributes.attempt = 5
    well = HistoryEvent(event_id=6, event_type=EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED)
    for event in (first, again, well):
        builder.add(event)
    assert [(step.kind, step.attempts) for step in builder.run.steps] == [("workflow_task_failure", 4)]
    assert builder.run.failed_tasks.count == 1


def test_skipped_time() -> None:
    """All skips are added up; an empty skip adds nothing."""
    builder = RunBuilder("w", "r")
    for number, (before, after) in enumerate([(100, 400), (400, 1000), (1000, 1000)], 2):
        kind = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIME_SKIPPING_TRANSITIONED
        leap = HistoryEvent(event_id=number, event_type=kind)
        leap.event_time.seconds = before
        leap.workflow_execution_time_skipping_transitioned_event_attributes.target_time.seconds = after
        builder.add(leap)
    assert builder.run.skipped == timedelta(seconds=900)


class Rot13(PayloadCodec):
    """A codec that can only decode its own payloads."""

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Not used."""
        return list(payloads)

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Fail for payloads of another codec."""
        if payloads[0].metadata["encoding"] != b"binary/encrypted":
            raise ValueError("not mine")
        return [Payload(metadata={"encoding": b"json/plain"}, data=payloads[0].data[::-1])]


@pytest.mark.parametrize(
    ("encoding", "data", "shown"),
    [
        ("json/plain", b'{"a":  [1, "\xc3\xa9\\n"]}', '{"a": [1, "\u00e9\\n"]}'),
        ("json/plain", b"no json", "no json"),
        ("json/plain", b"[" * 4000, "[" * 197 + "..."),
        ("json/plain", b'"' + b"x" * 10_000 + b'"', '"' + "x" * 196 + "..."),
        ("json/plain", b"\xff\xfe", "\ufffd\ufffd"),
        ("binary/null", b"", "null"),
        ("binary/plain", b"x" * 1234, "(1.2 kB)"),
        ("binary/encrypted", b"x" * 1234, "(encoded: binary/encrypted, 1.2 kB)"),
        ("", b"x", "(encoded: unknown, 1 bytes)"),
    ],
)
def test_values_in_one_line(encoding: str, data: bytes, shown: str) -> None:
    """An undecodable value is shown by encoding and size, and a long value is truncated."""
    truncated = truncate([Payload(metadata={"encoding": encoding.encode()}, data=data)])
    assert asyncio.run(preview(truncated, DataConverter.default)) == shown


def test_values_behind_a_codec_and_elsewhere() -> None:
    """The client's codec is used; undecodable, too long and externally stored values are marked."""
    converter = DataConverter(payload_codec=Rot13())
    secret = Payload(metadata={"encoding": b"binary/encrypted"}, data=b'"terces"')
    foreign = Payload(metadata={"encoding": b"binary/zlib"}, data=b"x")
    long = Payload(metadata={"encoding": b"binary/encrypted"}, data=b"x" * 5000)
    elsewhere = Payload(metadata={"encoding": b"json/protobuf"}, data=b"{}")
    elsewhere.external_payloads.add(size_bytes=200_000_000)
    shown = [
        '"secret"',
        "(encoded: binary/zlib, 1 bytes: ValueError: not mine)",
        "(encoded: binary/encrypted, 5.0 kB)",
        "(external storage, 200.0 MB)",
    ]
    truncated = truncate([secret, foreign, long, elsewhere])
    assert asyncio.run(preview(truncated, converter)) == ", ".join(shown)
    assert asyncio.run(preview(truncated, converter, 20)) == '"secret", (encode...'


def test_failures_are_truncated() -> None:
    """Long messages and stack traces are truncated, also in causes."""
    failure = Failure(message="x" * 1_000_000, stack_trace="y" * 1_000_000)
    failure.cause.CopyFrom(Failure(message="z" * 1_000_000, application_failure_info=ApplicationFailureInfo(type="T")))
    trimmed = trimmed_failure(failure)
    assert trimmed.ByteSize() < MAX_FAILURE
    assert (trimmed.message[:2], trimmed.cause.message[:2], trimmed.cause.application_failure_info.type) == (
        "xx",
        "zz",
        "T",
    )
