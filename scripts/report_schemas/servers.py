"""Schemas of servers, settings and executables."""

from __future__ import annotations

from .kinds import (
    ANY,
    FLAG,
    FLAG0,
    INT,
    INT0,
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
    "tls": or_null(record(address=TEXT, ca=TEXT, client_cert=TEXT0, client_key=TEXT0, api_key=FLAG)),
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
    "service": document(
        "devserver service install, remove and status --json",
        name=TEXT,
        file=TEXT,
        installed_=FLAG,
        enabled_=FLAG0,
        commands_=TEXTS,
    ),
}
