"""Outages in words: how long one was planned, how long it was measured, and where the difference comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .text import seconds

SOON = 0.05  # seconds after the start of a fault in which its outage begins
SAME = 0.1  # seconds: a smaller difference needs no explanation
ENDED = {"gracefully": "stopped gracefully", "by itself": "ended by itself"}
BACK = {
    "server": "to start the server until it answered",
    "worker": "to start the worker until it asked for work",
}


def planned_for(outage: Mapping[str, Any], faults: Sequence[Mapping[str, Any]]) -> float | None:
    """How long the fault that caused an outage was planned to last; None if the plan does not say."""
    begun = [
        fault
        for fault in faults
        if fault["at"] - SOON <= outage["at"] <= (fault["at"] if fault["until"] is None else fault["until"]) + SOON
        and fault["detail"].get("planned_seconds") is not None
    ]
    own = [fault for fault in begun if outage["lane"] in fault["what"]]
    causes = own or begun
    return float(causes[-1]["detail"]["planned_seconds"]) if causes else None


def how_ended(outage: Mapping[str, Any]) -> str:
    """What happened to it: `killed`, `stopped gracefully`, `frozen`."""
    return ENDED.get(outage["ended"], str(outage["ended"]))


def outage_note(outage: Mapping[str, Any], end: float) -> str:
    """An outage in a few words: `killed, down 1.41 s (planned 1 s)`."""
    if outage["until"] is None:
        return f"{how_ended(outage)}, down {seconds(end - outage['at'])}, not back"
    planned = outage.get("planned_seconds")
    note = f"{how_ended(outage)}, down {seconds(outage['until'] - outage['at'])}"
    if planned is None:
        return note
    return f"{note} (planned {planned:g} s)" if planned else f"{note} (restarted at once)"


def explained(outage: Mapping[str, Any]) -> str:
    """Why the measured time differs from the planned one."""
    planned = outage.get("planned_seconds")
    if outage["until"] is None:
        return "It was not back at the end of the run."
    if planned is None:
        return "Measured from its end until it was ready again; the plan names no time."
    more = outage["until"] - outage["at"] - planned
    if abs(more) < SAME:
        return "As planned."
    if more < 0:
        return f"{seconds(-more)} less than planned: the run ended meanwhile."
    started = outage["ended"] in ("killed", *ENDED)
    work = BACK.get(outage["lane"], "until it was ready") if started else "to begin and to end it"
    return f"{planned:g} s as planned, then {seconds(more)} {work}."
