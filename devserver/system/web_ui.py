"""Addresses of pages of Temporal's Web UI."""

from __future__ import annotations

from urllib.parse import quote


def workflow_url(ui_url: str, namespace: str, workflow_id: str, run_id: str | None = None) -> str:
    """The page of a workflow, or of one of its runs."""
    place = "/".join(quote(part, safe="") for part in (workflow_id, run_id) if part is not None)
    return f"{ui_url.rstrip('/')}/namespaces/{quote(namespace, safe='')}/workflows/{place}"
