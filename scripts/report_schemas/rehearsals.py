"""Schemas of rehearsals."""

from __future__ import annotations

from .kinds import (
    ANY,
    FLAG,
    FLAG0,
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
    command_folder_=TEXT0,
    code_=or_null(record(file=TEXT, line=INT, text=TEXT)),
    trace_=TEXT0,
    kept_server_=or_null(record(command=TEXT, web_ui=TEXT)),
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
    "rehearsal-comparison": document(
        "devserver rehearse compare --json",
        verdict=one_of("worse", "better", "same"),
        a=record(report=TEXT, created=TEXT, verdict=VERDICT),
        b=record(report=TEXT, created=TEXT, verdict=VERDICT),
        counts=by_name(INT),
        scenarios=many(
            record(
                name=TEXT,
                turn=INT,
                a=or_null(VERDICT),
                b=or_null(VERDICT),
                change=one_of("worse", "gone", "better", "same", "new"),
                expectations=many(
                    record(name=TEXT, a=or_null(VERDICT), b=or_null(VERDICT), change=TEXT, evidence=TEXT)
                ),
                figures=many(record(key=TEXT, name=TEXT, a=NUMBER0, b=NUMBER0, difference=NUMBER0, change=TEXT)),
            )
        ),
    ),
    "rehearsal-index": document(
        "devserver rehearse index --json",
        page=TEXT,
        reports=many(
            record(path=TEXT, link=TEXT, created=TEXT, verdict=VERDICT, counts=by_name(INT), incomplete=TEXT0)
        ),
        scenarios=many(
            record(
                name=TEXT,
                verdict=VERDICT,
                since=TEXT0,
                unmet=many(record(name=TEXT, since=TEXT0)),
                runs=many(
                    record(
                        report=INT,
                        link=TEXT,
                        created=TEXT,
                        verdict=VERDICT,
                        seconds=NUMBER0,
                        recovery_seconds=NUMBER0,
                        unmet=TEXTS,
                    )
                ),
            )
        ),
        skipped=TEXTS,
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
