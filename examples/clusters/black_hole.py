"""A Cassandra node is black-holed: nothing answers, not even with a reset. Needs Java, Maven, nft and PostgreSQL.

devserver rehearse black_hole.py
"""

from dataclasses import replace

from devserver.cluster import Cluster, cassandra, load, roles
from devserver.rehearsal import Scenario, at, expect, faults

BLACK_HOLE = at.activity_starts("ring_state").do(faults.node(2).black_hole())

recovered = Scenario(
    name="a node is black-holed, the runbook takes it out of the ring",
    runbook="ring_runbooks",
    workflow="RemoveUnreachable",
    patient=Cluster(
        database=cassandra(nodes=3, replication=3), roles=roles(history=2), load=load(every=0.5, deadline=2)
    ),
    plan=[BLACK_HOLE, at.activity_starts("remove_node").do(faults.kill_worker(down=1))],
    expect=[
        expect.completes(within=400),
        expect.replays(),
        expect.patient.nothing_lost(),
        expect.patient.healthy(),
    ],
    limit=420,
)
naive = replace(
    recovered,
    name="a node is black-holed, the runbook restarts history",
    workflow="RestartHistory",
    plan=[BLACK_HOLE],
    expect=[expect.completes(within=180), expect.patient.nothing_lost(), expect.patient.healthy()],
    limit=200,
)
