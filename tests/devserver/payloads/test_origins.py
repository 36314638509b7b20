"""Origins: what a user may give, and which page is meant."""

from __future__ import annotations

import pytest

from devserver.payloads.errors import PayloadOptionError
from devserver.payloads.origins import origin_of, parse_origin


@pytest.mark.parametrize(
    ("given", "origin"),
    [
        ("http://127.0.0.1:8233", "http://127.0.0.1:8233"),
        ("HTTP://LocalHost:8233/", "http://127.0.0.1:8233"),
        ("https://ui.example:443", "https://ui.example"),
        ("http://ui.example:80", "http://ui.example"),
        ("http://[::1]:8233", "http://[::1]:8233"),
    ],
)
def test_an_origin_is_as_a_browser_sends_it(given: str, origin: str) -> None:
    """Case, a last slash and the usual port do not matter."""
    assert parse_origin(given) == origin


@pytest.mark.parametrize(
    "given",
    [
        *("", "*", "null", "localhost:8233", "//localhost", "http://", "http://:8233", "http://*", "http://*.example"),
        *("ftp://ui.example", "file:///etc", "http://ui.example/path", "http://ui.example?a", "http://ui.example/#"),
        *("http://user@ui.example", "http://ui.example:0", "http://ui.example:99999", "http://ui.example:x"),
        *(
            "http://a b",
            "http://a\n.example",
            "http://ui.example,http://b.example",
            "http://bücher.example",
            "http://[",
        ),
    ],
)
def test_what_is_no_origin(given: str) -> None:
    """It is wrong usage, and the error has an example."""
    with pytest.raises(PayloadOptionError) as error:
        parse_origin(given)
    assert error.value.exit_code == 2
    assert "for example --origin http://127.0.0.1:8233" in (error.value.hint or "")


def test_the_page_of_a_web_ui_below_a_path() -> None:
    """The origin of a page has no path."""
    assert origin_of("http://localhost:8233/temporal") == "http://127.0.0.1:8233"
