"""Parts of a list filter, the query language of Temporal's lists: https://docs.temporal.io/list-filter."""

from __future__ import annotations

from datetime import datetime, timezone


def quote(text: str) -> str:
    """`text` as a string literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def quote_time(when: datetime) -> str:
    """A moment as a literal, to the microsecond; `when` has a time zone."""
    return f"'{when.astimezone(timezone.utc):%Y-%m-%dT%H:%M:%S.%fZ}'"


def both(one: str | None, other: str | None) -> str:
    """The filter that both parts must match; an empty part matches everything.

    The second part may be anything a user wrote: it is put in parentheses.
    """
    return f"{one} AND ({other})" if one and other else one or other or ""
