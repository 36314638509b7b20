"""A runbook scales up a ring and survives: faults that hit it, and drills of an operator.

Run all scenarios, and a kill at every point of the first one:

    devserver rehearse scale_up.py
    devserver rehearse scale_up.py --only scale-up --sweep worker
"""

import sys
from dataclasses import replace

from ring import Ring
from ring_runbook import ScaleUp

from devserver.rehearsal import LegacyScript, RunView, Scenario, at, drills, expect, faults

NODES = ["node-4", "node-5", "node-6", "node-7", "node-8"]
BY_HAND = LegacyScript([sys.executable, "scale_up_by_hand.py", *NODES])


def is_healthy(view: RunView) -> bool:
    """The ring is healthy."""
    return Ring(view.folder).healthy


undisturbed = Scenario(
    name="scale-up",
    runbook="ring_runbook",
    workflow="ScaleUpRing",
    input=ScaleUp(NODES),
    steady_state=[is_healthy],
    expect=[
        expect.completes(within=20),
        expect.exactly_once("add_node", *NODES),
        expect.same_result(),
        expect.replays(),
    ],
)
answer_lost = replace(
    undisturbed,
    name="scale-up, an answer is lost",
    plan=[at.activity_completes("add_node", nth=2).do(faults.lose_answer())],
)
server_dies = replace(
    undisturbed,
    name="scale-up, the server dies while a node joins",
    plan=[at.activity_starts("add_node", nth=2).do(faults.kill_server(down=1))],
    expect=[*undisturbed.expect, expect.recovers(within=10)],
)
paused = replace(
    undisturbed,
    name="scale-up, an operator pauses it and resumes it",
    plan=[at.activity_completes("add_node", nth=2).do(drills.pause(for_=1))],
)
stopped = replace(
    undisturbed,
    name="scale-up, an operator stops it",
    plan=[at.activity_starts("add_node", nth=3).do(drills.stop())],
    expect=[
        expect.status("canceled"),
        expect.compensates("remove_node", of="add_node"),
        expect.replays(),
    ],
)
by_hand = replace(
    undisturbed,
    name="scale-up, compared with the legacy script",
    legacy_script=BY_HAND,
)
handed_over = replace(
    undisturbed,
    name="scale-up, an operator hands over to the legacy script",
    plan=[at.activity_completes("add_node", nth=2).do(drills.hand_over(BY_HAND, how="terminate"))],
    expect=[expect.status("terminated"), expect.exactly_once("add_node", *NODES)],
)
