"""A runbook upgrades twenty clusters in nearly three weeks of virtual time, which take seconds.

devserver rehearse rolling_upgrade.py
"""

from dataclasses import replace
from datetime import timedelta

from fleet import CLUSTERS, Fleet
from fleet_runbook import Upgrade

from devserver.rehearsal import RunView, Scenario, at, drills, expect, faults


def day(number: int, hour: int = 0) -> timedelta:
    """A time of the runbook's clock: the first cluster is at hour 0 of day 1."""
    return timedelta(days=number - 1, hours=hour)


def is_in_order(view: RunView) -> bool:
    """Every cluster runs version 4 or 5."""
    return set(Fleet(view.folder).versions.values()) <= {4, 5}


undisturbed = Scenario(
    name="rolling upgrade",
    runbook="fleet_runbook",
    workflow="UpgradeFleet",
    input=Upgrade(CLUSTERS, version=5),
    time_skipping=True,
    steady_state=[is_in_order],
    expect=[
        expect.completes(within=60),
        expect.exactly_once("install version 5", *CLUSTERS),
        expect.replays(),
    ],
)
eventful = replace(
    undisturbed,
    name="rolling upgrade, paused over night, a monitor fires, server and worker die",
    plan=[
        at.virtual(day(3, hour=5)).do(drills.pause(for_=timedelta(hours=12))),
        at.virtual(day(7, hour=12)).do(faults.kill_server(down=1)),
        at.virtual(day(10, hour=3)).do(drills.signal("monitor_fired", "cluster-10")),
        at.activity_completes("install", nth=15).do(faults.lose_answer()),
        at.virtual(day(20, hour=3)).do(drills.query("how_far")),
    ],
    expect=[
        *undisturbed.expect,
        expect.exactly_once("install version 4", "cluster-10"),
        expect.order(("install version 5", "cluster-10"), ("install version 4", "cluster-10")),
        expect.no_signal_lost(),
    ],
)
