"""Credentials stay out of what is shown."""

from __future__ import annotations

import pytest

from devserver.system.redact import mask, shown


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("see https://user:pass@host/x and ftp://a@b", "see https://***@host/x and ftp://***@b"),
        ("https://host/x@y", "https://host/x@y"),
        ("https://user:p%40ss@host", "https://***@host"),
        ("https://user:p@ss@host/x", "https://***@host/x"),
        ("https://user:pa/ss@host", "https://***@host"),
        ("http://host:8080/@scope/x", "http://host:8080/@scope/x"),
        ("nothing here: a@b", "nothing here: a@b"),
    ],
)
def test_user_and_password_are_masked_in_any_text(text: str, expected: str) -> None:
    """Wherever an address stands."""
    assert mask(text) == expected


def test_a_query_is_not_shown() -> None:
    """It may hold a signature."""
    assert shown("https://u:p@host/a?sig=secret&x=1") == "https://***@host/a?..."
