"""A query as SQL over the tables of an index."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ..client.timestamps import MICROSECONDS
from . import schema
from .query import SearchQuery

_COLUMNS = (
    "page.key, steps.run, steps.id, kind, names.text, steps.key, opened_type, opened_at, started_id, started_type,"
    " started_at, closed_id, closed_type, closed_at, attempt, identities.text, builds.text, lines.line, texts.text,"
    " notes.text, timed"
)
_TABLES = (
    "json_each(:runs) AS page CROSS JOIN steps ON steps.run = page.value"
    " LEFT JOIN words AS names ON names.id = steps.name"
    " LEFT JOIN words AS identities ON identities.id = steps.identity"
    " LEFT JOIN words AS builds ON builds.id = steps.build"
    " LEFT JOIN words AS notes ON notes.id = steps.note"
    " LEFT JOIN failures AS lines ON lines.id = coalesce(steps.failure, steps.before)"
    " LEFT JOIN texts ON texts.rowid = coalesce(steps.failure, steps.before)"
)
_LAST = "CASE WHEN closed_type THEN closed_at WHEN started_at THEN started_at ELSE opened_at END"


def statement(wanted: SearchQuery, now: int) -> tuple[str, dict[str, Any]]:
    """A query for the runs `:runs` (a JSON list of ids, whose order the answers have), at most `:most` rows."""
    parts: list[str] = []
    values: dict[str, Any] = {"now": now}
    for add in (_what, _how, _who, _when):
        add(wanted, parts, values)
    order = f"page.key, {_LAST} DESC, steps.id DESC"
    where = " AND ".join(parts) or "1"
    # Only our own words are in the text: what users write are parameters.
    return f"SELECT {_COLUMNS} FROM {_TABLES} WHERE {where} ORDER BY {order} LIMIT :most", values  # noqa: S608


def _what(wanted: SearchQuery, parts: list[str], values: dict[str, Any]) -> None:
    if not wanted.about_steps:
        parts.append(f"kind = {schema.WORKFLOW}")
    elif not wanted.events:  # workflow tasks that completed are everywhere and say nothing
        parts.append(f"NOT (kind = {schema.TASK} AND closed_type IN (0, 7) AND attempt < 2)")
    if wanted.activity is not None:
        kinds = _numbers((schema.ACTIVITY, schema.LOCAL))
        parts.append(f"kind IN {kinds} AND {_word('steps.name', 'activity', wanted.activity, values)}")
    if wanted.events:
        types = _numbers(wanted.events)
        parts.append(f"(opened_type IN {types} OR started_type IN {types} OR closed_type IN {types})")
    if wanted.text is not None:
        words = f"(SELECT id FROM words WHERE {_contains('text', wanted.text, values)})"  # noqa: S608
        named = f"steps.name IN {words} OR steps.note IN {words}"
        parts.append(f"({named} OR {_failed('text', wanted.text, values)})")
    if wanted.failure is not None:
        parts.append(_failed("failure", wanted.failure, values))


def _how(wanted: SearchQuery, parts: list[str], values: dict[str, Any]) -> None:
    if wanted.attempts is not None:
        parts.append(f"attempt > 0 AND attempt {wanted.attempts.comparison} :attempts")
        values["attempts"] = wanted.attempts.number
    took = f"timed AND kind NOT IN {_numbers(schema.POINTS)} AND coalesce(closed_at, :now) - opened_at"
    if wanted.longer is not None:
        parts.append(f"{took} >= :longer")
        values["longer"] = round(wanted.longer * MICROSECONDS)
    if wanted.shorter is not None:
        parts.append(f"{took} <= :shorter")
        values["shorter"] = round(wanted.shorter * MICROSECONDS)


def _who(wanted: SearchQuery, parts: list[str], values: dict[str, Any]) -> None:
    if wanted.worker is not None:
        parts.append(_word("steps.identity", "worker", wanted.worker, values))
    if wanted.build is not None:
        parts.append(_word("steps.build", "build", wanted.build, values))


def _when(wanted: SearchQuery, parts: list[str], values: dict[str, Any]) -> None:
    """An event has one time; a step lasts from its start to its end."""
    if wanted.events:
        types = _numbers(wanted.events)
        begins = ends = (
            f"CASE WHEN closed_type IN {types} THEN closed_at WHEN started_type IN {types} THEN started_at"
            " ELSE opened_at END"
        )
    else:
        begins, ends = "opened_at", "coalesce(closed_at, :now)"
    if wanted.since is not None:
        parts.append(f"{ends} >= :since")
        values["since"] = micro(wanted.since)
    if wanted.until is not None:
        parts.append(f"{begins} <= :until")
        values["until"] = micro(wanted.until)


def micro(when: datetime) -> int:
    """Microseconds since 1970."""
    return round(when.timestamp() * MICROSECONDS)


def _numbers(numbers: Sequence[int]) -> str:
    return f"({', '.join(str(int(number)) for number in numbers)})"


def _word(column: str, key: str, text: str, values: dict[str, Any]) -> str:
    """A whole word; `*` matches anything."""
    values[key] = text if "*" not in text else text.replace("[", "[[]").replace("?", "[?]")
    sign = "GLOB" if "*" in text else "="
    return f"{column} IN (SELECT id FROM words WHERE text {sign} :{key})"  # noqa: S608


def _failed(key: str, text: str, values: dict[str, Any]) -> str:
    found = f"(SELECT rowid FROM texts WHERE {_contains('text', text, values, key)})"  # noqa: S608
    return f"(failure IN {found} OR before IN {found})"


def _contains(column: str, text: str, values: dict[str, Any], key: str = "text") -> str:
    """Text anywhere. LIKE without ESCAPE can use trigrams, and finds too much if the text has special characters."""
    values[f"{key}_loose"] = f"%{text}%"
    loose = f"{column} LIKE :{key}_loose"
    if not any(sign in text for sign in "%_\\"):
        return loose
    exact = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    values[f"{key}_exact"] = f"%{exact}%"
    return f"{loose} AND {column} LIKE :{key}_exact ESCAPE '\\'"
