"""Schemas of rehearsals."""

from __future__ import annotations

from .kinds import (
    ANY,
    FLAG,
    INT,
    INT0,
    NUMBER,
    NUMBER0,
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
    outages=many(record(lane=TEXT, at=NUMBER, until=NUMBER0, ended=TEXT0, recovery_seconds=NUMBER0)),
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
