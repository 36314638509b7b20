"""Two of three Cassandra nodes fail, one dead and one frozen. Needs Java, Maven and PostgreSQL.

devserver rehearse quorum_lost.py
"""

from dataclasses import replace

from devserver.cluster import Cluster, cassandra, load, roles
from devserver.rehearsal import Scenario, at, expect, faults

FIRST = at.activity_starts("member_states")
LOST = (FIRST.do(faults.node(2).kill()), FIRST.do(faults.node(3).freeze()))

recovered = Scenario(
    name="the quorum is lost, the runbook starts the nodes",
    runbook="ring_runbooks",
    workflow="StartNodes",
    patient=Cluster(
        database=cassandra(nodes=3, replication=3), roles=roles(history=1), load=load(every=0.5, deadline=2)
    ),
    plan=[*LOST, at.activity_starts("start_member").do(faults.kill_worker(down=1))],
    expect=[
        expect.completes(within=300),
        expect.replays(),
        expect.patient.nothing_lost(),
        expect.patient.healthy(),
    ],
    limit=320,
)
RING = at.activity_starts("ring_state")
naive = replace(
    recovered,
    name="the quorum is lost, the runbook restarts history",
    workflow="RestartHistory",
    plan=[RING.do(faults.node(2).kill()), RING.do(faults.node(3).freeze())],
    expect=[expect.completes(within=120), expect.patient.nothing_lost(), expect.patient.healthy()],
    limit=140,
)
