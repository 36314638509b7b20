"""A real PostgreSQL is killed, and the runbook that restarts it survives a killed Temporal server.

It uses its own cluster in a temporary folder, on loopback; on Debian `make system` installs PostgreSQL.

    devserver rehearse restart_postgres.py
"""

from dataclasses import dataclass, replace

from postgres import ORDERS, Postgres, postgres_with_orders

from devserver.rehearsal import RunContext, RunView, Scenario, TriggerEvent, at, expect, faults


@dataclass(frozen=True)
class KillPostgres:
    """A custom fault: `begin` applies it to the value of the scenario's fixture."""

    async def begin(self, context: RunContext, trigger: TriggerEvent) -> None:
        """Kill it."""
        context.fixture.kill()

    def __str__(self) -> str:
        return "PostgreSQL is killed (-9)"


def has_all_orders(view: RunView) -> bool:
    """PostgreSQL answers and has all orders."""
    postgres: Postgres = view.fixture
    return postgres.query("select count(*) from orders") == str(ORDERS)


answer_lost = Scenario(
    name="PostgreSQL is killed, and the answer that it runs again is lost",
    runbook="postgres_runbook",
    workflow="RestartPostgres",
    fixture=postgres_with_orders,
    steady_state=[has_all_orders],
    plan=[
        at.activity_starts("is_up").do(KillPostgres()),
        at.activity_completes("start_postgres").do(faults.lose_answer()),
    ],
    expect=[
        expect.completes(within=30),
        expect.exactly_once("start_postgres"),
        expect.recovers(within=10),
        expect.replays(),
    ],
)
server_dies = replace(
    answer_lost,
    name="PostgreSQL is killed, and the server dies while it is restarted",
    plan=[
        at.activity_starts("is_up").do(KillPostgres()),
        at.activity_starts("start_postgres").do(faults.kill_server(down=1)),
    ],
    expect=[*answer_lost.expect, expect.same_result()],  # no order is lost
)
