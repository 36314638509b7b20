"""What `devserver rehearse` says of plans and results in words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ...rehearsal.scenario.scenario import Scenario

COLOURS = {"pass": "green", "fail": "red", "unknown": "yellow"}
MOST_DETAILS = 5
MOST_POINTS = 20


def plan(scenarios: Sequence[Scenario], *, as_json: bool) -> str:
    """What would be done."""
    plans = [_plan_of(each) for each in scenarios]
    if as_json:
        return json.dumps(plans, indent=2, ensure_ascii=False)
    return "\n\n".join("\n".join(_plan_lines(each)) for each in plans)


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
        "checks": [clean(name_of(each)) for each in scenario.steady_state],
        "plan": [
            {"when": clean(step.moment), "what": [clean(each) for each in step.actions]} for step in scenario.plan
        ],
        "expect": [clean(each) for each in scenario.expect],
    }


def _plan_lines(plan: dict[str, Any]) -> Iterator[str]:
    yield click.style(plan["name"], bold=True)
    clock = "a virtual clock" if plan["time_skipping"] else "the wall clock"
    yield f"  runs      {plan['workflow']} of {plan['runbook']}, at most {plan['limit_seconds']:g} s, on {clock}"
    for each in plan["checks"]:
        yield f"  checks    {each} (before and after)"
    for step in plan["plan"]:
        yield f"  when      {step['when']}"
        for what in step["what"]:
            yield f"    do      {what}"
    if not plan["plan"]:
        yield "  does      nothing to it"
    if plan["legacy_script"]:
        yield f"  script    {plan['legacy_script']}"
    for each in plan["expect"]:
        yield f"  expects   {each}"


def result_lines(result: dict[str, Any], seconds: float) -> Iterator[str]:
    """A result, as `report.data` has it: the verdict, each finding, what acted twice, and what was done."""
    from ...rehearsal.report import text

    verdict = result["verdict"]
    head = click.style(f"{verdict.upper():<8}", fg=COLOURS[verdict], bold=True)
    yield f"{head} {result['name']}  (seed {result['seed']}, {text.seconds(seconds)})"
    unkept = [each for each in result["plan"] if each["at"] is None or each["problem"]]
    if verdict != "pass" and not unkept and all(each["verdict"] != verdict for each in result["expectations"]):
        yield f"  {result['reason']}"
    for each in result["expectations"]:
        yield f"  {_coloured(each['verdict'])} {each['name']}: {each['evidence']}"
        details = [line for line in each["details"] if line != each["evidence"]]
        if each["verdict"] != "pass":
            most = MOST_POINTS if result["sweep"] or result["status"] is None else MOST_DETAILS
            yield from (f"             {line}" for line in details[:most])
    for each in result["repeated_effects"][:MOST_DETAILS]:
        yield f"  {click.style('acted twice', fg='red', bold=True)}: {text.twice(each)}"
        if each["between"]:
            yield f"             in between: {'; '.join(each['between'][-3:])}"
    for each in result["plan"]:
        yield f"  {text.moment(each['at']):<8} {each['step']}" + (f" ({each['problem']})" if each["problem"] else "")
    if result["sweep"]:
        points = len(result["sweep"]["points"])
        yield f"  {points - result['sweep']['failed']} of {points} points passed"


def _coloured(verdict: str) -> str:
    return click.style(f"{verdict:<8}", fg=COLOURS[verdict])
