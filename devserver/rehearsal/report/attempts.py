"""The activities of a run, each with its attempts and how they ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..scenario.result import RehearsalRun
from ..scenario.timeline import Mark
from .text import NAME_CHARACTERS, clean

Key = tuple[str, str, str]


def last_moment(run: RehearsalRun) -> float:
    """The time of the last event of a run, in seconds since its start."""
    return max([run.ended or 0.0, run.started, run.seen_until or 0.0, *(mark.until or mark.at for mark in run.marks)])


def activities(run: RehearsalRun) -> list[dict[str, Any]]:
    """The activities of a run in the order of their first attempts: `name`, `id`, and `attempts`.

    An attempt has `attempt`, `at`, `until`, `ended` (`completed`, `failed`, `lost`: its result did not reach the
    server, `killed` with its worker, `over`: failed or timed out unseen, `open` at the end) and `error`.
    """
    rows: list[dict[str, Any]] = []
    last: dict[Key, dict[str, Any]] = {}
    for mark in run.marks:
        if mark.lane != "activity":
            continue
        key = (mark.what, str(mark.detail.get("id", "")), str(mark.detail.get("workflow_id", "")))
        attempt = _attempt(mark)
        row = last.get(key)
        if row is None or attempt["attempt"] <= row["attempts"][-1]["attempt"]:  # a continued run counts again
            row = last[key] = {"name": clean(key[0], NAME_CHARACTERS), "id": clean(key[1]), "attempts": []}
            rows.append(row)
        row["attempts"].append(attempt)
    kills = [mark.until for mark in run.marks if mark.lane == "worker" and mark.until and _violent(mark)]
    end = last_moment(run)
    for row in rows:
        for number, attempt in enumerate(row["attempts"]):
            _settle(attempt, row["attempts"][number + 1 :], kills, end)
    return rows


def troubled(activity: Mapping[str, Any]) -> bool:
    """Whether an activity did not complete at its first attempt."""
    return len(activity["attempts"]) > 1 or any(item["ended"] != "completed" for item in activity["attempts"])


def _attempt(mark: Mark) -> dict[str, Any]:
    ended = {"completes": "completed", "fails": "failed"}.get(str(mark.detail.get("ended")), "open")
    error = mark.detail.get("error")
    return {
        "attempt": mark.detail.get("attempt") or 1,
        "at": mark.at,
        "until": mark.until,
        "ended": ended,
        "error": None if error is None else clean(error),
    }


def _settle(attempt: dict[str, Any], later: Sequence[dict[str, Any]], kills: Sequence[float], end: float) -> None:
    """Add what the worker cannot know of an attempt: that it was killed, or that its result was lost."""
    if attempt["ended"] == "completed" and later:
        attempt["ended"] = "lost"
    if attempt["until"] is None:
        stop = later[0]["at"] if later else end
        killed = [kill for kill in kills if attempt["at"] <= kill <= stop]
        attempt["until"] = killed[0] if killed else stop
        attempt["ended"] = "killed" if killed else "over" if later else "open"


def _violent(mark: Mark) -> bool:
    return mark.detail.get("ended") not in ("gracefully", "frozen", None)
