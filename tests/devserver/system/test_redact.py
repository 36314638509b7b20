"""Redaction of credentials."""

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
    """They are masked in URLs anywhere in a text."""
    assert mask(text) == expected


def test_a_query_is_redacted() -> None:
    """A query string may contain a signature."""
    assert shown("https://u:p@host/a?sig=secret&x=1") == "https://***@host/a?..."
