"""Schemas of schedules, deployments and metrics."""

from __future__ import annotations

from .kinds import (
    ANY,
    FLAG,
    INT,
    INT0,
    NUMBER,
    NUMBER0,
    PLACE,
    TEXT,
    TEXT0,
    TEXTS,
    Schema,
    by_name,
    document,
    many,
    one_of,
    or_null,
    record,
)

SCHEDULE = record(
    schedule_id=TEXT, workflow_type=TEXT0, spec=TEXT, paused=FLAG, note=TEXT, next_times=TEXTS, last_time=TEXT0
)
ROUTING = record(current=TEXT0, ramping=TEXT0, percentage=NUMBER0)

REPORTS: dict[str, Schema] = {
    "schedule-list": document("devserver schedule list --json", **PLACE, schedules=many(SCHEDULE)),
    "schedule-describe": document(
        "devserver schedule describe --json",
        **PLACE,
        schedule_id=TEXT,
        spec=TEXT,
        start=TEXT0,
        end=TEXT0,
        workflow_type=TEXT,
        workflow_id=TEXT,
        task_queue=TEXT,
        input=TEXTS,
        policy=TEXT,
        catchup_window_seconds=NUMBER,
        pause_on_failure=FLAG,
        paused=FLAG,
        note=TEXT,
        memo=by_name(TEXT),
        remaining_actions=INT0,
        actions=INT,
        skipped=INT,
        missed=INT,
        dropped=INT,
        buffered=INT,
        running=TEXTS,
        recent=many(record(workflow_id=TEXT, run_id=TEXT, due=TEXT0, started=TEXT0, status=TEXT0)),
        next_times=TEXTS,
        created=TEXT,
        updated=TEXT0,
    ),
    "schedule-preview": document(
        "devserver schedule preview --json",
        **PLACE,
        schedule_id=TEXT0,
        policy=TEXT0,
        time_zone=TEXT0,
        scheduler=one_of("workflow", "chasm", None),
        jitter_seconds=NUMBER,
        jitter_included=FLAG,
        notes=TEXTS,
        times=many(record(utc=TEXT, local=TEXT)),
        run_seconds=NUMBER0,
        cancel_seconds=NUMBER0,
        outcomes=many(
            record(
                policy=TEXT,
                ran=many(INT),
                open_at_once=INT,
                starts=many(
                    record(
                        number=INT,
                        due=TEXT,
                        started=TEXT0,
                        ended=TEXT0,
                        waited_seconds=NUMBER0,
                        result=TEXT,
                    )
                ),
            )
        ),
    ),
    "deployment-status": document(
        "devserver deployment status --json",
        **PLACE,
        at=TEXT,
        deployments=many(
            record(
                name=TEXT,
                current=TEXT0,
                ramping=TEXT0,
                percentage=NUMBER0,
                last_modifier=TEXT0,
                settled=FLAG,
                builds=many(
                    record(
                        build=TEXT0,
                        state=TEXT,
                        since=TEXT0,
                        workers=TEXTS,
                        task_queues=many(record(name=TEXT, kind=TEXT)),
                        pinned=INT0,
                        auto_upgrade=INT0,
                    )
                ),
            )
        ),
    ),
    "deployment-change": document(
        "devserver deployment set-current, ramp and rollback --json",
        **PLACE,
        deployment=TEXT,
        changed=FLAG,
        settled=FLAG,
        before=ROUTING,
        after=ROUTING,
    ),
    "deployment-wait-drained": document(
        "devserver deployment wait-drained --json",
        **PLACE,
        deployment=TEXT,
        build=TEXT,
        state=TEXT,
        drained=FLAG,
        pinned=INT0,
        open=many(record(workflow_id=TEXT, workflow_type=TEXT)),
    ),
    "metrics": document(
        "devserver metrics --json",
        at=TEXT,
        **{
            kind: many(
                record(url=TEXT0, seconds=NUMBER0, restarted=FLAG, error=ANY, figures=or_null({"type": "object"}))
            )
            for kind in ("servers", "workers")
        },
    ),
}
