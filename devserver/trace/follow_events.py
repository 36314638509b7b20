"""What a follower of a workflow reports: runs that are followed, steps that change, a server that is away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from ..errors import CannotAsk
from ..history import RunBuilder, Step, WorkflowRun


@dataclass(eq=False)
class FollowedRun:
    """A run that is followed, with those of its children that are open.

    Attributes:
        number: The number of the run in the chain, from 1.
        seen: Whether the events that existed at first were read.
        children: By the id of the event that started the child.
    """

    depth: int
    builder: RunBuilder
    number: int = 1
    seen: bool = False
    children: dict[int, FollowedRun] = field(default_factory=dict)

    @property
    def run(self) -> WorkflowRun:
        """The run, as far as it was read."""
        return self.builder.run

    def all(self) -> Iterator[FollowedRun]:
        """This run and all runs below it."""
        yield self
        for child in list(self.children.values()):
            yield from child.all()


@dataclass(frozen=True)
class RunFollowed:
    """A run is followed from now on; its steps so far were read."""

    followed: FollowedRun


@dataclass(frozen=True)
class StepChanged:
    """A step was opened, changed, or closed."""

    followed: FollowedRun
    step: Step


@dataclass(frozen=True)
class RunClosed:
    """A run closed; if another one follows it, that is followed next."""

    followed: FollowedRun


@dataclass(frozen=True)
class ServerAway:
    """The server does not answer; the follower retries. Reported once per outage."""

    error: CannotAsk


@dataclass(frozen=True)
class ServerBack:
    """The server answers again."""


FollowEvent = RunFollowed | StepChanged | RunClosed | ServerAway | ServerBack
