"""A cluster that serves other teams

Needs `devserver cluster build` and PostgreSQL.

    devserver gameday cluster
"""

from devserver.cluster import Cluster, load, roles
from devserver.rehearsal import GameDay, Incident, Scenario, at, expect, faults

HINTS = [
    "Every start is acknowledged. Does what was started also run? devserver cluster status --cluster gameday",
    "The role matching hands tasks to workers. Look at its process.",
]
NAMED = ["matching"]
LESSON = (
    "An acknowledged start proves that the frontend and history work, not that anything runs: alert on the time from "
    "schedule to start, and on a canary workflow."
)
SIGNAL = "devserver temporal -- workflow signal -w ID --name repair"

cluster = GameDay(
    scenario=Scenario(
        name="A cluster that serves other teams",
        runbook="cluster_runbook",
        workflow="ClusterShift",
        patient=Cluster(
            roles=roles(history=1), load=load(every=0.5, deadline=2, signals=False, updates=False, schedules=False)
        ),
        expect=[expect.patient.nothing_lost(), expect.patient.healthy()],
        limit=900,
    ),
    incidents=[
        Incident(
            cause="The process of the role matching was killed: starts are acknowledged, and no task reaches a worker.",
            plan=[at.random_time(8, 20).do(faults.cluster.kill("matching"))],
            named=NAMED,
            hints=[*HINTS, f"Start it: devserver cluster start matching-1 --cluster gameday, or {SIGNAL}"],
            lesson=LESSON,
        ),
        Incident(
            cause="The process of the role matching is suspended: its connections stay open, and it answers nothing.",
            plan=[at.random_time(8, 20).do(faults.cluster.freeze("matching"))],
            named=NAMED,
            hints=[*HINTS, "It is suspended: devserver cluster thaw matching-1 --cluster gameday"],
            lesson=LESSON,
        ),
    ],
    briefing=f"""
    You run a Temporal cluster for other teams: a process for each role, on PostgreSQL. Their workload starts two
    workflows each second. A runbook waits on a server next to it: it starts what does not run when you send it the
    signal `repair` ({SIGNAL}).
    """,
)
