"""The JSON schemas of reports and of what commands print with `--json`; docs/json.md says what the keys mean.

Objects are open: within one form, keys are only added. A key that ends with `_` may be missing.
"""

from __future__ import annotations

from typing import Any

TEXT: dict[str, Any] = {"type": "string"}
TEXT0: dict[str, Any] = {"type": ["string", "null"]}
INT: dict[str, Any] = {"type": "integer"}
INT0: dict[str, Any] = {"type": ["integer", "null"]}
NUMBER: dict[str, Any] = {"type": "number"}
NUMBER0: dict[str, Any] = {"type": ["number", "null"]}
FLAG: dict[str, Any] = {"type": "boolean"}
FLAG0: dict[str, Any] = {"type": ["boolean", "null"]}
FORM: dict[str, Any] = {"const": 1}
Schema = dict[str, Any]
ANY: Schema = {}


def many(items: Schema) -> Schema:
    """A list."""
    return {"type": "array", "items": items}


def one_of(*words: str | None) -> Schema:
    """One of some words."""
    return {"enum": list(words)}


def by_name(values: Schema) -> Schema:
    """An object whose keys are names."""
    return {"type": "object", "additionalProperties": values}


def record(**fields: Schema) -> Schema:
    """An object with these keys; `key_` may be missing."""
    properties = {name.rstrip("_"): schema for name, schema in fields.items()}
    return {"type": "object", "required": [name for name in fields if not name.endswith("_")], "properties": properties}


def or_null(schema: Schema) -> Schema:
    """A value that may be null."""
    return {"anyOf": [schema, {"type": "null"}]}


def document(title: str, **fields: Schema) -> Schema:
    """An object with a form."""
    return {"title": title, **record(form=FORM, **fields)}


