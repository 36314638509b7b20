"""What the ready activities say of themselves."""

from __future__ import annotations

import pytest

from devserver.rehearsal.cluster import ACTIVITIES

REPEATED = ("Idempotent", "idempotent", "may run any number of times", "may repeat", "Each attempt", "each attempt")


@pytest.mark.parametrize("activity", ACTIVITIES, ids=lambda activity: str(activity.__name__))
def test_an_activity_says_what_a_retry_does(activity: object) -> None:
    """Its docstring names its errors, and what happens if it runs twice; those that take seconds give their unit."""
    text = " ".join((activity.__doc__ or "").split())
    assert "Raises: ApplicationError" in text
    assert any(word in text for word in REPEATED)
    assert "deadline:" not in text or "econds" in text
