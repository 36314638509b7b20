"""The JSON schemas of reports and of what commands print with `--json`; docs/json.md says what the keys mean.

Objects are open: within one form, keys are only added.
"""

from __future__ import annotations

from . import operations, rehearsals, servers, tools, workflows
from .kinds import Schema

REPORTS: dict[str, Schema] = {
    **servers.REPORTS,
    **workflows.REPORTS,
    **tools.REPORTS,
    **operations.REPORTS,
    **rehearsals.REPORTS,
}
