"""Plans and results of rehearsals as lines for a terminal."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from .output import form
from .terminal import width_now, wrapped

if TYPE_CHECKING:
    from ...rehearsal.scenario.scenario import Scenario

VERDICT_COLOURS = {"pass": "green", "fail": "red", "unknown": "yellow"}
MOST_DETAILS = 5
MOST_POINTS = 20
DETAIL = " " * 13
UNLIMITED = 100_000  # characters


def plan_text(scenarios: Sequence[Scenario], *, as_json: bool) -> str:
    """What would happen in each scenario."""
    plans = [_plan_of(scenario) for scenario in scenarios]
    if as_json:
        return json.dumps(form(plans=plans), indent=2, ensure_ascii=False)
    return "\n\n".join("\n".join(_plan_lines(plan)) for plan in plans)


def _plan_of(scenario: Scenario) -> dict[str, Any]:
    from ...rehearsal.report.text import clean
    from ...rehearsal.scenario.scenario import name_of

    workflow = scenario.workflow if isinstance(scenario.workflow, str) else scenario.workflow.__name__
    return {
        "name": clean(scenario.name),
        "file": str(scenario.file) if scenario.file else None,
        "runbook": scenario.module,
        "workflow": workflow,
        "limit_seconds": scenario.limit,
        "time_skipping": scenario.time_skipping,
        "legacy_script": None if scenario.legacy_script is None else clean(scenario.legacy_script),
        "patient": None if scenario.patient is None else scenario.patient.with_load(),
        "checks": [clean(name_of(check)) for check in scenario.steady_state],
        "plan": [
            {"when": clean(step.moment), "what": [clean(action) for action in step.actions]} for step in scenario.plan
        ],
        "expect": [clean(expectation) for expectation in scenario.expect],
    }


def _plan_lines(plan: dict[str, Any]) -> Iterator[str]:
    yield click.style(plan["name"], bold=True)
    clock = "a virtual clock" if plan["time_skipping"] else "the wall clock"
    rows = [("runs", f"{plan['workflow']} of {plan['runbook']}, at most {plan['limit_seconds']:g} s, on {clock}")]
    if plan["patient"]:
        rows.append(("patient", plan["patient"]))
    rows += [("checks", f"{check} (before and after)") for check in plan["checks"]]
    for step in plan["plan"]:
        rows.append(("when", step["when"]))
        rows += [("  do", action) for action in step["what"]]
    if not plan["plan"]:
        rows.append(("does", "nothing to it"))
    if plan["legacy_script"]:
        rows.append(("script", plan["legacy_script"]))
    rows += [("expects", expectation) for expectation in plan["expect"]]
    for name, text in rows:
        yield from wrapped(f"{name:<10}{text}", "  ", " " * 10, width=line_width())


def line_width() -> int:
    """The width of a terminal, where words are wrapped; a pipe gets whole lines."""
    return width_now() if sys.stdout.isatty() or os.environ.get("COLUMNS") else UNLIMITED


def result_lines(result: dict[str, Any], seconds: float, width: int = UNLIMITED) -> Iterator[str]:
    """A result, as `report.result_data` makes it: verdict, findings, repeated actions and the plan.

    Lines longer than `width` break at words, with a hanging indent.
    """
    from ...rehearsal.report import text as words

    verdict = result["verdict"]
    head = f"{result['name']}  (seed {result['seed']}, {words.seconds(seconds)})"
    yield from _labeled(f"{verdict.upper():<8} ", head, width, fg=VERDICT_COLOURS[verdict], bold=True)
    failed = [step for step in result["plan"] if step["at"] is None or step["problem"]]
    if verdict != "pass" and not failed and all(item["verdict"] != verdict for item in result["expectations"]):
        yield from wrapped(result["reason"], "  ", width=width)
    for item in result["expectations"]:
        text = f"{item['name']}: {item['evidence']}"
        yield from _labeled(f"  {item['verdict']:<8} ", text, width, fg=VERDICT_COLOURS[item["verdict"]])
        details = [line for line in item["details"] if line != item["evidence"]]
        if item["verdict"] != "pass":
            most = MOST_POINTS if result["sweep"] or result["status"] is None else MOST_DETAILS
            for line in details[:most]:
                yield from wrapped(line, DETAIL, "  ", width=width) or [""]
    for action in result["repeated_effects"][:MOST_DETAILS]:
        yield from _labeled("  repeated ", words.twice(action), width, fg="red", bold=True)
        if action["between"]:
            yield from wrapped(f"in between: {'; '.join(action['between'][-3:])}", DETAIL, "  ", width=width)
    for step in result["plan"]:
        text = step["step"] + (f" ({step['problem']})" if step["problem"] else "")
        yield from wrapped(f"{words.moment(step['at']):<8} {text}", "  ", " " * 9, width=width)
    if result["sweep"]:
        points = len(result["sweep"]["points"])
        yield f"  {points - result['sweep']['failed']} of {points} points passed"


def _labeled(label: str, text: str, width: int, **style: Any) -> Iterator[str]:
    """Text behind a styled label, and below itself on further lines."""
    indent = " " * (len(label) - len(label.lstrip()))
    first, *others = wrapped(label.lstrip() + text, indent, " " * len(label.lstrip()), width=width)
    shown = label.strip()
    yield first.replace(shown, click.style(shown, **style), 1)
    yield from others
