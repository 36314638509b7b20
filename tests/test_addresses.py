"""The address of the repository is in one place, `[project.urls]`; whatever else names it agrees."""

from __future__ import annotations

import re
import subprocess
from urllib.parse import urlsplit

from tests.helpers.checkout import ROOT, SOURCE, VERSION

NAME = urlsplit(SOURCE).path.strip("/")  # owner/repository


def naming_files() -> dict[str, str]:
    """The tracked files that name the repository, with their text."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    found = {}
    for name in filter(None, done.stdout.split("\0")):
        path = ROOT / name
        if path.is_file():
            text = path.read_bytes().decode("utf-8", "replace")
            if NAME in text:
                found[name] = text
    return found


def test_only_two_files_name_the_repository() -> None:
    """A move changes `[project.urls]` and the page on CI, whose snippets users paste; everything else is derived."""
    assert set(naming_files()) <= {"pyproject.toml", "docs/ci.md"}


def test_every_address_is_that_of_the_repository() -> None:
    """The addresses of the project begin with Source."""
    (urls,) = re.findall(r"(?ms)^\[project\.urls\]$(.*?)^$", (ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    addresses = re.findall(r'"(.*)"', urls)
    assert len(addresses) >= 4
    assert [address for address in addresses if not address.startswith(SOURCE)] == []


def test_the_snippets_name_the_repository_and_the_version() -> None:
    """The action and the hooks on the page on CI are those of this version."""
    page = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
    assert re.findall(r"uses: (\S*devserver\S*)", page) == [f"{NAME}@v{VERSION}"]
    assert re.findall(r"repo: (https://\S+)\n\s+rev: (\S+)", page) == [(SOURCE, f"v{VERSION}")]
