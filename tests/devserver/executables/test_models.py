"""How settings and options make one request."""

from __future__ import annotations

from pathlib import Path

from devserver.config.settings import Settings
from devserver.executables.models import BinaryRequest

SET = Settings(
    binary=Path("/own/temporal"),
    version="1.8.3",
    offline=True,
    base_url="https://mirror.example",
    require_pinned=True,
    accept_sha256="a" * 64,
)


def test_settings_are_taken_where_no_option_is_given() -> None:
    """All of them."""
    assert BinaryRequest.of(SET) == BinaryRequest(
        version="1.8.3",
        binary=Path("/own/temporal"),
        offline=True,
        base_url="https://mirror.example",
        require_pinned=True,
        accept_sha256="a" * 64,
    )


def test_an_option_comes_before_its_setting() -> None:
    """Also where it switches something off."""
    request = BinaryRequest.of(SET, offline=False, require_pinned=False, base_url="http://x")
    assert (request.offline, request.require_pinned, request.base_url) == (False, False, "http://x")


def test_a_version_or_source_option_comes_before_a_binary_setting() -> None:
    """Who asks for a version does not get the project's executable."""
    assert BinaryRequest.of(SET, version="1.9.1").binary is None
    assert BinaryRequest.of(SET, source="wheel").binary is None
    assert BinaryRequest.of(SET, source="explicit").binary == Path("/own/temporal")


def test_a_binary_option_comes_before_version_and_source_settings() -> None:
    """The settings' version is for the managed executable; a relative path starts here."""
    request = BinaryRequest.of(Settings(version="1.8.3", source="wheel"), binary=Path("mine"))
    assert request == BinaryRequest(binary=Path.cwd() / "mine")
