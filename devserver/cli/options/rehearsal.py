"""The request of `devserver rehearse`: scenarios, repeats and seeds, and where results go."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...rehearsal.scenario.plan import SEEDS, any_seed

if TYPE_CHECKING:
    from ...rehearsal.scenario.scenario import Scenario


@dataclass(frozen=True)
class RehearsalTask:
    """One rehearsal to run: its `number` among all, the `turn` among the repeats of its scenario, and its seed."""

    number: int
    scenario: Scenario
    turn: int
    seed: int


@dataclass(frozen=True)
class RehearsalRequest:
    """All options of a call; paths are absolute."""

    scenarios: Sequence[Scenario]
    repeat: int
    seed: int | None
    sweep: str | None
    report: Path | None
    junit: Path | None
    summary: Path | None
    as_json: bool
    keep: bool
    live: bool = False

    def tasks(self) -> Iterator[RehearsalTask]:
        """Each rehearsal in turn. Each repeat adds 1 to the seed, so that it can be run again alone."""
        number = 0
        for scenario in self.scenarios:
            first = any_seed() if self.seed is None else self.seed
            for turn in range(self.repeat):
                number += 1
                yield RehearsalTask(number, scenario, turn + 1, (first + turn) % SEEDS)

    @property
    def total(self) -> int:
        """The number of rehearsals."""
        return len(self.scenarios) * self.repeat


def find_scenarios(paths: Sequence[Path], only: str | None) -> list[Scenario]:
    """The scenarios of files and folders, each of them checked; with `only`, those with that name.

    Raises:
        ScenarioInvalid: A scenario does not load or refers to something unknown, or none has that name.
    """
    from ...rehearsal.errors import ScenarioInvalid
    from ...rehearsal.scenario.loader import scenarios_in
    from ...rehearsal.scenario.preflight import check

    found = scenarios_in(paths)
    if only is not None:
        names = [scenario.name for scenario in found]
        found = [item for item in found if item.name == only] or [item for item in found if only in item.name]
        if not found:
            raise ScenarioInvalid(f"no scenario's name contains {only!r}", hint=f"there are: {', '.join(names)}")
    for scenario in found:
        check(scenario)
    return found
