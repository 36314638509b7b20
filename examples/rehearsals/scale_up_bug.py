"""A ring is scaled up, and the answer of the second node that joins is lost."""

from runbook_bug import ScaleUp

from devserver.rehearsal import Scenario, at, expect, faults

scenario = Scenario(
    name="scale-up, an answer is lost (with the bug)",
    runbook="runbook_bug",
    workflow="ScaleUpRing",
    input=ScaleUp(["node-4", "node-5"]),
    plan=[at.activity_completes("add_node", nth=2).do(faults.lose_answer())],
    expect=[
        expect.completes(within=20),
        expect.exactly_once("add_node"),
        expect.same_result(),
        expect.replays(),
    ],
)
server_dies = Scenario(
    name="scale-up, the server dies",
    runbook="runbook_bug",
    workflow="ScaleUpRing",
    input=ScaleUp(["node-4", "node-5"]),
    plan=[at.activity_starts("add_node", nth=2).do(faults.kill_server(down=1))],
    expect=[
        expect.completes(within=20),
        expect.exactly_once("add_node"),
        expect.same_result(),
        expect.replays(),
    ],
)
