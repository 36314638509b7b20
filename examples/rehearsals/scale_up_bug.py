"""A runbook with a bug scales up a ring. Run it, and read which step acted twice, and why:

    devserver rehearse scale_up_bug.py --report out

The fixed runbook is ring_runbook.py; `diff ring_runbook_bug.py ring_runbook.py` shows what was wrong.
"""

from ring_runbook_bug import ScaleUp

from devserver.rehearsal import Scenario, at, expect, faults

answer_lost = Scenario(
    name="scale-up, an answer is lost",
    runbook="ring_runbook_bug",
    workflow="ScaleUpRing",
    input=ScaleUp(["node-4", "node-5", "node-6", "node-7", "node-8"]),
    # The worker dies after node-5 joined the ring, before the server receives the result.
    plan=[at.activity_completes("add_node", nth=2).do(faults.lose_answer())],
    expect=[
        expect.completes(within=20),
        expect.exactly_once("add_node"),
        expect.same_result(),
        expect.replays(),
    ],
)
