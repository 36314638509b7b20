"""What a project's settings have made on its server at each `devserver up`: Nexus endpoints and schedules, as tables.

Their form is checked when the settings are read; the server judges the rest, such as cron expressions.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time
from pathlib import Path
from typing import Any

from .setting_kinds import DURATION, FLAG, NAMESPACE, TEXT, Kind, UnknownKey, WrongValue, json_of, json_value

POLICIES = ("Skip", "BufferOne", "BufferAll", "CancelOther", "TerminateOther", "AllowAll")

_TEXTS = {"anyOf": [{"type": "string", "minLength": 1}, {"type": "array", "items": {"type": "string", "minLength": 1}}]}


def _texts(value: Any, folder: Path) -> tuple[str, ...]:
    items = value if isinstance(value, list) else [value]
    if not all(isinstance(item, str) and item for item in items):
        raise WrongValue("a string or a list of strings", value)
    return tuple(items)


def _moment(value: Any, folder: Path) -> str:
    if isinstance(value, date):  # a datetime is one too
        return value.isoformat()
    if isinstance(value, time) or not isinstance(value, str) or not value:
        raise WrongValue("a time, such as 2027-01-01T00:00:00Z", value)
    return value


def _arguments(value: Any, folder: Path) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise WrongValue("a list with the workflow's arguments", value)
    return tuple(json_value(value))


def _memo(value: Any, folder: Path) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise WrongValue("a table of names and values", value)
    return dict(json_value(value))


def _count(value: Any, folder: Path) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise WrongValue("a number from 1", value)
    return value


def _policy(value: Any, folder: Path) -> str:
    names = {name.lower(): name for name in POLICIES}
    plain = str(value).lower().replace("_", "").replace("-", "")
    if plain not in names:
        raise WrongValue(f"one of {', '.join(POLICIES)}", value)
    return names[plain]


TEXTS = Kind("text or list of texts", _texts, _TEXTS)
MOMENT = Kind("time", _moment, {"type": "string"})
ARGUMENTS = Kind("list of values", _arguments, {"type": "array"})
MEMO = Kind("table of names and values", _memo, {"type": "object"})
COUNT = Kind("number", _count, {"type": "integer", "minimum": 1})
POLICY = Kind(", ".join(f"`{name}`" for name in POLICIES), _policy, {"enum": list(POLICIES)})

# The keys of one Nexus endpoint, and of one schedule: key -> kind, whether it is required, description.
ENDPOINT_KEYS: Mapping[str, tuple[Kind, bool, str]] = {
    "task-queue": (TEXT, True, "Task queue of the workers that serve it"),
    "namespace": (NAMESPACE, False, "Namespace of these workers; default: the first one of `namespaces`"),
    "description": (TEXT, False, "Description that the Web UI shows"),
}
SCHEDULE_KEYS: Mapping[str, tuple[Kind, bool, str]] = {
    "type": (TEXT, True, "Workflow type to start"),
    "task-queue": (TEXT, True, "Task queue of the workflow"),
    "namespace": (NAMESPACE, False, "Namespace of the schedule; default: the first one of `namespaces`"),
    "interval": (TEXTS, False, "Interval, as `30m` or `30m/5m`"),
    "cron": (TEXTS, False, "Cron expression, as `0 9 * * MON-FRI`"),
    "calendar": (TEXTS, False, "Calendar times, as `day_of_week=MON-FRI hour=9`"),
    "skip": (TEXTS, False, "Calendar times to exclude"),
    "time-zone": (TEXT, False, "Time zone of `cron`, `calendar` and `skip`; default: UTC"),
    "jitter": (DURATION, False, "Random delay of up to this long"),
    "start-time": (MOMENT, False, "Time before which it does not act"),
    "end-time": (MOMENT, False, "Time after which it does not act"),
    "catchup-window": (DURATION, False, "Maximum age of missed actions to catch up on"),
    "overlap-policy": (POLICY, False, "What to do if a run is still open; default: `Skip`"),
    "input": (ARGUMENTS, False, "Arguments of the workflow"),
    "workflow-id": (TEXT, False, "Prefix of the runs' workflow ids; default: the schedule's id"),
    "execution-timeout": (DURATION, False, "Maximum duration of a workflow with all its runs"),
    "run-timeout": (DURATION, False, "Maximum duration of one run"),
    "remaining-actions": (COUNT, False, "Maximum number of actions"),
    "pause-on-failure": (FLAG, False, "Pause it when a run fails or times out"),
    "paused": (FLAG, False, "Create it paused"),
    "notes": (TEXT, False, "Note for other users"),
    "memo": (MEMO, False, "Memo fields"),
}


def _tables(keys: Mapping[str, tuple[Kind, bool, str]], must_be: str) -> Kind:
    """A kind of tables by their names, each with these keys."""

    def read(value: Any, folder: Path) -> dict[str, dict[str, Any]]:
        if not isinstance(value, dict):
            raise WrongValue(must_be, value)
        return {name: _table(name, table, folder) for name, table in value.items()}

    def _table(name: str, table: Any, folder: Path) -> dict[str, Any]:
        if not isinstance(table, dict):
            raise WrongValue(must_be, table, name)
        found: dict[str, Any] = {}
        for key, value in table.items():
            if key not in keys:
                raise UnknownKey(", ".join(keys), list(keys), name, key)
            try:
                found[key] = keys[key][0].read(value, folder)
            except WrongValue as error:
                raise error.below(key).below(name) from None
        missing = [key for key, (_, required, _) in keys.items() if required and key not in table]
        if missing:
            raise WrongValue(f"a table with {' and '.join(missing)}", table, name)
        return found

    properties = {key: {**kind.schema, "description": text} for key, (kind, _, text) in keys.items()}
    one = {
        "type": "object",
        "additionalProperties": False,
        "required": [key for key, (_, required, _) in keys.items() if required],
        "properties": properties,
    }
    return Kind("tables by name", read, {"type": "object", "additionalProperties": one}, json_of)


ENDPOINTS = _tables(ENDPOINT_KEYS, "a table for each endpoint, with its task-queue")
SCHEDULES = _tables(SCHEDULE_KEYS, "a table for each schedule, with its type and task-queue")
