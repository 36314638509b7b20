"""PostgreSQL dies, its disk is full, its connections are used up. Needs `devserver cluster build` and PostgreSQL.

devserver rehearse database_fails.py
"""

from dataclasses import replace

from devserver.cluster import Cluster, load
from devserver.rehearsal import Scenario, at, expect, faults

LOOKS = at.activity_starts("member_states")

dies = Scenario(
    name="PostgreSQL dies, the runbook starts it",
    runbook="database_runbook",
    workflow="RecoverDatabase",
    patient=Cluster(load=load(every=0.2, deadline=2)),
    plan=[
        LOOKS.do(faults.database.kill()),
        at.activity_starts("start_member").do(faults.kill_worker(down=1)),
    ],
    expect=[
        expect.completes(within=60),
        expect.replays(),
        expect.patient.nothing_lost(),
        expect.patient.outage_shorter_than(40),
        expect.patient.runs_again(within=40),
        expect.patient.healthy(),
    ],
    limit=90,
)
dies_naive = replace(
    dies,
    name="PostgreSQL dies, the runbook restarts history",
    workflow="RestartHistory",
    plan=[LOOKS.do(faults.database.kill())],
)

full = replace(
    dies,
    name="the disk is full, the runbook frees it",
    plan=[
        LOOKS.do(faults.database.fill_disk()),
        at.activity_completes("free_disk").do(faults.kill_server(down=1)),
    ],
)
full_naive = replace(
    full,
    name="the disk is full, the runbook starts PostgreSQL",
    workflow="StartDatabase",
    plan=[LOOKS.do(faults.database.fill_disk())],
)

used_up = replace(
    dies,
    name="connections are used up, the runbook ends those of the leaking client",
    plan=[
        LOOKS.do(faults.database.exhaust_connections().then(faults.cluster.restart("history-1"))),
        at.activity_completes("end_connections").do(faults.kill_worker(down=1)),
    ],
)
used_up_naive = replace(
    used_up,
    name="connections are used up, the runbook restarts history",
    workflow="RestartHistory",
    plan=[LOOKS.do(faults.database.exhaust_connections())],
)
