"""Every role of a cluster is upgraded to the next version of the server under load.

Both versions have the same schema, so a fault makes it older, as it would be before most upgrades.
Needs PostgreSQL, `devserver cluster build 1.31.2` and `devserver cluster build 1.32.0`.

devserver rehearse rolling_upgrade.py
devserver rehearse rolling_upgrade.py --only "process by process" --sweep worker
"""

from dataclasses import replace

from devserver.cluster import Cluster, load, roles
from devserver.rehearsal import Scenario, at, expect, faults

careful = Scenario(
    name="the cluster is upgraded process by process, the schema first",
    runbook="upgrade_runbook",
    workflow="UpgradeOneByOne",
    patient=Cluster(version="1.31.2", roles=roles(matching=2), load=load(every=0.2, deadline=2)),
    plan=[
        at.activity_starts("schema_versions").do(faults.cluster.schema_behind()),
        at.activity_starts("upgrade_member", nth=2).do(faults.kill_worker(down=1)),
    ],
    expect=[
        expect.completes(within=180),
        expect.replays(),
        expect.patient.nothing_lost(),
        expect.patient.available(0.6, within=2),
        expect.patient.runs_again(within=30),
        expect.patient.healthy(),
    ],
    limit=200,
)
at_once = replace(
    careful,
    name="the cluster is upgraded role by role",
    workflow="UpgradeRoles",
    plan=[at.activity_starts("upgrade_member").do(faults.cluster.schema_behind())],
)
