"""Trigger events: what happens in a run, and can start the steps of a plan."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

SERVER = "server"
Phase = Literal["starts", "fails", "completes"]


@dataclass
class Instruction:
    """How an activity that waits at a trigger event continues: normally, or as a fault demands.

    `order` is one of `go`, `fail`, `hang`, `sleep`; `detail` holds its arguments.
    """

    order: str = "go"
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ActivityTrigger:
    """An attempt of an activity starts, has failed or has completed, and waits until the actions planned here are done.

    `nth` counts the starts (failures, completions) of this type of activity, retries included.
    """

    phase: Phase
    activity: str
    nth: int
    attempt: int
    workflow_id: str
    activity_id: str
    instruction: Instruction = field(compare=False, default_factory=Instruction)

    def __str__(self) -> str:
        return f"{self.activity} {self.phase} (attempt {self.attempt})"


@dataclass(frozen=True)
class HistoryTrigger:
    """The server has added an event to the runbook's history. `nth` counts the events of its type (`TimerStarted`)."""

    type: str
    nth: int
    id: int

    def __str__(self) -> str:
        return f"event {self.id} {self.type}"


@dataclass(frozen=True)
class LogTrigger:
    """The server, or a member of the patient (`where`), has logged a line. `number` counts its lines in this run."""

    line: str
    number: int
    where: str = SERVER

    def __str__(self) -> str:
        who = "the server" if self.where == SERVER else f"{self.where} of the patient"
        return f"{who} logs {self.line[:80]!r}"


@dataclass(frozen=True)
class TimeTrigger:
    """A moment has come that waits by itself, such as a time or a condition."""

    moment: object
    what: str

    def __str__(self) -> str:
        return self.what


TriggerEvent = ActivityTrigger | HistoryTrigger | LogTrigger | TimeTrigger
