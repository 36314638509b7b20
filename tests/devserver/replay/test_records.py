"""Recordings of long histories: scrubbed, they are the same for each run, and replay."""

from __future__ import annotations

import asyncio
import json
import uuid
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from temporalio import workflow
from temporalio.client import WorkflowHistory

from devserver.replay.outcomes import Candidate
from devserver.replay.records import HistoryRecorder
from devserver.replay.replayer import WorkflowCode, replay

ROUNDS = 300
QUEUE = {"name": "loops", "kind": "TASK_QUEUE_KIND_NORMAL"}
ROUND = {"payloads": [{"metadata": {"encoding": "anNvbi9wbGFpbg=="}, "data": "MzAw"}]}  # json/plain, 300


@workflow.defn(sandboxed=False)
class Rounds:
    """Sleeps again and again."""

    @workflow.run
    async def run(self, rounds: int) -> int:
        """The number of rounds."""
        for _ in range(rounds):
            await workflow.sleep(timedelta(minutes=1))
        return rounds


class Events:
    """Makes the events of a run, with ids and times of its own."""

    def __init__(self, began: datetime) -> None:
        self.events: list[dict[str, Any]] = []
        self._now = began

    def add(self, kind: str, seconds: float = 0.013, **attributes: Any) -> str:
        """Add an event; its id."""
        self._now += timedelta(seconds=seconds)
        number = str(len(self.events) + 1)
        event = {"eventId": number, "eventTime": self._now.isoformat().replace("+00:00", "Z")}
        name = kind[0].lower() + kind[1:] + "EventAttributes"
        self.events.append({**event, "eventType": kind, "taskId": f"1{number}", name: attributes})
        return number

    def task(self) -> str:
        """A workflow task of a worker."""
        scheduled = self.add("WorkflowTaskScheduled", taskQueue=QUEUE, attempt=1)
        started = self.add(
            "WorkflowTaskStarted", scheduledEventId=scheduled, requestId=str(uuid.uuid4()), identity="1@host"
        )
        return self.add("WorkflowTaskCompleted", scheduledEventId=scheduled, startedEventId=started, identity="1@host")


def history_of(began: datetime) -> WorkflowHistory:
    """The history of a run that began then: five events for each round."""
    run_id, events = str(uuid.uuid4()), Events(began)
    events.add(
        "WorkflowExecutionStarted",
        workflowType={"name": "Rounds"},
        taskQueue=QUEUE,
        input=ROUND,
        originalExecutionRunId=run_id,
        firstExecutionRunId=run_id,
        identity="1@host",
        attempt=1,
    )
    completed = events.task()
    for number in range(1, ROUNDS + 1):
        attributes: dict[str, Any] = {
            "timerId": str(number),
            "startToFireTimeout": "60s",
            "workflowTaskCompletedEventId": completed,
        }
        started = events.add("TimerStarted", **attributes)
        events.add("TimerFired", 60.0, timerId=str(number), startedEventId=started)
        completed = events.task()
    events.add("WorkflowExecutionCompleted", result=ROUND, workflowTaskCompletedEventId=completed)
    return WorkflowHistory.from_json("rounds", {"events": events.events})


def test_a_long_history_is_scrubbed(tmp_path: Path) -> None:
    """Two runs of 1,500 events give the same file, without their ids, times and hosts; the file replays."""
    code = WorkflowCode.of_classes([Rounds])

    async def record() -> tuple[list[str], list[bool]]:
        texts, replayed = [], []
        for day in (1, 2):
            recorder = HistoryRecorder(tmp_path / str(day), scrub=True)
            history = history_of(datetime(2026, 11, day, tzinfo=timezone.utc))
            file = await recorder.write(Candidate("rounds", "", "Rounds"), history, code)
            texts.append(file.read_text())
            [again] = await replay([WorkflowHistory.from_json("rounds", texts[-1])], code)
            replayed.append(again.divergence is None)
        return texts, replayed

    (one, other), replayed = asyncio.run(record())
    assert replayed == [True, True]
    assert one == other
    assert "2026-11" not in one
    assert "1@host" not in one
    assert len(json.loads(one)["events"]) == 5 + 5 * ROUNDS
    assert json.loads(one)["events"][-1]["eventTime"] == "2000-01-01T05:00:00Z"  # 300 minutes later
