"""What to change after a mistake, found by what the server or the SDK says."""

from __future__ import annotations

import re

ADVICE = (
    (
        re.compile(r"no mapping defined for search attribute (\S+)"),
        '@pytest.mark.temporal(search_attributes={{"{0}": "Keyword"}}) declares it',
    ),
    (
        re.compile(
            r"Object of type (?:coroutine|_ActivityHandle|_ChildWorkflowHandle|Task|Future) is not JSON serializable"
        ),
        "did you forget await?",
    ),
    (
        re.compile(r"Object of type (\S+) is not JSON serializable"),
        "use a dataclass, or a data converter that takes {0} (the fixture temporal_client_options)",
    ),
    (
        re.compile(r"endpoint .*already registered"),
        "to have one of the test's own, create it with temporal.client or temporal_env.create_nexus_endpoint",
    ),
    (re.compile(r"\[TMPRL1101\]"), "workflow code must not block its thread: use await, or do the work in an activity"),
    (re.compile(r"\(\) (?:takes|missing) "), "the workflow passes other arguments than the activity takes"),
    (re.compile(r"Failed decoding arguments"), "the workflow passes arguments of other types than the activity takes"),
)


def advice(message: str) -> str:
    """The advice for a message; '' if there is none."""
    for pattern, text in ADVICE:
        found = pattern.search(message)
        if found:
            return text.format(*found.groups())
    return ""
