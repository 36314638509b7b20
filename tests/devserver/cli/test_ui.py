"""`devserver ui`: the Web UI in a browser."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.conftest import Run
from tests.helpers.waiting import eventually

from .conftest import StatusOf


def test_the_address_is_printed(quick_up: Run, devserver: Run, status_of: StatusOf) -> None:
    """--print opens nothing, for scripts and for machines without a browser."""
    quick_up()
    done = devserver("ui", "--print")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{status_of()['ui_url']}\n", "")


def test_the_browser_opens_it(quick_up: Run, devserver: Run, status_of: StatusOf, tmp_path: Path) -> None:
    """The desktop's opener is given the address."""
    quick_up()
    programs, opened = tmp_path / "bin", tmp_path / "opened"
    programs.mkdir()
    for name in ("xdg-open", "open"):
        (programs / name).write_text(f'#!/bin/sh\necho "$1" > {opened}.tmp && mv {opened}.tmp {opened}\n')
        (programs / name).chmod(0o755)
    done = devserver("ui", env={"PATH": f"{programs}:{os.environ['PATH']}"})
    assert done.stdout == f"{status_of()['ui_url']}\n"
    eventually(opened.exists)
    assert opened.read_text() == done.stdout


@pytest.mark.parametrize("opener", ["echo no browser >&2; exit 3", None])
def test_without_a_browser(quick_up: Run, devserver: Run, status_of: StatusOf, tmp_path: Path, opener: str) -> None:
    """The address and one hint, without the noise of the opener."""
    quick_up()
    if opener is not None:
        for name in ("xdg-open", "open"):
            (tmp_path / name).write_text(f"#!/bin/sh\n{opener}\n")
            (tmp_path / name).chmod(0o755)
    done = devserver("ui", env={"PATH": str(tmp_path)})
    assert (done.returncode, done.stdout) == (0, f"{status_of()['ui_url']}\n")
    assert done.stderr == "hint: no browser could be opened here; open the URL yourself\n"


def test_without_a_ui(quick_up: Run, devserver: Run) -> None:
    """A server without one cannot show it."""
    quick_up("--no-ui")
    done = devserver("ui")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "error: the instance default runs without the Web UI\nhint: stop it and start it again without --no-ui\n"
    )


def test_one_that_never_was(devserver: Run) -> None:
    """There is nothing to open."""
    done = devserver("ui")
    assert done.returncode == 4
    assert done.stderr == "error: there is no instance default\nhint: start it with: devserver up\n"
