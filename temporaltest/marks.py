"""The plugin's marks, and its fixtures that imply requirements. Every run loads this module, so it is a small one."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pytest

MARK = "temporal"
BUDGET_MARK = "payload_budget"
MARK_LINES = (
    (
        "temporal(time_skipping, search_attributes, dynamic_config, version, private_server, replay, retention): "
        "requirements of a test on its Temporal server"
    ),
    (
        "payload_budget(largest, total, history): maximum size of one payload, all payloads and the history of "
        "each workflow run, such as '64KB'"
    ),
)
# Fixtures that imply requirements: outages need a private server, clocks need time skipping.
OUTAGE_FIXTURE = "temporal_outage"
TIME_FIXTURE = "temporal_time"
# The fixture behind everything that has a namespace of the test's own.
CASE_FIXTURE = "_temporal_case"


def is_marked(item: pytest.Item) -> bool:
    """Whether a test, its class or its module has one of the marks."""
    return MARK in item.keywords or BUDGET_MARK in item.keywords