TEXTS = many(TEXT)
OVERDUE = record(
    retained=by_name(INT),
    schedules=many(record(namespace=TEXT, schedule_id=TEXT, since=TEXT, missed=INT, exact=FLAG)),
    timers=INT,
    retries=INT,
    timeouts=INT,
)
SERVER = {
    "name": TEXT,
    "state": one_of("starting", "ready", "unresponsive", "stopping", "stopped", "crashed", "running elsewhere"),
    "address": TEXT,
    "namespace": TEXT,
    "namespaces": TEXTS,
    "ui_url": TEXT0,
    "http_url": TEXT,
    "metrics_url": TEXT,
    "version": TEXT,
    "server_version": TEXT,
    "tuning": TEXT,
    "ephemeral": FLAG,
    "room": or_null(record(used=INT, limit=INT0, left=INT, full=FLAG, hint=TEXT0)),
    "database": TEXT,
    "executable": TEXT,
    "log": TEXT,
    "pid": INT0,
    "supervisor_pid": INT0,
    "holders": many(INT),
    "started_at": TEXT,
    "exit": TEXT0,
    "problem": TEXT0,
    "overdue": or_null(OVERDUE),
}
SNAPSHOT = {
    "name": TEXT,
    "created": TEXT,
    "size": INT,
    "sha256": TEXT,
    "server_version": TEXT0,
    "cli_version": TEXT0,
    "instance": TEXT0,
    "folder": TEXT,
}
TRUSTED = {"folder": TEXT, "values": by_name(TEXT), "binary_sha256": TEXT0}
FINDING = record(
    kind=TEXT,
    workflow_id=TEXT0,
    run_id=TEXT0,
    workflow_type=TEXT0,
    workflows=INT,
    task_queue=TEXT0,
    activity_id=TEXT0,
    activity_type=TEXT0,
    what=TEXT,
    since=TEXT0,
    age_seconds=NUMBER0,
    attempts=INT0,
    last_failure=TEXT0,
    failure=TEXTS,
    next_retry=TEXT0,
    hint=TEXT0,
    command=TEXTS,
)
TARGET = or_null(record(workflow_id=TEXT0, run_id=TEXT0, namespace=TEXT0))
ENDING = {
    "last_failure": TEXT0,
    "failure": TEXTS,
    "failure_details": TEXTS,
    "non_retryable": FLAG0,
    "retry_state": TEXT0,
    "next_retry_delay": NUMBER0,
}
STEP = record(
    kind=TEXT,
    name=TEXT,
    id=TEXT,
    status=TEXT,
    event_id=INT0,
    started_event_id=INT0,
    closed_event_id=INT0,
    scheduled=TEXT0,
    started=TEXT0,
    closed=TEXT0,
    seconds=NUMBER0,
    timer_seconds=NUMBER0,
    attempts=INT0,
    next_retry=TEXT0,
    reason=TEXT0,
    heartbeat=TEXTS,
    task_queue=TEXT0,
    identity=TEXT0,
    target=TARGET,
    nexus=or_null(record(endpoint=TEXT, service=TEXT, name=TEXT)),
    input=TEXTS,
    result=TEXTS,
    note=TEXT0,
    values=by_name(TEXT),
    runs_=many({"type": "object"}),
    not_shown_=TEXT0,
    **ENDING,
)
RUN = record(
    workflow_id=TEXT,
    run_id=TEXT,
    first_run_id=TEXT0,
    type=TEXT0,
    task_queue=TEXT0,
    status=TEXT0,
    missing=FLAG,
    started=TEXT0,
    closed=TEXT0,
    seconds=NUMBER0,
    delay_seconds=NUMBER0,
    begins=TEXT0,
    cron=TEXT0,
    skipped_seconds=NUMBER0,
    attempt=INT0,
    origin=or_null({"type": "object"}),
    next=or_null({"type": "object"}),
    input=TEXTS,
    result=TEXTS,
    memo=by_name(TEXT),
    search_attributes=by_name(TEXT),
    summary=TEXT0,
    details=TEXT0,
    reason=TEXT0,
    failed_tasks=INT,
    workers=TEXTS,
    builds=TEXTS,
    versioning=TEXT0,
    events=INT,
    steps=many(STEP),
    **ENDING,
)
SCHEDULE = record(
    schedule_id=TEXT, workflow_type=TEXT0, spec=TEXT, paused=FLAG, note=TEXT, next_times=TEXTS, last_time=TEXT0
)
ROUTING = record(current=TEXT0, ramping=TEXT0, percentage=NUMBER0)
PLACE = {"address": TEXT, "namespace": TEXT}
MARK = record(at=NUMBER0, until=NUMBER0, lane=TEXT0, what=TEXT, detail={"type": ["object", "string", "null"]})
VERDICT = one_of("pass", "fail", "unknown")
REHEARSAL = record(
    name=TEXT,
    file=TEXT0,
    seed=INT0,
    versions=or_null(by_name(TEXT0)),
    verdict=VERDICT,
    reason=TEXT0,
    summary=TEXT,
    command=TEXT0,
    command_folder_=TEXT0,
    code_=or_null(record(file=TEXT, line=INT, text=TEXT)),
    trace_=TEXT0,
    expectations=many(record(name=TEXT, verdict=VERDICT, evidence=TEXT0, details=TEXTS)),
    plan=many(record(step=TEXT, at=NUMBER0, trigger=TEXT0, problem=TEXT0)),
    began=TEXT0,
    seconds=NUMBER0,
    workflow_id=TEXT0,
    status=TEXT0,
    failure=ANY,
    output=ANY,
    metrics=or_null(
        record(
            server_down_seconds=NUMBER,
            worker_down_seconds=NUMBER,
            downtime_seconds=NUMBER,
            recovery_seconds=NUMBER0,
            idle_seconds=NUMBER0,
            idle_from=NUMBER0,
            activities=INT,
            attempts=INT,
            most_attempts=INT,
            effects=INT,
            duplicate_effects=INT,
            signals=INT,
            lost_signals=many(record(name=TEXT)),
        )
    ),
    faults=many(MARK),
    outages=many(
        record(
            lane=TEXT,
            at=NUMBER,
            until=NUMBER0,
            ended=TEXT0,
            recovery_seconds=NUMBER0,
            planned_seconds_=NUMBER0,
        )
    ),
    patient=ANY,
    activities=many(
        record(
            name=TEXT,
            id=TEXT,
            attempts=many(record(attempt=INT, at=NUMBER, until=NUMBER0, ended=TEXT, error=TEXT0)),
        )
    ),
    effects=many(record(name=TEXT, key=TEXT0, at=NUMBER, activity=TEXT0, attempt=INT0, detail=ANY)),
    repeated_effects=many(record(name=TEXT, key=TEXT0, activity=TEXT0, moments=many(ANY), between=many(ANY))),
    timeline=or_null(record(started=NUMBER0, end=NUMBER0, marks=many(MARK))),
    logs=ANY,
    stuck=TEXTS,
    omitted=TEXTS,
    sweep=or_null({"type": "object"}),
)
REPORTS: dict[str, Schema] = {
    "status": document("devserver status --json, devserver up --json", **SERVER),
    "list": document("devserver list --json", servers=many(record(**SERVER))),
    "dashboard": document("devserver dashboard --json", url=TEXT, write=FLAG),
    "config-show": document(
        "devserver config show --json",
        settings=many(
            record(
                key=TEXT,
                variable=TEXT,
                value=ANY,
                origin=one_of("environment", "file", "default"),
                file=TEXT0,
                line=INT0,
                counts=FLAG,
                default=TEXT,
            )
        ),
        variables=by_name(TEXT),
        unknown_variables=many(record(name=TEXT, nearest=TEXT0)),
    ),
    "trust": document("devserver trust --json", trusted=FLAG, folder=TEXT, values_=by_name(TEXT)),
    "trust-list": document("devserver trust --list --json", folders=many(record(**TRUSTED))),
    "binary-list": document(
        "devserver binary list --json",
        versions=many(
            record(
                version=TEXT,
                server_version=TEXT,
                default=FLAG,
                pinned=FLAG,
                advisories=TEXTS,
                installed=FLAG,
                path=TEXT0,
                sha256=TEXT0,
                source=TEXT0,
                intact=FLAG0,
            )
        ),
    ),
    "snapshot": document("devserver snapshot save --json, devserver snapshot import --json", **SNAPSHOT),
    "snapshot-list": document("devserver snapshot list --json", name=TEXT, snapshots=many(record(**SNAPSHOT))),
    "snapshot-export": document(
        "devserver snapshot export --json",
        file=TEXT,
        bytes=INT,
        **{key: value for key, value in SNAPSHOT.items() if key != "folder"},
    ),
    "snapshot-restore": document(
        "devserver snapshot restore --json",
        name=TEXT,
        restored=TEXT,
        before=TEXT0,
        running=FLAG,
        overdue=or_null(OVERDUE),
    ),
    "doctor": document(
        "devserver doctor --json",
        errors=INT,
        warnings=INT,
        findings=many(record(level=one_of("ok", "warning", "error"), topic=TEXT, text=TEXT, hint=TEXT0)),
    ),
    "stuck": document(
        "devserver stuck --json",
        **PLACE,
        at=TEXT,
        open=INT,
        examined=INT,
        complete=FLAG,
        notes=TEXTS,
        findings=many(FINDING),
    ),
    "trace": document(
        "devserver trace --json",
        address=TEXT0,
        namespace=TEXT,
        at=TEXT,
        workflow_id=TEXT0,
        notes=TEXTS,
        other_executions=INT,
        runs=many(RUN),
        waits_=ANY,
    ),
    "search": document(
        "devserver search --json: one line",
        at=TEXT,
        workflow_id=TEXT,
        run_id=TEXT,
        workflow_type=TEXT,
        kind=TEXT,
        name=TEXT,
        id=TEXT,
        event=TEXT,
        event_id=INT,
        state=TEXT,
        attempt=INT0,
        seconds=NUMBER0,
        worker=TEXT,
        build=TEXT,
        last_failure=TEXT,
        failure=TEXTS,
        note=TEXT,
        starts=TEXT0,
    ),
    "replay": document(
        "devserver replay --json",
        module=TEXT,
        passed=FLAG,
        counts=by_name(INT),
        sampled=TEXTS,
        failures=many(
            record(
                workflow_type=TEXT,
                outcome=one_of("replays", "diverges", "no_code", "failed", "gone"),
                reason=TEXT,
                event_id=INT,
                event=TEXT,
                where=TEXTS,
                place=TEXT,
                histories=many(record(workflow_id=TEXT, run_id=TEXT, file=TEXT0, events=INT)),
            )
        ),
    ),
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
    "inspect": document(
        "devserver inspect --json",
        module=TEXT,
        file=TEXT0,
        task_queue=TEXT,
        data_converter=TEXT,
        plugins=TEXTS,
        workflows=many(record(type=TEXT0, place=TEXT0, doc=TEXT0, parameters=ANY, result=ANY)),
        activities=many(record(name=TEXT0, place=TEXT0, doc=TEXT0, parameters=ANY, result=ANY)),
        nexus_services=many(record(name=TEXT, operations=many(ANY))),
        notes=TEXTS,
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
    "rehearsal-report": document(
        "devserver rehearse --json, report.json",
        verdict=VERDICT,
        created=TEXT,
        created_with=by_name(TEXT),
        incomplete=TEXT0,
        not_run=TEXTS,
        counts=by_name(INT),
        results=many(REHEARSAL),
        report_=TEXT0,
        kept_=TEXT0,
    ),
    "debrief": document(
        "devserver gameday --json, debrief.json",
        verdict=VERDICT,
        created=TEXT,
        created_with=by_name(TEXT),
        results=many(REHEARSAL),
        report_=TEXT0,
        gameday=record(
            name=TEXT,
            seed=INT,
            briefing=TEXT,
            cause=TEXT,
            lesson=TEXT,
            ending=one_of("recovered", "person", "facilitator", "limit", "interrupted", "problem"),
            summary=TEXT,
            limit=NUMBER,
            times=record(
                began=NUMBER0,
                noticed=NUMBER0,
                noticed_by=one_of("said", "paused", None),
                cause=NUMBER0,
                paused=NUMBER0,
                stopped=NUMBER0,
                recovered=NUMBER0,
                hints=INT,
                hint_seconds=NUMBER,
            ),
            first_sign=or_null(record(at=NUMBER, shown=TEXTS)),
            notes=many(record(at=NUMBER, kind=TEXT, text=TEXT, right=FLAG0, judged_by=TEXT0, problem=TEXT0)),
            server_actions=many(record(at=NUMBER, kind=TEXT, what=TEXT, workflow_id=TEXT, by=TEXT)),
            commands=many(record(at=NUMBER, command=TEXT, seconds=NUMBER0, code=INT0)),
            wrong_turns=many(record(at=NUMBER, what=TEXT, why=TEXT)),
            observations=many(record(at=NUMBER, why=TEXT, stuck=TEXTS, failures=by_name(INT), cluster=TEXTS)),
            checklist=TEXTS,
            story=many(record(at=NUMBER, who=TEXT, what=TEXT, wrong=TEXT0)),
        ),
    ),
    "drill": document(
        "devserver drill pause, stop, detect and handover --json",
        question=one_of("pause", "stop", "detect", "handover"),
        verdict=VERDICT,
        reason=TEXT,
        answers=many(record(name=TEXT, verdict=VERDICT, evidence=TEXT, details=TEXTS)),
        status=TEXT0,
        effects=TEXTS,
        history=many(record(at=NUMBER, event=TEXT)),
    ),
    "rehearsal-plan": document(
        "devserver rehearse --dry-run --json",
        plans=many(
            record(
                name=TEXT,
                file=TEXT0,
                runbook=TEXT,
                workflow=TEXT0,
                limit_seconds=NUMBER,
                time_skipping=FLAG,
                legacy_script=ANY,
                patient=ANY,
                checks=TEXTS,
                plan=many(record(when=TEXT, what=TEXTS)),
                expect=TEXTS,
            )
        ),
    ),
}
