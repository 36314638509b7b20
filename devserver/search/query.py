"""The query of a search: conditions on a step, all of which it must match, and on the runs that are searched."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Literal

from temporalio.api.workflow.v1 import WorkflowExecutionInfo

from ..client.list_filters import quote
from ..client.timestamps import to_datetime
from ..errors import OptionError

Comparison = Literal[">=", "<=", "=", ">", "<"]
# In the order of the numbers of the API, from 1.
STATES = (
    "Running",
    "Completed",
    "Failed",
    "Canceled",
    "Terminated",
    "ContinuedAsNew",
    "TimedOut",
    "Paused",
)
MOST_TEXT = 1000
_ATTEMPTS = re.compile(r"^\s*(>=|<=|==|=|>|<)?\s*(\d+)\s*(\+)?\s*$")


@dataclass(frozen=True)
class Attempts:
    """A comparison with the number of attempts."""

    comparison: Comparison
    number: int

    @classmethod
    def parse(cls, text: str) -> Attempts:
        """Of `3`, `>=3`, `3+`, `<2`.

        Raises:
            OptionError: It is none of these.
        """
        found = _ATTEMPTS.match(text)
        if found is None or (found[1] and found[3]):
            raise OptionError(f"{text!r} is no number of attempts", hint="for example 3, or '>=3', or '<2'")
        sign: Comparison = ">=" if found[3] else "=" if found[1] in (None, "=", "==") else found[1]  # type: ignore[assignment]
        return cls(sign, int(found[2]))


@dataclass(frozen=True)
class SearchQuery:
    """Conditions; one that is not set matches everything. Those on steps must all match the same step.

    Names are whole and case counts; `*` stands for anything. Texts are found anywhere and in any case.

    Attributes:
        text: In the name of a step, or in a failure.
        activity: The activity type.
        events: Event types (numbers), one of which the step must have.
        failure: In a failure: message, type, stack trace, causes, or a reason that was given.
        attempts: Of an activity, a workflow task, a Nexus operation or the workflow itself.
        longer, shorter: How long the step took, seconds; what is open counts until now.
        worker: Identity of the worker, or of the client that sent it.
        build: Build id of the worker.
        since, until: The step, or with `events` its event, was under way in that time.
        workflow_type, status: Of the run.
        query: A list filter that the run must also match.
        open: Runs that are open only, or those that are closed.
    """

    text: str | None = None
    activity: str | None = None
    events: Sequence[int] = field(default_factory=tuple)
    failure: str | None = None
    attempts: Attempts | None = None
    longer: float | None = None
    shorter: float | None = None
    worker: str | None = None
    build: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    workflow_type: str | None = None
    status: str | None = None
    query: str | None = None
    open: bool | None = None

    def __post_init__(self) -> None:
        for name in ("text", "failure", "activity", "worker", "build"):
            text = getattr(self, name)
            if text == "":
                raise OptionError(f"an empty {name} is found everywhere", hint="say what to look for, or leave it out")
            if text is not None and len(text) > MOST_TEXT:
                raise OptionError(f"a {name} of {len(text):,} letters is too long", hint=f"use at most {MOST_TEXT:,}")
        if self.since is not None and self.until is not None and self.since > self.until:
            raise OptionError("the time begins after it ends", hint="--since is the earlier time, --until the later")

    @property
    def about_steps(self) -> bool:
        """Whether it has conditions on steps; otherwise the search is for runs."""
        on_steps = (self.text, self.activity, self.failure, self.attempts, self.longer, self.shorter)
        return bool(self.events) or any(step is not None for step in (*on_steps, self.worker, self.build))

    @property
    def about_failures(self) -> bool:
        """Whether it looks into texts of failures."""
        return self.text is not None or self.failure is not None

    @property
    def about_runs(self) -> bool:
        """Whether it has conditions on runs, or on time."""
        on_runs = (self.workflow_type, self.status, self.query, self.open, self.since, self.until)
        return any(run is not None for run in on_runs)

    def takes_run(self, info: WorkflowExecutionInfo) -> bool:
        """Whether a run may match: the conditions of `list_filter` but `query`, without a server."""
        closed = info.HasField("close_time")
        named = status_word(info.status)
        return (
            (self.workflow_type is None or matches(self.workflow_type, info.type.name))
            and (self.status is None or self.status == named)
            and (self.open is None or self.open is not closed)
            and (self.since is None or not closed or to_datetime(info.close_time) >= self.since)
            and (self.until is None or to_datetime(info.start_time) <= self.until)
        )

    def list_filter(self) -> str:
        """The list filter of the runs that may match."""
        parts = [f"({self.query})"] if self.query else []
        if self.workflow_type is not None:
            parts.append(_typed(self.workflow_type))
        if self.status is not None:
            parts.append(f"ExecutionStatus = {quote(self.status)}")
        if self.open is not None:
            parts.append(f"CloseTime IS {'' if self.open else 'NOT '}NULL")
        if self.since is not None:
            parts.append(f"(CloseTime >= {_moment(self.since)} OR CloseTime IS NULL)")
        if self.until is not None:
            parts.append(f"StartTime <= {_moment(self.until)}")
        return " AND ".join(part for part in parts if part)


def matches(pattern: str, name: str) -> bool:
    """Whether a name is the pattern's, in which `*` stands for anything."""
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), name, re.DOTALL) is not None


def status_word(number: int) -> str:
    """A run's status as the server writes it in lists."""
    return STATES[number - 1] if 0 < number <= len(STATES) else ""


def status_named(text: str) -> str:
    """A status as the server writes it, from any usual spelling: `failed`, `TIMED_OUT`, `timed-out`.

    Raises:
        OptionError: There is none of that name.
    """
    plain = re.sub(r"[^a-z]", "", text.lower()).removeprefix("workflowexecutionstatus")
    known = {name.lower(): name for name in STATES} | {"open": "Running", "cancelled": "Canceled"}
    if plain not in known:
        raise OptionError(f"unknown status {text}", hint=f"one of {', '.join(STATES)}")
    return known[plain]


def _typed(name: str) -> str:
    """The list filter of a workflow type: the server knows whole names and beginnings."""
    if "*" not in name:
        return f"WorkflowType = {quote(name)}"
    beginning = name.partition("*")[0]
    return f"WorkflowType STARTS_WITH {quote(beginning)}" if beginning else ""


def _moment(when: datetime) -> str:
    return f"'{when.astimezone(timezone.utc):%Y-%m-%dT%H:%M:%S.%fZ}'"
