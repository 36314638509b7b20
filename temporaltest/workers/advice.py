"""What to change after a mistake, found by what the server or the SDK says."""

from __future__ import annotations

import re

from devserver.client import FailureKind

NOT_AWAITED = ("coroutine", "_ActivityHandle", "_ChildWorkflowHandle", "Task", "Future")
ADVICE = {
    FailureKind.UNDECLARED_ATTRIBUTE: '@pytest.mark.temporal(search_attributes={{"{0}": "Keyword"}}) declares it',
    FailureKind.UNSERIALIZABLE: "use a dataclass, or a data converter that takes {0} "
    "(the fixture temporal_client_options)",
    FailureKind.NONDETERMINISM: "the workflow is non-deterministic: look for time, randomness, I/O, state that "
    "outlives a run, or an order that is not fixed",
    FailureKind.DEADLOCK: "workflow code must not block its thread: use await, or do the work in an activity",
    FailureKind.DECODING: "the workflow passes arguments of other types than the activity takes",
}
# What Python and the server say, which is no kind of failure of its own.
OTHER_ADVICE = (
    (
        re.compile(r"endpoint .*already registered"),
        "to have one of the test's own, create it with temporal.client or temporal_env.create_nexus_endpoint",
    ),
    (re.compile(r"\(\) (?:takes|missing) "), "the workflow passes other arguments than the activity takes"),
)


def advice(message: str) -> str:
    """The advice for a message; '' if there is none."""
    for kind, text in ADVICE.items():
        found = kind.found_in(message)
        if found and kind is FailureKind.UNSERIALIZABLE and found.group(1) in NOT_AWAITED:
            return "did you forget await?"
        if found:
            return text.format(*found.groups())
    return next((text for pattern, text in OTHER_ADVICE if pattern.search(message)), "")
