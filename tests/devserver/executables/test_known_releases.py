"""The generated table, and what a person means by a version."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from devserver.errors import OptionError
from devserver.executables import versions
from devserver.executables.advisories import advisories_for
from devserver.executables.known_releases import DEFAULT_VERSION, PINS, SERVER_VERSIONS
from devserver.system.files import sha256_of
from devserver.system.platforms import Platform


def test_every_release_is_pinned_on_every_platform_that_has_a_wheel() -> None:
    """The table has no holes, and no hash twice."""
    hashes = [pin for pins in PINS.values() for pin in pins.values()]
    assert PINS.keys() == SERVER_VERSIONS.keys()
    for pins in PINS.values():
        assert all(Platform.from_key(key).pip_tags for key in pins)
        assert len(pins) == 4
    assert all(re.fullmatch("[0-9a-f]{64}", pin) for pin in hashes)
    assert len(set(hashes)) == len(hashes)


def test_no_advisory_applies_to_the_default_version() -> None:
    """What runs where nothing was asked for is above the floor."""
    assert not advisories_for(SERVER_VERSIONS[DEFAULT_VERSION])


def test_the_pin_fits_the_real_executable(real_binary: Path) -> None:
    """The table holds the hash of what the package index really gives."""
    assert sha256_of(real_binary) in PINS[DEFAULT_VERSION].values()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, DEFAULT_VERSION),
        ("1.9.1", "1.9.1"),
        (" v1.8.3 ", "1.8.3"),
        ("Latest", "1.9.1"),
        ("1.10.0-rc.1", "1.10.0-rc.1"),
    ],
)
def test_a_version_may_be_written_in_several_ways(text: str | None, expected: str) -> None:
    """A leading v, spaces, `latest` and pre-releases are understood."""
    assert versions.parse_version(text) == expected


@pytest.mark.parametrize("text", ["", "1.9", "newest", "1.9.1; rm -rf /", "../../1.9.1", "1.9.1/..", "1.9.1\n"])
def test_what_is_no_version_is_refused_with_the_known_ones(text: str) -> None:
    """The error shows the text, the form, and the versions known."""
    if text.strip() == "1.9.1":
        assert versions.parse_version(text) == "1.9.1"
        return
    with pytest.raises(OptionError) as caught:
        versions.parse_version(text)
    assert DEFAULT_VERSION in str(caught.value)


def test_versions_are_ordered_by_value_and_a_pre_release_comes_first() -> None:
    """1.10 is newer than 1.9, and a release than its candidates."""
    mixed = ["1.10.0", "1.9.1", "1.10.0-rc.1", "1.9.10"]
    assert sorted(mixed, key=versions.version_key) == ["1.9.1", "1.9.10", "1.10.0-rc.1", "1.10.0"]
