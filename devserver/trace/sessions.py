"""Worker sessions of the Go SDK: their internal steps as two, where the session begins and where it ends."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from ..history.model import Step
from ..history.previews import TruncatedPayload

CREATION, COMPLETION = "internalSessionCreationActivity", "internalSessionCompletionActivity"


def with_sessions_folded(steps: Sequence[Step]) -> Sequence[Step]:
    """The steps without what a session adds for itself: a side effect with its id, and a signal with its host."""
    ids = {_id(step.input): "" for step in steps if step.name == CREATION}
    if not ids:
        return steps
    shown: list[Step] = []
    for step in steps:
        if step.kind == "signal" and step.name in ids:
            host = _first(step.input)
            ids[step.name] = str(host.get("HostName", "")) if isinstance(host, dict) else ""
    for step in steps:
        if step.name == CREATION:
            place = ids[_id(step.input)]
            shown.append(replace(step, name=f"session on {place}" if place else "session", input=()))
        elif step.name == COMPLETION:
            shown.append(replace(step, name="session ends", input=()))
        elif not _belongs(step, ids):
            shown.append(step)
    return shown


def _belongs(step: Step, ids: dict[str, str]) -> bool:
    if step.kind == "signal":
        return step.name in ids
    return step.kind == "marker" and step.name == "side effect" and _id(step.result) in ids


def _id(payloads: Sequence[TruncatedPayload]) -> str:
    value = _first(payloads)
    return value if isinstance(value, str) else ""


def _first(payloads: Sequence[TruncatedPayload]) -> object:
    """The first value, if it is JSON; else None."""
    if not payloads:
        return None
    try:
        value: object = json.loads(payloads[0].payload.data)
    except (ValueError, RecursionError):
        return None
    return value
