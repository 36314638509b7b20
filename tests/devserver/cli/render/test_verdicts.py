"""Results of rehearsals on a terminal of 80 columns."""

from __future__ import annotations

from typing import Any

import click

from devserver.cli.render.rehearsal import result_lines

EVIDENCE = (
    "add node-1 happened 2 times: at 1.204 s by the worker that was killed, and at 3.871 s by the one that took over"
)


def result(**values: Any) -> dict[str, Any]:
    """Return a failed result as `report.result_data` creates it."""
    failed = {
        "name": "add exactly once",
        "verdict": "fail",
        "evidence": EVIDENCE,
        "details": [EVIDENCE, EVIDENCE + "!"],
    }
    step = "1st time that add completes: the result is lost: the worker is killed (-9) after the side effect"
    return {
        "name": "lost",
        "verdict": "fail",
        "reason": EVIDENCE,
        "seed": 5,
        "status": "completed",
        "sweep": None,
        "repeated_effects": [],
        "expectations": [failed],
        "plan": [{"at": 1.2, "step": step, "problem": ""}],
        **values,
    }


def test_long_lines_break_at_words_with_a_hanging_indent() -> None:
    """No line is wider than the terminal, no word is broken, and continuation lines are indented."""
    lines = [click.unstyle(line) for line in result_lines(result(), 3.0, width=80)]
    assert all(len(line) <= 80 for line in lines), lines
    assert lines[0] == "FAIL     lost  (seed 5, 3.00 s)"
    assert lines[1].startswith("  fail     add exactly once: add node-1 happened 2 times: at 1.204 s")
    assert lines[2].startswith(" " * 11)
    assert not lines[2].startswith(" " * 12)
    words = " ".join(line.strip() for line in lines)
    assert EVIDENCE in words
    assert "killed (-9) after the side effect" in words


def test_lines_for_a_pipe_are_not_wrapped() -> None:
    """A script finds every finding on one line."""
    lines = [click.unstyle(line) for line in result_lines(result(), 3.0)]
    assert f"  fail     add exactly once: {EVIDENCE}" in lines
    assert f"             {EVIDENCE}!" in lines
