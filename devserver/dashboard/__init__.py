"""The dashboard: one local page with this user's servers, workers, blocked workflows, rehearsals and clusters.

It reads what the commands read (`list`, `status`, `snapshot list`, `metrics`, `deployment status`, `stuck`,
`cluster status`), and its buttons run them. It reads nothing while no page is open.
"""

from __future__ import annotations

from .dashboard import Dashboard

__all__ = ["Dashboard"]
