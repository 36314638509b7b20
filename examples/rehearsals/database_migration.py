"""A migration moves the orders of two regions to new tables in ten virtual days, while faults hit everything.

devserver rehearse database_migration.py
"""

from dataclasses import replace
from datetime import timedelta

from migration_runbook import Migration
from regions import ROWS, Orders

from devserver.rehearsal import RunView, Scenario, at, drills, expect, faults

REGIONS = ["east", "west"]


def serves_all_orders(view: RunView) -> bool:
    """Each region serves all its orders."""
    return all(Orders(view.folder, region).served() >= ROWS for region in REGIONS)


def second_night_has_begun(view: RunView) -> bool:
    """Whether the second night's first chunk is copied."""
    return sum(effect.name == "copy" for effect in view.effects) > 3


undisturbed = Scenario(
    name="database migration",
    runbook="migration_runbook",
    workflow="MigrateOrders",
    input=Migration(REGIONS),
    time_skipping=True,
    steady_state=[serves_all_orders],
    expect=[
        expect.completes(within=60),
        expect.exactly_once("write_both", *REGIONS),
        expect.at_least_once("copy"),  # copying a chunk again does no harm
        expect.exactly_once("cut_over", *REGIONS),
        expect.order(("cut_over", "east"), ("write_both", "west")),
        expect.same_result(),
        expect.replays(),
    ],
)
eventful = replace(
    undisturbed,
    name="database migration, everything breaks and an operator slows it down",
    plan=[
        at.virtual(timedelta(days=1, hours=12)).do(drills.update("set_chunk", 45, expect_result=50)),
        at.when(second_night_has_begun).do(faults.kill_worker()),
        at.activity_starts("compare").do(faults.cut_network(for_=0.5)),
        at.activity_completes("cut_over").do(faults.lose_answer()),
        at.virtual(timedelta(days=6)).do(faults.kill_server(down=1)),
        at.virtual(timedelta(days=8, hours=12)).do(drills.pause(for_=timedelta(hours=8))),
    ],
)
