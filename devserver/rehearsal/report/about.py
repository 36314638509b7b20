"""What a report tells beside the results themselves: whether it is whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class About:
    """What a report tells beside its results.

    `unfinished` says why some of it is missing (interrupted), None where it is whole; `not_held` names the scenarios
    that were not reached.
    """

    unfinished: str | None = None
    not_held: Sequence[str] = ()
