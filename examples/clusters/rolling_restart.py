"""Every role of a cluster is restarted under load, as for a new version.

Needs `devserver cluster build` and PostgreSQL.

devserver rehearse rolling_restart.py
"""

from dataclasses import replace

from devserver.cluster import Cluster, load, roles
from devserver.rehearsal import Scenario, at, expect, faults

careful = Scenario(
    name="one process after the other is restarted",
    runbook="rolling_runbook",
    workflow="RestartOneByOne",
    patient=Cluster(roles=roles(matching=2), load=load(every=0.2, deadline=2)),
    plan=[at.activity_completes("restart_member", nth=2).do(faults.kill_worker(down=1))],
    expect=[
        expect.completes(within=120),
        expect.replays(),
        expect.patient.nothing_lost(),
        expect.patient.available(0.85, within=2),
        expect.patient.runs_again(within=4),
        expect.patient.healthy(),
    ],
    limit=150,
)
at_once = replace(careful, name="each role is restarted as a whole", workflow="RestartRoles", plan=[])
