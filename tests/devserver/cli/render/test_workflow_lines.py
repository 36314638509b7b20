"""The lines of a server in the foreground."""

from __future__ import annotations

import datetime as dt

import pytest

from devserver.cli.render.workflow_lines import MOST_LINES, MOST_TEXT, lines_of
from devserver.instances.workflow_changes import WorkflowChange, WorkflowChanges

NOON = dt.datetime(2026, 12, 1, 12, tzinfo=dt.timezone.utc)


def change(number: int, what: str = "started", **values: object) -> WorkflowChange:
    """A change of a workflow."""
    default = {"namespace": "shop", "workflow_id": f"order-{number}", "workflow_type": "Order"}
    return WorkflowChange(NOON + dt.timedelta(seconds=number), what, **{**default, **values})  # type: ignore[arg-type]


def test_one_line_for_each_change() -> None:
    """With its type, its id, how long it ran, and its namespace if that is not the default one."""
    found = WorkflowChanges((change(1), change(2, "continued as new", namespace="billing", seconds=3661.04)))
    assert list(lines_of(found, "shop")) == [
        "2026-12-01T12:00:01Z started    Order order-1",
        "2026-12-01T12:00:02Z continued as new Order order-2 in billing after 3,661.0 s",
    ]


def test_many_changes_are_counted() -> None:
    """Failures are shown before others, in the order of time."""
    changes = (*(change(number) for number in range(100)), change(100, "failed", seconds=1.0))
    lines = list(lines_of(WorkflowChanges(changes, more=1200), "shop"))
    assert len(lines) == MOST_LINES + 1
    assert "started    Order order-8" in lines[-3]
    assert "failed" in lines[-2]
    assert lines[-1] == "... and 1,291 more"


@pytest.mark.parametrize("name", ["a\nb", "\x1b[31mred", "a\u202eb", "x" * 1000, "\udcff"])
def test_names_of_others_cannot_act_on_the_terminal(name: str) -> None:
    """A name is one line of visible characters, and short."""
    (line,) = lines_of(WorkflowChanges((change(1, workflow_id=name, workflow_type=name),)), "shop")
    assert line.isprintable()
    assert len(line) < 2 * MOST_TEXT + 40
