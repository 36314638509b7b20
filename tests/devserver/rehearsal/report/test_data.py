"""A report as data: what scripts read, and what the page is rendered from."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from devserver.rehearsal import report
from devserver.rehearsal.report import ReportStatus
from devserver.rehearsal.report.outage_texts import explained, outage_note
from devserver.rehearsal.scenario.result import Judgement, PointResult, StepResult, Sweep, Verdict
from devserver.rehearsal.scenario.timeline import Mark
from tests.helpers.checkout import ROOT
from tests.helpers.rehearsed import KILL, attempt, effect, result, run, twice


def only(made: Any) -> dict[str, Any]:
    """Return the only result of a report, after a round trip through JSON."""
    shape = json.loads(json.dumps(report.data([made]), allow_nan=False))
    (found,) = shape["results"]
    assert isinstance(found, dict)
    return found


def test_a_repeated_effect_has_both_moments_and_what_came_between() -> None:
    """The report says which step, when, in which attempts, and why."""
    (repeated,) = only(result(twice()))["repeated_effects"]
    assert (repeated["name"], repeated["key"], repeated["activity"]) == ("add_node", "node-5", "add_node")
    assert [round(moment["at"], 3) for moment in repeated["moments"]] == [1.05, 3.25]
    assert [moment["attempt"] for moment in repeated["moments"]] == [1, 2]
    assert repeated["between"] == [KILL]


def test_the_summary_needs_no_knowledge_of_temporal() -> None:
    """The first sentence is the verdict, the next ones are the evidence."""
    summary = only(result(twice()))["summary"]
    assert summary.startswith("Do not rely on this runbook yet. A side effect was repeated: add_node node-5 happened")
    assert "at 1.050 s (attempt 1) and at 3.250 s (attempt 2)" in summary
    assert KILL in summary


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (result(run(), verdict="pass", reason="3 expectations met"), "The runbook met all expectations in"),
        (
            result(run(steps=[StepResult("a step", None, None)]), verdict="unknown", reason="a step: never came"),
            "This proves nothing yet. Not every planned step happened: a step: never came.",
        ),
        (result(None, verdict="unknown", reason="no server", judgements=[]), "This proves nothing yet."),
        (result(run()), "Do not rely on this runbook yet. Not met: add_node exactly once."),
    ],
    ids=["pass", "missed", "not held", "fail"],
)
def test_every_verdict_has_its_own_text(made: Any, expected: str) -> None:
    """Each verdict is explained in words of its own."""
    assert only(made)["summary"].startswith(expected)


def test_metrics_of_the_run() -> None:
    """Downtime, recovery, attempts and repeated effects are numbers that a script can compare."""
    metrics = only(result(twice()))["metrics"]
    assert metrics["worker_down_seconds"] == pytest.approx(1.0)
    assert metrics["server_down_seconds"] == 0
    assert metrics["recovery_seconds"] == pytest.approx(0.9)
    assert (metrics["activities"], metrics["attempts"], metrics["duplicate_effects"]) == (1, 2, 1)
    assert (metrics["signals"], metrics["lost_signals"]) == (0, [])


def test_attempts_have_an_outcome() -> None:
    """A lost result, a kill, a failure and an attempt that never ended are different outcomes."""
    marks = [
        Mark(0.0, "worker", "runbook", 2.5, {"ended": "killed"}),
        attempt(0.2, 0.3, ended="fails", error="OSError: no"),
        attempt(1.0, 1.1, 2, ended="completes"),
        attempt(2.0, None, 3),
        Mark(2.6, "worker", "runbook", None, {}),
        attempt(3.0, 3.1, 4, ended="completes"),
        attempt(4.0, None, 1, "2"),
        attempt(4.5, None, 2, "2"),
    ]
    first, second = only(result(run(marks)))["activities"]
    assert [row["ended"] for row in first["attempts"]] == ["failed", "lost", "killed", "completed"]
    assert first["attempts"][0]["error"] == "OSError: no"
    assert first["attempts"][2]["until"] == 2.5
    assert [row["ended"] for row in second["attempts"]] == ["over", "open"]
    assert second["attempts"][0]["until"] == 4.5


def test_logs_around_faults() -> None:
    """Lines of the seconds around a fault are included with their times, later ones are not."""
    logs = only(result(twice()))["logs"]
    (around,) = logs["around"]
    assert around["what"] == KILL
    assert [line["at"] for line in around["server"]] == [0.5]
    assert [line["line"] for line in around["worker"]][1] == "a line without a time"
    assert "long after" in logs["last"]["server"][-1]["line"]


def test_the_command_to_run_it_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command has file, scenario and seed, quoted for a shell, and no folder of this machine; where the command ran
    in a part of a checkout, the report says in which."""
    elsewhere = only(result(twice(), name="it's $(mine)"))
    assert elsewhere["command"] == """devserver rehearse 'scale up.py' --only 'it'"'"'s $(mine)' --seed 7"""
    assert elsewhere["command_folder"] == "the folder of the scenario"
    checkout = tmp_path / "shop"
    (checkout / "ops" / "rehearsals").mkdir(parents=True)
    (checkout / "pyproject.toml").touch()
    monkeypatch.chdir(checkout / "ops")
    part = only(result(twice(), file=str(checkout / "ops" / "rehearsals" / "scale.py")))
    assert part["command"] == "devserver rehearse rehearsals/scale.py --only 'scale up' --seed 7"
    assert part["command_folder"] == "ops of shop"
    monkeypatch.chdir(checkout)
    top = only(result(twice(), file=str(checkout / "ops" / "rehearsals" / "scale.py")))
    assert "ops/rehearsals/scale.py" in top["command"]
    assert top["command_folder"] is None


