"""Run the plugin's main tests with other versions of Python and pytest, with and without xdist.

python scripts/matrix.py                  # every combination, in environments below .matrix
python scripts/matrix.py 3.10-pytest8.3   # only those whose name contains a word
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDER = Path(os.environ.get("MATRIX", ROOT / ".matrix"))
LIMIT = "600"
# Each Python with the oldest and the newest pytest, and each pytest at least once with xdist and once without.
COMBINATIONS = (
    ("3.10", "8.3", True),
    ("3.10", "9.2", False),
    ("3.11", "8.4", False),
    ("3.11", "9.1", True),
    ("3.12", "8.3", False),
    ("3.12", "9.0", True),
    ("3.13", "8.4", True),
    ("3.13", "9.0", False),
    ("3.13", "9.2", True),
)
NEEDED = ("anyio>=4", "pydantic>=2", "pytest-asyncio>=1", "pytest-timeout>=2.3")
TESTS = (
    "tests/temporaltest/test_plugin.py",
    "tests/temporaltest/test_example.py",
    "tests/temporaltest/workers/test_loop_scopes.py",
    "tests/temporaltest/workflows/test_environment.py",
    "tests/temporaltest/replay/test_command_inputs.py",
    "tests/temporaltest/time/test_one_clock.py",
)


@dataclass(frozen=True)
class Combination:
    """One environment: a Python, a pytest, and whether xdist is installed."""

    python: str
    pytest: str
    xdist: bool

    @property
    def name(self) -> str:
        """The name of its folder."""
        return f"{self.python}-pytest{self.pytest}{'-xdist' if self.xdist else ''}"

    def make(self) -> Path:
        """Make the environment, unless it is there; its Python."""
        folder = FOLDER / self.name
        python = folder / "bin" / "python"
        if not (folder / "made").exists():
            run("uv", "venv", "--quiet", "--allow-existing", "--python", interpreter(self.python), str(folder))
            wanted = [*NEEDED, f"pytest=={self.pytest}.*", *(["pytest-xdist>=3.6"] if self.xdist else [])]
            run("uv", "pip", "install", "--quiet", "--python", str(python), "--editable", f"{ROOT}[binary]", *wanted)
            (folder / "made").touch()
        return python

    def test(self) -> int:
        """Run the tests; the exit code."""
        words = ["-n", "0"] if self.xdist else []
        own = [] if self.xdist else ["-k", "not n2 and not n0"]
        command = [str(self.make()), "-m", "pytest", "-q", "--timeout", LIMIT, *words, *own, *TESTS]
        return subprocess.run(command, cwd=ROOT, check=False).returncode


def interpreter(version: str) -> str:
    """The Python of a version that is installed here, or the version, which uv downloads."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    installed = sorted(map(str, pyenv.glob(f"{version}.*/bin/python")))
    return next(reversed(installed), None) or shutil.which(f"python{version}") or version


def run(*words: str) -> None:
    """Run a program of this environment; its failure ends the run."""
    program = Path(sys.executable).with_name(words[0])
    subprocess.run([str(program), *words[1:]], cwd=ROOT, check=True)


def main() -> int:
    """Run the combinations that are asked for; 1 if one failed."""
    combinations = [Combination(*values) for values in COMBINATIONS]
    chosen = [one for one in combinations if all(word in one.name for word in sys.argv[1:])]
    results = {}
    for combination in chosen:
        print(f"== {combination.name}", flush=True)
        results[combination.name] = combination.test()
    for name, code in results.items():
        print(f"{'passed' if code == 0 else f'failed ({code})':12} {name}")
    return 1 if any(results.values()) or not results else 0


if __name__ == "__main__":
    sys.exit(main())
