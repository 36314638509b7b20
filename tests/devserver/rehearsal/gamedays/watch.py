"""A watchman

Game days that take seconds: a lamp goes out, and the activity that looks at it fails until somebody lights it again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from devserver.rehearsal import (
    GameDay,
    GameDayAction,
    Incident,
    RunContext,
    RunView,
    Scenario,
    TriggerEvent,
    at,
    faults,
)

OUT = "lamp-is-out"  # as in the runbook


@dataclass(frozen=True)
class Lamp:
    """The lamp goes out, or is lit again."""

    lit: bool
    lane = "fault"

    async def begin(self, context: RunContext, trigger: TriggerEvent) -> None:
        """Write or remove the file that says so."""
        file = Path(context.folder) / OUT
        file.unlink(missing_ok=True) if self.lit else file.touch()

    def __str__(self) -> str:
        return "the lamp is lit" if self.lit else "the lamp goes out"


def lamp_is_lit(view: RunView) -> bool:
    """The lamp is lit."""
    return not (view.folder / OUT).exists()


DARK = Incident(
    cause="The lamp <b>went out</b>.",
    plan=[
        at.activity_completes("look", nth=2).do(Lamp(lit=False)),
        at.facilitator().do(faults.kill_worker()),
    ],
    named=["lamp out", "dark"],
    hints=["Look at the lamp.", "It is <i>dark</i>."],
    remedies=["light"],
    lesson="Have a second lamp.",
)
night = GameDay(
    scenario=Scenario(name="The night watch", runbook="watch_runbook", workflow="Watch", limit=300),
    incidents=[DARK],
    briefing="A watchman looks at a lamp every half second.",
    actions=[
        GameDayAction("light", "lights the lamp", Lamp(lit=True)),
        GameDayAction("shout", "restarts the watchman", faults.kill_worker()),
    ],
    recovered=lamp_is_lit,
)
judged = replace(
    night,
    scenario=replace(night.scenario, name="The night watch, judged"),
    incidents=[replace(DARK, named=[], plan=[at.facilitator().do(Lamp(lit=False))])],
)
calm = replace(
    night,
    scenario=replace(night.scenario, name="Nothing happens"),
    incidents=[replace(DARK, plan=[at.facilitator().do(Lamp(lit=False))])],
)