def test_the_plan_as_code(tmp_path: Path) -> None:
    """The statement that defines the scenario is in the report, with its line; a broken or missing file is no error."""
    file = tmp_path / "scale.py"
    file.write_text("one = Scenario(name='scale down')\nboth = [\n    Scenario('scale up', plan=[at.start()]),\n]\n")
    code = only(result(twice(), file=str(file)))["code"]
    assert (code["file"], code["line"]) == ("scale.py", 2)
    assert code["text"] == "both = [\n    Scenario('scale up', plan=[at.start()]),\n]"
    file.write_text("both = [")
    assert only(result(twice(), file=str(file)))["code"] is None
    assert only(result(twice(), file=None))["code"] is None


def test_a_planned_and_a_measured_outage() -> None:
    """An outage has the time that its fault was planned to last; one that no plan names has none."""
    (planned,) = only(result(twice()))["outages"]
    assert (planned["planned_seconds"], round(planned["until"] - planned["at"], 3)) == (1.0, 1.0)
    marks = [mark for mark in twice().marks if mark.lane != "fault"]
    (unplanned,) = only(result(run(marks)))["outages"]
    assert unplanned["planned_seconds"] is None


@pytest.mark.parametrize(
    ("outage", "note", "why"),
    [
        ((1.0, 2.02, 1.0), "killed, down 1.02 s (planned 1 s)", "As planned."),
        (
            (1.0, 8.18, 1.0),
            "killed, down 7.18 s (planned 1 s)",
            "1 s as planned, then 6.18 s to start the worker until it asked for work.",
        ),
        ((1.0, 1.5, 3.0), "killed, down 0.50 s (planned 3 s)", "2.50 s less than planned: the run ended meanwhile."),
        ((1.0, None, 3.0), "killed, down 4.00 s, not back", "It was not back at the end of the run."),
        ((1.0, 2.0, None), "killed, down 1.00 s", "Measured from its end until it was ready again; the plan names no"),
    ],
)
def test_why_a_measured_outage_differs_from_the_planned_one(
    outage: tuple[float, float | None, float | None], note: str, why: str
) -> None:
    """The label has both times, and the table says where the difference comes from."""
    at, until, planned = outage
    shape = {"lane": "worker", "at": at, "until": until, "ended": "killed", "planned_seconds": planned}
    assert outage_note(shape, 5.0) == note
    assert explained(shape).startswith(why)


