"""The clash with django-devserver, a dormant package with the same import name."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.helpers.checkout import ROOT

Python = Callable[..., "subprocess.CompletedProcess[str]"]

THEIRS = "__all__ = ('__version__',)\n__version__ = (0, 8, 0)\n"
RUN_MODULE = """
import runpy, sys
sys.path[1:1] = [{first!r}, {last!r}]
module = sys.argv.pop(1)
runpy.run_module(module, alter_sys=True, run_name="__main__")
"""
WAY_OUT = "run: pip uninstall django-devserver; pip install --force-reinstall --no-deps temporal-devserver; "


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder of installed packages with ours, and with django-devserver as pip installs it."""
    site = tmp_path / "site"
    (site / "devserver").mkdir(parents=True)
    for entry in (ROOT / "devserver").iterdir():
        if entry.name != "__pycache__":
            (site / "devserver" / entry.name).symlink_to(entry)
    (site / "temporaltest").symlink_to(ROOT / "temporaltest")
    info = site / "django_devserver-0.8.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: django-devserver\nVersion: 0.8.0\n")
    (info / "RECORD").write_text("devserver/__init__.py,,\ndevserver/handlers.py,,\n")
    return site


@pytest.fixture
def python(site: Path, home: Path) -> Python:
    """Run Python with these packages before those of the tests' environment, and without the checkout."""

    def run(*args: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        code = RUN_MODULE.format(first=str(site), last=sysconfig.get_path("purelib"))
        words = [sys.executable, "-S", "-E", "-c", code, *args]
        return subprocess.run(words, capture_output=True, text=True, timeout=180, check=False, cwd=cwd)

    return run


def replaced(site: Path) -> None:
    """Install their `__init__` over ours."""
    (site / "devserver" / "__init__.py").unlink()
    (site / "devserver" / "__init__.py").write_text(THEIRS)


@pytest.mark.parametrize("words", [("list",), ("up", "-d")])
def test_every_command_says_that_files_were_replaced(site: Path, python: Python, words: tuple[str, ...]) -> None:
    """It names the other package and the way out, and does nothing."""
    replaced(site)
    done = python("devserver", *words)
    first, second, third = done.stderr.splitlines()
    assert done.returncode == 1
    assert first == "error: another package has replaced files of temporal-devserver: both install a package devserver"
    assert second == f"  {site}/devserver/__init__.py belongs to django-devserver 0.8.0"
    assert third == f"hint: {WAY_OUT}to have both, give them environments of their own"


def test_doctor_reports_it(site: Path, python: Python) -> None:
    """A warning while our files are there, an error once theirs replaced them."""
    warned = python("devserver", "doctor").stdout
    assert "warning  package: django-devserver 0.8.0 has modules in the package devserver: removing it can" in warned
    assert WAY_OUT in warned
    replaced(site)
    failed = python("devserver", "doctor")
    assert "error    package: django-devserver 0.8.0 has replaced files of temporal-devserver\n" in failed.stdout
    assert (failed.returncode, WAY_OUT in failed.stdout) == (1, True)


def test_a_healthy_installation_is_not_reported(site: Path, python: Python) -> None:
    """Without another package there is no line about it."""
    shutil.rmtree(site / "django_devserver-0.8.0.dist-info")
    assert " package: " not in python("devserver", "doctor").stdout


def test_pytest_says_it(site: Path, python: Python) -> None:
    """The plugin names the file and the way out."""
    replaced(site)
    done = python("pytest", "-p", "temporaltest.plugin", "--version", "--version")
    assert done.returncode != 0
    assert f"but this one is imported: {site}/devserver/__init__.py\n" in done.stderr
    assert "pip uninstall django-devserver; pip install --force-reinstall --no-deps temporal-devserver" in done.stderr


def test_a_folder_of_the_user(site: Path, python: Python, tmp_path: Path) -> None:
    """`python -m pytest` imports from the current folder first: a folder called devserver is named, too."""
    mine = tmp_path / "project" / "devserver"
    mine.mkdir(parents=True)
    (mine / "__init__.py").touch()
    done = python("pytest", "-p", "temporaltest.plugin", "--version", "--version", cwd=mine.parent)
    assert f"but this one is imported: {mine}/__init__.py\n" in done.stderr
    assert "if it is a file or folder of yours, rename it or run pytest in another folder" in done.stderr
