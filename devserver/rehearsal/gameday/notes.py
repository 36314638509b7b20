"""What is noted during a game day: what the person said and did, and what the tools showed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

NoteKind = Literal["noticed", "cause", "hint", "action", "trigger", "recovered", "end"]
Ending = Literal["recovered", "person", "facilitator", "limit", "interrupted", "problem"]
CHANGE = "a change"
END = "the end"
MOST_TEXT = 500  # characters that a person can say at once


@dataclass(frozen=True)
class GameDayNote:
    """Something that was said or done, `at` seconds after the run's start.

    Attributes:
        kind: What it is: `action` is one of the game day's own, `trigger` a step that the facilitator started.
        text: What was said; the name of the action; the hint.
        right: Whether a cause is the right one, or an action a remedy; None: not judged.
        judged_by: Who judged a cause: `words` (of the scenario) or `facilitator`; None: nobody.
        problem: Why an action could not be done.
    """

    at: float
    kind: NoteKind
    text: str
    right: bool | None = None
    judged_by: str | None = None
    problem: str | None = None


@dataclass(frozen=True)
class Observation:
    """What the tools showed at a moment.

    Attributes:
        at: When, in seconds after the run's start.
        stuck: What `devserver stuck` listed.
        failures: Failures so far: of attempts of activities, of workflow tasks.
        cluster: The members of the cluster that did not run, and what became of its workload in the last seconds.
        why: What the moment was: a change, or what the person said.
    """

    at: float
    stuck: Sequence[str] = ()
    failures: Mapping[str, int] = field(default_factory=dict)
    cluster: Sequence[str] = ()
    why: str = ""


@dataclass(frozen=True)
class ServerAction:
    """Something that was done on the server, as its histories show it.

    Attributes:
        at: When, in seconds after the run's start.
        kind: `signal`, `cancel`, `terminate`, `reset`, `pause`, `unpause`, `update`, `options` or `start`.
        what: It in words.
        workflow_id: Of which workflow.
        by: The identity of the client.
    """

    at: float
    kind: str
    what: str
    workflow_id: str
    by: str
