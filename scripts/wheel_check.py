"""Build the wheel, install it in fresh environments as users do, and run a first server and a first test there.

python scripts/wheel_check.py                 # every way and every Python that is installed
python scripts/wheel_check.py pip-3.12        # only those whose name contains a word

The ways: `pip` and `uv` install the wheel with its dependencies; `uvx` and `pipx` run it without installing it. Each
has a new home and a current folder without this checkout. Downloads come from the configured package index.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # as a script it sees its own folder only

from scripts.matrix import interpreter  # noqa: E402

PYTHONS = ("3.10", "3.11", "3.12", "3.13")
EXTRAS = "[binary,run]"
SECONDS = 600
KEPT = ("PATH", "LANG", "LC_ALL", "TERM")
KEPT_PREFIXES = ("PIP_", "UV_", "SSL_", "HTTP", "http", "NO_PROXY", "no_proxy", "REQUESTS_")


class Failed(Exception):
    """A command did not do what it has to."""


@dataclass(frozen=True)
class Place:
    """A fresh home with a current folder, for one way to install the wheel.

    Args:
        home: The folder.
        wheel: The wheel.
        variables: Environment variables of the programs that run there.
    """

    home: Path
    wheel: Path
    variables: Mapping[str, str] = field(default_factory=dict)

    def run(self, *words: str, code: int = 0, path: Path | None = None, cwd: Path | None = None) -> str:
        """Run a program with nothing of this environment; what it printed.

        Raises:
            Failed: Its exit code is another one.
        """
        environ = {name: value for name, value in os.environ.items() if name in KEPT or name.startswith(KEPT_PREFIXES)}
        environ |= {"HOME": str(self.home), "TMPDIR": str(self.home), **self.variables}
        if path is not None:
            environ["PATH"] = f"{path}{os.pathsep}{environ['PATH']}"
        done = subprocess.run(
            words,
            cwd=cwd or self.home,
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        if done.returncode != code:
            raise Failed(f"{' '.join(words)}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def check_first_steps(self, scripts: Path) -> None:
        """What a new user does first, with the programs in a folder: a server, its extension, a project, its tests."""
        devserver = str(scripts / "devserver")
        self.check_server(devserver)
        shown = self.run("temporal", "devserver", "status", "--json", code=1, path=scripts)
        require(json.loads(shown)["state"] == "stopped", shown)
        require("# The executable" in self.run(devserver, "docs", "binary"), "devserver docs")
        for template, outcome in (("hello", "2 passed"), ("cluster", "4 passed")):
            self.run(devserver, "new", template, "--template", template)
            shown = self.run(str(scripts / "pytest"), "-q", path=scripts, cwd=self.home / template)
            require(outcome in shown, shown)

    def check_server(self, *program: str) -> None:
        """A first server: it starts, is ready, and stops."""
        shown = self.run(*program, "up", "-d", "--ephemeral", "--port", "0")
        require("is ready" in shown, shown)
        try:
            require(self.run(*program, "wait").endswith(" is ready\n"), "devserver wait")
            require(json.loads(self.run(*program, "status", "--json"))["state"] == "ready", "devserver status")
        finally:
            self.run(*program, "down")


def require(condition: bool, shown: str) -> None:
    """Fail with what was shown unless a condition holds."""
    if not condition:
        raise Failed(shown)


def build(folder: Path) -> Path:
    """Build the wheel; its path."""
    words = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(words, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def program(name: str) -> str | None:
    """A program of this environment, or else of PATH."""
    own = Path(sys.executable).with_name(name)
    return str(own) if own.exists() else shutil.which(name)


def with_pip(place: Place, python: str) -> None:
    """`python -m venv`, then pip."""
    environment = place.home / "venv"
    place.run(interpreter(python), "-m", "venv", str(environment))
    place.run(str(environment / "bin" / "python"), "-m", "pip", "install", "--quiet", f"{place.wheel}{EXTRAS}")
    place.check_first_steps(environment / "bin")


def with_uv(place: Place, python: str) -> None:
    """`uv venv`, then `uv pip`; the environment has no pip."""
    uv = str(program("uv"))
    environment = place.home / "venv"
    place.run(uv, "venv", "--quiet", "--python", interpreter(python), str(environment))
    target = ("--python", str(environment / "bin" / "python"))
    place.run(uv, "pip", "install", "--quiet", *target, f"{place.wheel}{EXTRAS}")
    place.check_first_steps(environment / "bin")


def with_uvx(place: Place, python: str) -> None:
    """`uvx temporal-devserver`, from the wheel."""
    words = (str(program("uvx")), "--python", interpreter(python), "--from", f"{place.wheel}{EXTRAS}")
    shown = place.run(*words, "temporal-devserver", "up", "--help")
    require(shown.startswith("Usage: uvx temporal-devserver up [OPTIONS]"), shown)
    place.check_server(*words, "temporal-devserver")


def with_pipx(place: Place, python: str) -> None:
    """`pipx run temporal-devserver`, from the wheel, with pip as pipx's backend: with uv it is what uvx does."""
    place = replace(place, variables={**place.variables, "PIPX_DEFAULT_BACKEND": "pip"})
    spec = f"{place.wheel}{EXTRAS}"
    words = (str(program("pipx")), "run", "--python", interpreter(python), "--spec", spec, "temporal-devserver")
    shown = place.run(*words, "up", "--help")
    require(shown.startswith("Usage: pipx run temporal-devserver up [OPTIONS]"), shown)
    place.check_server(*words)


WAYS = {"pip": with_pip, "uv": with_uv, "uvx": with_uvx, "pipx": with_pipx}


def combinations(words: list[str]) -> Iterator[tuple[str, str, str]]:
    """Name, way and Python of what is asked for: each Python with pip and uv, the newest with uvx and pipx."""
    for way in WAYS:
        for python in PYTHONS if way in ("pip", "uv") else PYTHONS[-1:]:
            name = f"{way}-{python}"
            if all(word in name for word in words):
                yield name, way, python


def main() -> int:
    """Check what is asked for; 1 if something failed."""
    failed = []
    chosen = list(combinations(sys.argv[1:]))
    with tempfile.TemporaryDirectory() as folder:
        wheel = build(Path(folder))
        for name, way, python in chosen:
            if Path(interpreter(python)).name == python:
                print(f"skipped  {name}: Python {python} is not installed", flush=True)
                continue
            with tempfile.TemporaryDirectory() as home:
                try:
                    WAYS[way](Place(Path(home), wheel), python)
                except (Failed, subprocess.SubprocessError) as error:
                    failed.append(name)
                    print(f"failed   {name}: {error}", flush=True)
                else:
                    print(f"passed   {name}", flush=True)
    if not chosen:
        print(
            f"no check has {' and '.join(sys.argv[1:])} in its name: {', '.join(name for name, *_ in combinations([]))}"
        )
    return 1 if failed or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
