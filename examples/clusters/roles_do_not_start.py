"""A bad dynamic configuration, and a binary that is newer than its schema: both show at the next restart.

Needs `devserver cluster build` and PostgreSQL.

devserver rehearse roles_do_not_start.py
"""

from dataclasses import replace

from devserver.cluster import Cluster, load
from devserver.rehearsal import Scenario, at, expect, faults

LOOKS = at.activity_starts("member_states")
BAD = "history.cacheMaxSize:\n  - value: [512\n"

configuration = Scenario(
    name="a bad dynamic configuration is rolled out, the runbook rolls it back",
    runbook="start_runbook",
    workflow="RepairStart",
    patient=Cluster(load=load(every=0.2, deadline=2)),
    plan=[
        LOOKS.do(faults.cluster.dynamic_config(BAD).then(faults.cluster.restart("matching"))),
        at.activity_completes("write_dynamic_config").do(faults.kill_worker(down=1)),
    ],
    expect=[
        expect.completes(within=60),
        expect.replays(),
        expect.patient.nothing_lost(),
        expect.patient.outage_shorter_than(30),
        expect.patient.runs_again(within=40),
        expect.patient.healthy(),
    ],
    limit=90,
)
configuration_naive = replace(
    configuration,
    name="a bad dynamic configuration is rolled out, the runbook starts what is down",
    workflow="StartAgain",
    plan=configuration.plan[:1],
)

schema = replace(
    configuration,
    name="the binary is newer than its schema, the runbook updates the schema",
    plan=[
        LOOKS.do(faults.cluster.schema_behind().then(faults.cluster.restart("history"))),
        at.activity_completes("update_schema").do(faults.kill_server(down=1)),
    ],
)
schema_naive = replace(
    schema,
    name="the binary is newer than its schema, the runbook starts what is down",
    workflow="StartAgain",
    plan=schema.plan[:1],
)
