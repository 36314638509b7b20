"""The tables of an index: runs, their steps, each name and each failure once; and the numbers of the kinds of steps."""

from __future__ import annotations

import sqlite3

VERSION = 3
# Kinds of steps by the number that the table of steps has for them: only ever add at the end.
KINDS = (
    "event",
    "workflow",
    "workflow_task",
    "activity",
    "timer",
    "child",
    "nexus",
    "update",
    "signal",
    "marker",
    "external",
    "local_activity",
)
EVENT, WORKFLOW, TASK, ACTIVITY, TIMER, CHILD, NEXUS, UPDATE, SIGNAL, MARKER, EXTERNAL, LOCAL = range(len(KINDS))
POINTS = (EVENT, SIGNAL, MARKER)  # these are single events
APPLICATION = 0x74647366  # "tdsf": marks the file as ours

_TABLES = """
CREATE TABLE servers (id INTEGER PRIMARY KEY, cluster TEXT, namespace TEXT, used INTEGER, UNIQUE (cluster, namespace));
CREATE TABLE runs (
    id INTEGER PRIMARY KEY, server INTEGER, run_id TEXT, workflow_id TEXT, workflow_type TEXT, status INTEGER,
    closed_at INTEGER, events INTEGER, UNIQUE (server, run_id)
);
CREATE INDEX runs_by_age ON runs (server, closed_at);
CREATE TABLE words (id INTEGER PRIMARY KEY, text TEXT UNIQUE);
CREATE TABLE failures (id INTEGER PRIMARY KEY, digest BLOB UNIQUE, line TEXT, uses INTEGER);
CREATE TABLE steps (
    run INTEGER, id INTEGER, kind INTEGER, name INTEGER, key TEXT,
    opened_type INTEGER, opened_at INTEGER, started_id INTEGER, started_type INTEGER, started_at INTEGER,
    closed_id INTEGER, closed_type INTEGER, closed_at INTEGER,
    attempt INTEGER, identity INTEGER, build INTEGER, failure INTEGER, before INTEGER, note INTEGER, timed INTEGER,
    PRIMARY KEY (run, id)
) WITHOUT ROWID
"""
# LIKE uses the trigrams of the first and reads every text of the second, with the same result.
_TRIGRAMS = "CREATE VIRTUAL TABLE texts USING fts5 (text, tokenize = 'trigram')"
_PLAIN = "CREATE TABLE texts (rowid INTEGER PRIMARY KEY, text TEXT)"


def create(connection: sqlite3.Connection) -> None:
    """Create the tables, in the open transaction."""
    for word in _TABLES.split(";"):
        connection.execute(word)
    try:
        connection.execute(_TRIGRAMS)
    except sqlite3.OperationalError:  # SQLite before 3.34, or one without FTS5
        connection.execute(_PLAIN)
    connection.execute(f"PRAGMA application_id = {APPLICATION}")
    connection.execute(f"PRAGMA user_version = {VERSION}")


def version(connection: sqlite3.Connection) -> int:
    """The version of the tables; 0 if there are none."""
    found: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return found
