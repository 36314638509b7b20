"""Bytecode for the processes that tests start, compiled once if the environment prevents Python from writing it.

Images for CI often set PYTHONDONTWRITEBYTECODE. Then each of a few thousand processes would compile this project again,
and each pytest among them would rewrite the asserts of all of its plugins, including ours.
"""

from __future__ import annotations

import compileall
import os
import subprocess
import sys
import tempfile
from importlib.util import source_hash
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UNSET = "PYTHONDONTWRITEBYTECODE"
REWRITTEN = f"{sys.implementation.cache_tag}-pytest-{pytest.__version__}.pyc"
SECONDS = 120

# Run by pytest, which stores its rewritten modules; modules with missing extras are skipped.
IMPORTS_ALL = """
import contextlib
import importlib
import pkgutil

import temporalio.client
import temporaltest

def test_all():
    for each in pkgutil.walk_packages(temporaltest.__path__, "temporaltest."):
        with contextlib.suppress(ImportError):
            importlib.import_module(each.name)
"""


def prepare(*, tests: bool) -> None:
    """Compile everything that is not up to date, and `tests`, where several processes are about to import them."""
    if tests:
        _rewrite_tests()
    if not sys.dont_write_bytecode:
        return
    for package in ("devserver", "temporaltest"):
        compileall.compile_dir(ROOT / package, quiet=2)
    if not all(map(_is_rewritten, (ROOT / "temporaltest").rglob("*.py"))):
        _let_pytest_write()


def _is_rewritten(path: Path) -> bool:
    """Return whether pytest has current bytecode of the module, by modification time or hash."""
    try:
        head = (path.parent / "__pycache__" / f"{path.stem}.{REWRITTEN}").read_bytes()[:16]
    except OSError:
        return False
    time = (int(path.stat().st_mtime) & 0xFFFFFFFF).to_bytes(4, "little")
    return head[8:16] == source_hash(path.read_bytes()) if head[4] else head[8:12] == time


def _rewrite_tests() -> None:
    """Rewrite the asserts of test modules once, which takes as long as importing them."""
    modules = [*(ROOT / "tests").rglob("test_*.py"), *(ROOT / "tests").rglob("conftest.py")]
    if not all(map(_is_rewritten, modules)):
        _run("-q", "--collect-only", "-p", "no:cacheprovider", "-n", "0", "tests", folder=ROOT)


def _let_pytest_write() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "test_imports.py").write_text(IMPORTS_ALL)
        _run("-q", "-p", "no:cacheprovider", "-n", "1", "--rootdir", folder, folder, folder=Path(folder))


def _run(*args: str, folder: Path) -> None:
    """Run pytest so that it stores the modules that it rewrites."""
    environ = {name: value for name, value in os.environ.items() if name != UNSET}
    command = [sys.executable, "-m", "pytest", *args]
    subprocess.run(command, cwd=folder, env=environ, capture_output=True, timeout=SECONDS, check=False)
