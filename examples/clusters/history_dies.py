"""Both history processes of a cluster die. Needs `devserver cluster build` and PostgreSQL.

devserver rehearse history_dies.py
devserver rehearse history_dies.py --only "start what" --sweep worker
"""

from dataclasses import replace

from devserver.cluster import Cluster, load, roles
from devserver.rehearsal import Scenario, at, expect, faults

LOOKS = at.activity_starts("member_states")

recovered = Scenario(
    name="history dies, the runbook starts what is down",
    runbook="history_runbook",
    workflow="RecoverMembers",
    patient=Cluster(roles=roles(history=2), load=load(every=0.2, deadline=2)),
    plan=[
        LOOKS.do(faults.cluster.kill("history")),
        at.activity_starts("start_member", nth=2).do(faults.kill_worker(down=1)),
    ],
    expect=[
        expect.completes(within=60),
        expect.replays(),
        expect.patient.nothing_lost(),
        expect.patient.outage_shorter_than(30),
        expect.patient.runs_again(within=30),
        expect.patient.healthy(),
    ],
    limit=90,
)
naive = replace(
    recovered,
    name="history dies, the runbook restarts the frontends",
    workflow="RestartFrontends",
    plan=[LOOKS.do(faults.cluster.kill("history"))],
)
