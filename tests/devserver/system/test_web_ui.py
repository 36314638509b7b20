"""Links into the Web UI."""

from __future__ import annotations

from devserver.system.web_ui import workflow_url


def test_a_link_into_the_web_ui_has_no_way_out() -> None:
    """A hostile workflow id stays one part of the path."""
    link = workflow_url("http://127.0.0.1:8233/", "default", "../..//x?y#z", "run")
    assert link == "http://127.0.0.1:8233/namespaces/default/workflows/..%2F..%2F%2Fx%3Fy%23z/run"