def test_values_that_json_does_not_have_become_text() -> None:
    """NaN, objects and lone surrogates do not break the report."""
    made = twice(output={"x": math.nan}, effects=[effect(1, "\ud800", detail={"when": object(), "n": math.inf})])
    found = only(result(made))
    assert found["output"] == {"x": "NaN"}
    assert found["effects"][0]["key"] == "\N{REPLACEMENT CHARACTER}"
    assert found["effects"][0]["detail"]["n"] == "inf"


def test_a_sweep_has_all_points_and_the_first_failed_run() -> None:
    """Every point is listed; the evidence is that of the first point that did not pass."""
    verdicts: list[Verdict] = ["pass", "fail", "unknown"]
    points = [
        PointResult(number, f"event {number}", verdict, "why", None, 1.0, twice())
        for number, verdict in enumerate(verdicts)
    ]
    made = result(None, sweep=Sweep("worker", run(), points, ["replays"]))
    found = only(made)
    assert [point["verdict"] for point in found["sweep"]["points"]] == verdicts
    assert [point["run"] is not None for point in found["sweep"]["points"]] == [False, True, True]
    assert "it did not survive 2" in found["summary"]
    assert found["command"].endswith("--sweep worker")


def test_the_worst_verdict_is_the_report_s_verdict() -> None:
    """One failure fails the report; an unknown verdict is never a pass."""
    verdicts: list[Verdict] = ["pass", "fail", "unknown"]
    passed, failed, unknown = (replace(result(run()), verdict=verdict) for verdict in verdicts)
    assert report.data([passed, unknown, failed])["verdict"] == "fail"
    assert report.data([passed, unknown])["verdict"] == "unknown"
    assert report.data([passed])["verdict"] == "pass"
    assert report.data([])["verdict"] == "unknown"
    shape = report.data([passed], ReportStatus("interrupted by Ctrl-C", ["the other"]))
    assert (shape["incomplete"], shape["not_run"]) == ("interrupted by Ctrl-C", ["the other"])


def test_a_very_long_run_gives_a_short_report() -> None:
    """Of 30,000 marks and 12,001 effects the repeated one is named, and the report says what it omits."""
    marks = [attempt(i / 10, i / 10 + 0.05, ident=str(i), ended="completes") for i in range(6_000)]
    marks += [Mark(i / 40, "event", "ActivityTaskScheduled", None, {"id": i}) for i in range(24_000)]
    effects = [effect(i / 20, f"node-{i}") for i in range(12_000)] + [effect(600, "node-11999", 2)]
    made = result(run(marks, effects, ended=600.0), judgements=[Judgement("x", "fail", "y" * 100_000, ["z"] * 10_000)])
    found = only(made)
    assert [repeated["key"] for repeated in found["repeated_effects"]] == ["node-11999"]
    assert [text.split(" omitted")[0] for text in found["omitted"]] == [
        "20,000 marks of 30,000",
        "7,001 effects of 12,001",
        "4,000 activities of 6,000",
    ]
    assert sum(mark["lane"] == "activity" for mark in found["timeline"]["marks"]) == 6_000
    assert len(json.dumps(found)) < 6_000_000
    page = report.html([made])
    assert len(page) < 500_000
    assert "node-11999" in page
    assert "20,000 marks of 30,000 omitted" in page


def keys(shape: Any) -> set[str]:
    """Return every key of a report except those that users choose."""
    if isinstance(shape, list):
        return set().union(*map(keys, shape)) if shape else set()
    if not isinstance(shape, dict):
        return set()
    chosen = ("detail", "versions", "created_with", "output", "counts")
    return set(shape).union(*(keys(value) for key, value in shape.items() if key not in chosen))


def test_every_key_is_documented() -> None:
    """docs/json.md documents every key that scripts may use."""
    sweep = Sweep("worker", run(), [PointResult(1, "event 1", "fail", "why", None, 1.0, twice())], [])
    shape = report.data([result(twice()), result(None, sweep=sweep)])
    text = (ROOT / "docs" / "json.md").read_text()
    section = text[text.index("## `rehearse --json`") : text.index("## Exit codes")]
    assert sorted(keys(shape) - set(re.findall(r"`([a-z_]+)`", section))) == []
