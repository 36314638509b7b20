"""Payouts to sellers

devserver gameday payouts
"""

from devserver.rehearsal import GameDay, GameDayAction, Incident, RunView, Scenario, at, expect, faults


def pays_again(view: RunView) -> bool:
    """A seller was paid after the last workflow task that failed."""
    failed = [mark.at for mark in view.marks if mark.what == "WorkflowTaskFailed"]
    paid = [mark.at for mark in view.marks if mark.lane == "activity" and mark.detail.get("ended") == "completes"]
    return bool(failed) and max(paid, default=0) > max(failed)


payouts = GameDay(
    scenario=Scenario(
        name="Payouts to sellers",
        runbook="payouts_runbook",
        workflow="PaySellers",
        expect=[expect.completes(), expect.exactly_once("pay"), expect.replays()],
        limit=600,
    ),
    incidents=[
        Incident(
            cause="A new build of the worker was rolled out. Its code does not match the history of the workflow that "
            "runs, so every workflow task fails.",
            plan=[at.random_time(8, 20).do(faults.replace_worker("payouts_next", build_id="2024-11-08"))],
            named=[
                "build",
                "deploy",
                "deployment",
                "deployed",
                "release",
                "rollout",
                "new version",
                "new code",
                "non determinism",
                "nondeterminism",
                "nondeterministic",
                "non deterministic",
            ],
            hints=[
                "List what is blocked: devserver stuck",
                "Read the failure of the workflow task. It compares what the code does with what the history has.",
                "The code of the worker has changed while the workflow runs. Which action gives it the code of before?",
            ],
            remedies=["roll-back"],
            lesson="Replay histories against a new build before it is rolled out (devserver replay), and let running "
            "workflows end on their own build (Worker Versioning).",
        )
    ],
    briefing="""
    Twice a week a workflow pays twenty sellers, one after the other, each in an activity. It takes about a minute. A
    seller who is paid twice costs real money. Your team deploys the worker on weekdays.
    """,
    recovered=pays_again,
    actions=[
        GameDayAction("restart", "restarts the worker as it is deployed", faults.kill_worker()),
        GameDayAction(
            "roll-back",
            "deploys yesterday's build of the worker",
            faults.replace_worker("payouts_runbook", build_id="2024-11-07"),
        ),
    ],
)
