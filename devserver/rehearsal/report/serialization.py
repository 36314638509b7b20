"""Records as plain JSON data: text without control characters, and of limited length."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from ..ledger import Effect
from ..run.downtime import Downtime
from ..run.metrics import Duplicate
from ..scenario.result import Judgement, StepResult
from ..scenario.timeline import Mark
from .outage_texts import planned_for
from .text import NAME_CHARACTERS, clean

MOST_DETAILS = 50
MOST_OUTPUT = 10_000


def judgement(judgement: Judgement) -> dict[str, Any]:
    """The judgement of an expectation, drill or check."""
    return {
        "name": clean(judgement.name, NAME_CHARACTERS),
        "verdict": judgement.verdict,
        "evidence": clean(judgement.evidence),
        "details": [clean(line) for line in judgement.details[:MOST_DETAILS]],
    }


def step_result(result: StepResult) -> dict[str, Any]:
    """The result of a step of the plan."""
    return {
        "step": clean(result.step),
        "at": result.at,
        "trigger": None if result.trigger is None else clean(result.trigger),
        "problem": None if result.problem is None else clean(result.problem),
    }


def mark(mark: Mark) -> dict[str, Any]:
    """A mark of the timeline."""
    what = clean(mark.what, NAME_CHARACTERS)
    return {"at": mark.at, "until": mark.until, "lane": mark.lane, "what": what, "detail": detail(mark.detail)}


def effect(effect: Effect, began: float) -> dict[str, Any]:
    """A side effect; `began` is the run's start in seconds since the epoch."""
    return {
        "at": effect.at - began,
        "name": clean(effect.name, NAME_CHARACTERS),
        "key": clean(effect.key, NAME_CHARACTERS),
        "activity": None if effect.activity is None else clean(effect.activity, NAME_CHARACTERS),
        "attempt": effect.attempt,
        "detail": detail(effect.detail),
    }


def repeated(duplicate: Duplicate, faults: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A side effect that happened more than once, with the faults and drills `between` its first and last time."""
    return {
        "name": clean(duplicate.name, NAME_CHARACTERS),
        "key": clean(duplicate.key, NAME_CHARACTERS),
        "activity": None if duplicate.activity is None else clean(duplicate.activity, NAME_CHARACTERS),
        "moments": [
            {"at": at, "attempt": attempt} for at, attempt in zip(duplicate.at, duplicate.attempts, strict=True)
        ],
        "between": [fault["what"] for fault in faults if _between(fault, min(duplicate.at), max(duplicate.at))],
    }


def _between(fault: Mapping[str, Any], first: float, last: float) -> bool:
    ended = fault["at"] if fault["until"] is None else fault["until"]
    return bool(fault["at"] <= last and ended >= first)


def outage(outage: Downtime, faults: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """An outage, with the time that the plan of one of these faults names."""
    shape = {
        "lane": outage.lane,
        "at": outage.began,
        "until": outage.back,
        "ended": clean(outage.ended),
        "recovery_seconds": outage.recovery,
    }
    return {**shape, "planned_seconds": planned_for(shape, faults)}


def detail(detail: Mapping[str, Any]) -> dict[str, Any]:
    """Details as JSON values, others as text."""
    return {
        clean(key, NAME_CHARACTERS): value if _is_plain(value) else clean(value, NAME_CHARACTERS)
        for key, value in list(detail.items())[:MOST_DETAILS]
    }


def output(output: Any) -> Any:
    """A workflow's result; as shortened text if it is long."""
    text = json.dumps(output, default=str)
    return json.loads(text, parse_constant=str) if len(text) <= MOST_OUTPUT else clean(text, MOST_OUTPUT)


def _is_plain(value: object) -> bool:
    return value is None or isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))
