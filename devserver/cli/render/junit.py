"""The verdicts as JUnit XML, as CI systems read it: a test case for each rehearsal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import click

from ...rehearsal.report import ReportNotWritten
from ...system.files import write_whole
from .rehearsal import result_lines

SUITE = "devserver rehearse"


def xml(report: dict[str, Any], seconds: Sequence[float]) -> Xml.Element:
    """The document. A verdict `fail` is a failure, `unknown` an error: CI must not take it for a pass."""
    results = report["results"]
    counts = {
        "tests": str(len(results)),
        "failures": str(report["counts"]["fail"]),
        "errors": str(report["counts"]["unknown"]),
        "skipped": "0",
        "time": f"{sum(seconds):.3f}",
    }
    root = Xml.Element("testsuites", {"name": SUITE, **counts})
    suite = Xml.SubElement(root, "testsuite", {"name": SUITE, "timestamp": report["created"][:19], **counts})
    for result, took in zip(results, seconds, strict=True):
        suite.append(_case(result, took))
    return root


def _case(result: dict[str, Any], took: float) -> Xml.Element:
    where = Path(result["file"]).stem if result["file"] else "rehearsal"
    case = Xml.Element("testcase", classname=where, name=result["name"], time=f"{took:.3f}")
    properties = Xml.SubElement(case, "properties")
    Xml.SubElement(properties, "property", name="seed", value=str(result["seed"]))
    kind = {"fail": "failure", "unknown": "error"}.get(result["verdict"])
    if kind:
        Xml.SubElement(case, kind, message=result["reason"], type=result["verdict"]).text = result["summary"]
    said = "\n".join(click.unstyle(line) for line in result_lines(result, took))
    Xml.SubElement(case, "system-out").text = f"{said}\nagain: {result['command']}\n"
    return case


def write(report: dict[str, Any], seconds: Sequence[float], file: Path) -> None:
    """Write the verdicts.

    Raises:
        ReportNotWritten: The folder cannot be written; says which.
    """
    write_document(xml(report, seconds), file)


def write_document(root: Xml.Element, file: Path) -> None:
    """Write a document, whole or not at all.

    Raises:
        ReportNotWritten: The folder cannot be written; says which.
    """
    Xml.indent(root)
    text = '<?xml version="1.0" encoding="utf-8"?>\n' + Xml.tostring(root, encoding="unicode") + "\n"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole({file: text})
    except OSError as error:
        raise ReportNotWritten(
            f"the JUnit file {file} cannot be written: {error.strerror}",
            hint="free some space there, or name another file with --junit",
        ) from error
