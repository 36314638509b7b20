"""A nightly import of customer records

The first game day: about ten minutes.

    devserver gameday imports
"""

import json
from dataclasses import dataclass

from imports_runbook import CUSTOMERS, file_of

from devserver.rehearsal import (
    GameDay,
    Incident,
    RunContext,
    RunView,
    Scenario,
    TriggerEvent,
    at,
    expect,
)


@dataclass(frozen=True)
class SpoilRecord:
    """A record of the file that is imported becomes invalid, as a supplier may deliver it."""

    customer: str

    async def begin(self, context: RunContext, trigger: TriggerEvent) -> None:
        """Write a balance that is no number."""
        file = file_of(context.folder)
        records = json.loads(file.read_text()) if file.exists() else {}
        file.write_text(json.dumps({**records, self.customer: "12,50"}))

    def __str__(self) -> str:
        return f"the record of {self.customer} has an invalid balance"


def imports_again(view: RunView) -> bool:
    """A record was imported after the last failure."""
    attempts = [mark for mark in view.marks if mark.lane == "activity" and mark.until is not None]
    failed = [mark.at for mark in attempts if mark.detail["ended"] == "fails"]
    imported = [mark.at for mark in attempts if mark.detail["ended"] == "completes"]
    return bool(failed) and max(imported, default=0) > max(failed)


def spoiled(number: int) -> Incident:
    """The record with this number is invalid."""
    customer = CUSTOMERS[number]
    return Incident(
        cause=f"The record of {customer} has a balance that is no number, and import_record retries it for ever.",
        plan=[at.activity_starts("import_record", nth=number + 1).do(SpoilRecord(customer))],
        named=[
            customer,
            "invalid balance",
            "balance number",
            "bad record",
            "poison",
            "invalid record",
            "decimal comma",
        ],
        hints=[
            "List what is blocked: devserver stuck",
            "The activity import_record fails each time. Read its failure, and which record it is: devserver trace ID",
            f"""Leave the record out: devserver temporal -- workflow signal -w ID --name skip -i '"{customer}"'""",
        ],
        lesson="An activity that fails because of its data never succeeds by itself: let such an error be "
        "non-retryable, or limit the attempts.",
    )


imports = GameDay(
    scenario=Scenario(
        name="The nightly import of customers",
        runbook="imports_runbook",
        workflow="ImportCustomers",
        expect=[expect.completes(), expect.exactly_once("import_record")],
        limit=600,
    ),
    incidents=[spoiled(number) for number in range(3, 9)],
    briefing="""
    Every night a workflow imports the records of twelve customers, one after the other, each in an activity. It is done
    after half a minute. The records come from a supplier. Its documentation says: "A record can be left out: send the
    signal `skip` with the customer's name, and import it by hand in the morning."
    """,
    recovered=imports_again,
)
