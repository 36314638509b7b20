"""A ring that is just large enough is scaled up under load, and an old node retires. Needs Java, Maven and PostgreSQL.

devserver rehearse replace_node.py
"""

from dataclasses import replace

from devserver.cluster import Cluster, cassandra, load, roles
from devserver.rehearsal import Scenario, at, expect, faults

replaced = Scenario(
    name="a node is added, then another one retires",
    runbook="ring_runbooks",
    workflow="ReplaceNode",
    patient=Cluster(
        database=cassandra(nodes=3, replication=3), roles=roles(history=1), load=load(every=0.5, deadline=5)
    ),
    plan=[at.activity_starts("add_node").do(faults.kill_worker(down=1))],
    expect=[
        expect.completes(within=500),
        expect.replays(),
        expect.patient.nothing_lost(),
        expect.patient.outage_shorter_than(30),
        expect.patient.healthy(),
    ],
    limit=520,
)
refused = replace(
    replaced, name="a node retires before another one is added", workflow="DecommissionFirst", plan=[], limit=300
)
lives_on = replace(replaced, name="a node retires and its process is forgotten", workflow="ForgetTheProcess", plan=[])
