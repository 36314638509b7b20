"""The floor under old server versions."""

from __future__ import annotations

import pytest

from devserver.executables.advisories import advisories_for

OLD = ["CVE-2025-14986", "CVE-2025-14987"]


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("1.19.9", ["CVE-2023-3485", *OLD]),
        ("1.20.0", OLD),
        ("1.27.3", OLD),
        ("1.27.4", []),
        ("1.28.1", OLD),
        ("1.28.2", []),
        ("1.29.1", [*OLD, "CVE-2026-5199"]),
        ("1.29.4", ["CVE-2026-5199"]),
        ("1.29.5", []),
        ("1.30.2", ["CVE-2026-5199"]),
        ("1.30.3", []),
        ("1.30.3-151.2", ["CVE-2026-5199"]),
        ("1.31.0-148.1", []),
        ("1.32.0", []),
        ("unknown", []),
    ],
)
def test_advisories_apply_up_to_the_version_that_fixes_them(version: str, expected: list[str]) -> None:
    """The first fixed version of each line is free of the advisory; its pre-releases are not."""
    assert [advisory.id for advisory in advisories_for(version)] == expected
