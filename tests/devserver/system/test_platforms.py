"""Platforms and their names."""

from __future__ import annotations

import pytest

from devserver.errors import UnsupportedPlatform
from devserver.system import platforms
from devserver.system.platforms import Platform


@pytest.mark.parametrize(
    ("system", "machine", "expected"),
    [
        ("linux", "x86_64", Platform("linux", "amd64")),
        ("linux", "aarch64", Platform("linux", "arm64")),
        ("darwin", "arm64", Platform("darwin", "arm64")),
        ("darwin", "x86_64", Platform("darwin", "amd64")),
        ("win32", "AMD64", Platform("windows", "amd64")),
    ],
)
def test_machines_get_the_names_of_the_download_service(system: str, machine: str, expected: Platform) -> None:
    """Every spelling of a supported machine maps to one of the service's names."""
    assert platforms.platform_of(system, machine) == expected


@pytest.mark.parametrize(("system", "machine"), [("linux", "riscv64"), ("sunos5", "x86_64"), ("linux", "")])
def test_an_unsupported_machine_is_refused(system: str, machine: str) -> None:
    """The error names the machine and what to do."""
    with pytest.raises(UnsupportedPlatform, match=system) as caught:
        platforms.platform_of(system, machine)
    assert "--binary" in str(caught.value)


def test_the_executable_is_called_exe_on_windows_only() -> None:
    """The executable has a suffix on Windows only."""
    assert Platform("windows", "amd64").executable == "temporal.exe"
    assert Platform("linux", "arm64").executable == "temporal"


def test_a_key_names_a_platform_both_ways() -> None:
    """`from_key` undoes `key`."""
    assert Platform.from_key(platforms.current().key) == platforms.current()


def test_wheels_exist_for_linux_and_macos_only() -> None:
    """pip's tags exist only for platforms with a wheel."""
    assert Platform("linux", "arm64").pip_tags[0] == "manylinux2014_aarch64"
    assert Platform("windows", "amd64").pip_tags == ()
