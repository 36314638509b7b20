"""What a call of `devserver rehearse` asks for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...rehearsal.scenario.plan import SEEDS, any_seed

if TYPE_CHECKING:
    from ...rehearsal.scenario.scenario import Scenario


@dataclass(frozen=True)
class Task:
    """One rehearsal to be held: `number` of all, the `turn` of this scenario's repeats, and its seed."""

    number: int
    scenario: Scenario
    turn: int
    seed: int


@dataclass(frozen=True)
class Wanted:
    """What is asked for; paths are absolute."""

    scenarios: Sequence[Scenario]
    repeat: int
    seed: int | None
    sweep: str | None
    report: Path | None
    junit: Path | None
    as_json: bool
    keep: bool

    def tasks(self) -> Iterator[Task]:
        """Each rehearsal in turn. Repeats count on from the seed, so that each can be held again alone."""
        number = 0
        for scenario in self.scenarios:
            first = any_seed() if self.seed is None else self.seed
            for turn in range(self.repeat):
                number += 1
                yield Task(number, scenario, turn + 1, (first + turn) % SEEDS)

    @property
    def total(self) -> int:
        """How many rehearsals that makes."""
        return len(self.scenarios) * self.repeat


@dataclass
class Outcome:
    """What came of a call: results so far, as `report.result_data` has them, and why it ended early.

    `kept` is where its files are, if they are kept.
    """

    results: list[dict[str, Any]] = field(default_factory=list)
    not_run: list[str] = field(default_factory=list)
    interrupted: int | None = None  # by this signal
    seconds: list[float] = field(default_factory=list)
    kept: Path | None = None


def chosen(paths: Sequence[Path], only: str | None) -> list[Scenario]:
    """The scenarios of files and folders that are wanted, once each has been checked.

    Raises:
        ScenarioInvalid: One does not load or names what is not there, or none has that name.
    """
    from ...rehearsal.errors import ScenarioInvalid
    from ...rehearsal.scenario.loader import scenarios_in
    from ...rehearsal.scenario.preflight import check

    found = scenarios_in(paths)
    if only is not None:
        names = [each.name for each in found]
        found = [each for each in found if each.name == only] or [each for each in found if only in each.name]
        if not found:
            raise ScenarioInvalid(f"no scenario's name contains {only!r}", hint=f"there are: {', '.join(names)}")
    for scenario in found:
        check(scenario)
    return found
