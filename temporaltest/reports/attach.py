"""Adds what the workflows of a failed test did to its pytest report, to files and to JUnit properties."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from .files import file_name, test_id, write

if TYPE_CHECKING:
    import pytest

    from ..isolation.context import CaseContext
    from .test_report import WorkflowReport

SECTION = "Temporal"


def attach(item: pytest.Item, case: CaseContext, report: pytest.TestReport) -> None:
    """Add the section, the properties and the files. Errors here never replace the failure of the test."""
    found = _report(case)
    properties = dict(found.properties())
    text = found.to_text()
    try:
        properties |= _write(item, case, report, found, text)
    except OSError as error:
        text += f"\n(the report cannot be written: {error})"
    _show(report, text)
    known = {name for name, _ in item.user_properties}
    new = [(name, value) for name, value in properties.items() if name not in known]
    item.user_properties += new
    report.user_properties += new


def _report(case: CaseContext) -> WorkflowReport:
    from .test_report import WorkflowReport

    unknown = WorkflowReport(case.namespace)
    try:
        case.end_outages()
        lost = case.lost()
        found = case.checks.report() if lost is None else replace(unknown, unknown=str(lost))
    except Exception as error:  # noqa: BLE001 - the failure of the test matters more
        found = replace(unknown, unknown=f"(the state of the workflows is unknown: {error!r})")
    return replace(found, full=case.endpoint.full(), outages=() if case.outage is None else case.outage.log)


def _show(report: pytest.TestReport, text: str) -> None:
    """Add the text below the traceback, where both --show-capture and JUnit show it."""
    add = getattr(report.longrepr, "addsection", None)
    if add is None:
        report.sections.insert(0, (SECTION, text))
    else:
        add(SECTION, text, "-")


def _write(
    item: pytest.Item, case: CaseContext, report: pytest.TestReport, found: WorkflowReport, text: str
) -> dict[str, str]:
    folder = case.session.config.report
    if folder is None:
        return {}
    name = file_name(test_id(item.nodeid)) + ("" if report.when == "call" else f".{report.when}")
    path = folder / f"{name}.txt"
    failure = report.longreprtext
    write(path, f"{item.nodeid}: {report.when} failed\n\n{failure}\n\n{text}\n")
    content = {"test": item.nodeid, "phase": report.when, "failure": failure, **found.to_json()}
    write(path.with_suffix(".json"), json.dumps(content, indent=2) + "\n")
    return {"temporal_report": str(path)}
