"""Runs the commands shown in README and docs and writes (or checks) the output that follows each.

In a block that begins with ```console, a line `$ devserver ...` is run and the lines below it, up to the next `$`,
are its output. All blocks of one page run in one new home, in order, with the examples of this checkout in it. Lines
`$ cp ...` and `$ pytest ...` run too. `$ devserver run ... &` runs in the background: its banner is shown, and its
later output is shown below `$ kill %1`, which stops it (`%2` for the second one). Other commands are shown and not run.
The tables of moments, faults, drills, expectations and settings are written too.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))  # as a script it sees its own folder only

from scripts.tables import TABLE, with_tables  # noqa: E402

BLOCK = re.compile(r"(?ms)^```console\n(.*?)^```$")
RUN_SECONDS = 60
RunPython = Callable[..., str]
StartPython = Callable[..., Any]
RUNS = ("$ devserver ", "$ pytest ", "$ cp ", "$ kill %")
LAST_OF_BANNER = "  reload "
FEWER_PLUGINS = "-p no:asyncio -p no:cacheprovider"  # as in an environment without our development tools

# What differs from run to run, made the same before texts are compared.
VARYING = (
    (r"(?m)(^\d{4}-\d\d-\d\dT\S+Z .*)\n    (?=\S)", r"\1 "),  # a hit of a search, folded
    (r"\b(127\.0\.0\.1|localhost):\d+", r"\1:PORT"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ?(\.\d+)?", "TIME"),
    (r"\d{8}T\d{6}Z", "TIME"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", "TIME"),
    (r'(?m)→ "\S*\.\.\.$', "→ CUT"),
    (r"(?m)[A-Z][a-z]{2} \d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}(  in (\d+[dhms]){1,2}$)?", "TIME"),
    (r"\bpid(\s+| ?[=:\"]+ ?)\d+", r"pid\g<1>PID"),
    (r'("(?:supervisor_)?pid": )\d+', r"\1PID"),
    (r"\d+(\.\d+)? (MB|GB|kB|bytes)", r"SIZE"),
    (r"Python \d+\.\d+\.\d+ on \w+ \w+", "MACHINE"),
    (r"\b[0-9a-f]{64}\b", "SHA256"),
    (r"\b[0-9a-f]{32}\b", "TRACE"),
    (r"\b[0-9a-f]{16}\b", "SPAN"),
    (r"\(\d+ events\)", "(EVENTS)"),
    (r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "UUID"),
    (r"(?m), (\d+[dhms]){1,2}$", ", AGE"),
    (r'"age_seconds": [\d.]+', '"age_seconds": AGE'),
    (r"(linux|darwin)-(amd64|arm64)", "PLATFORM"),
    (r"(?m)^ok +environment: .*\n", ""),
    (r"(?m)^(pid) +\d+$", r"\1 PID"),
    (r"\(seed \d+, [^)]*\)", "(SEED)"),
    (r"\b\d+\.\d+s\b", "SECONDS"),  # of pytest
    (r"\b\d+(\.\d+)? m?s( to \d+(\.\d+)? m?s)?\b", "SECONDS"),
    (r"\d+ events replay", "EVENTS replay"),
    (r"(?m)^\d\d:\d\d:\d\d ", "CLOCK "),
    (r"(?m)^port +0 +DEVSERVER_PORT\n", ""),  # of the check itself
    (r"[ \t]+", " "),
)


def _run_python(args: list[str], *, errors: bool, env: dict[str, str], cwd: Path) -> str:
    """What Python prints when it is run with these arguments, with what it prints as errors if `errors`."""
    done = subprocess.run(
        [sys.executable, *args],
        env=env,
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if errors else subprocess.DEVNULL,
        text=True,
        timeout=RUN_SECONDS,
        check=False,
    )
    return done.stdout


def pages() -> list[Path]:
    """Every page with commands."""
    return [
        page
        for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
        if BLOCK.search(page.read_text()) or TABLE.search(page.read_text())
    ]


def _start_python(args: list[str], *, env: dict[str, str], cwd: Path) -> subprocess.Popen[str]:
    """Python with these arguments, with all that it prints in `stdout`."""
    return subprocess.Popen(
        [sys.executable, *args],
        env=env,
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
    )


def rewritten(
    page: Path,
    environ: dict[str, str],
    run_python: RunPython = _run_python,
    start_python: StartPython = _start_python,
    prepare: Callable[[Path], None] | None = None,
) -> str:
    """The page's text with the current output of its commands, which `run_python` runs and `start_python` starts, in a
    home that `prepare` gets first.
    """
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        shutil.copytree(ROOT / "examples", home / "examples", ignore=shutil.ignore_patterns("__pycache__"))
        if prepare is not None:
            prepare(home)
        run = _Shell(home, environ, run_python, start_python)
        text = with_tables(page.read_text())
        try:
            return BLOCK.sub(lambda block: "```console\n" + "".join(_block(block.group(1), run)) + "```", text)
        finally:
            run.kill_all()
            run("devserver down --all")


def same(one: str, other: str) -> bool:
    """Whether two pages differ only in what varies from run to run."""
    return normalised(one) == normalised(other)


def normalised(text: str) -> str:
    """`text` without ports, pids, times, sizes and seeds."""
    for pattern, replacement in VARYING:
        text = re.sub(pattern, replacement, text)
    return text


def _block(text: str, run: Callable[[str], str]) -> Iterator[str]:
    kept = True
    for line in text.splitlines(keepends=True):
        if line.startswith("$ "):
            yield line
            kept = not line.startswith(RUNS) or "|" in line
            if not kept:
                yield run(line[2:])
        elif kept:
            yield line


class _Shell:
    """Runs commands in their own home folder and returns their output."""

    def __init__(self, home: Path, environ: dict[str, str], run_python: RunPython, start_python: StartPython) -> None:
        kept = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith(("DEVSERVER_", "TEMPORAL_", "XDG_", "SSL_", "PYTEST_"))
        }
        self._home = home
        self._run_python = run_python
        self._start_python = start_python
        own = {"HOME": str(home), "COLUMNS": "100", "PYTEST_ADDOPTS": FEWER_PLUGINS}
        self._how: dict[str, Any] = {"env": {**kept, **own, **environ}, "cwd": home}
        self._background: list[Any] = []

    def __call__(self, command: str) -> str:
        name, *arguments = shlex.split(command, comments=True)
        if name == "cp":
            shutil.copy(*(self._home / each for each in arguments))
            return ""
        if name == "kill":
            return self._shown(self.kill(self._background[int(arguments[0].removeprefix("%")) - 1]))
        words = ["-m", name, *arguments]
        if arguments[-1:] == ["&"]:
            return self._shown(self._begin(words[:-1]))
        # A rehearsal's live view is gone from the terminal in the end.
        return self._shown(self._run_python(words, errors=arguments[:1] != ["rehearse"], **self._how))

    def kill(self, process: Any) -> str:
        """Stop a background command; returns its output since the banner."""
        process.terminate()
        try:
            return str(process.communicate(timeout=RUN_SECONDS)[0])
        finally:
            process.kill()
            process.stdout.close()

    def kill_all(self) -> None:
        """Stop all background commands."""
        for process in self._background:
            if process.poll() is None:
                self.kill(process)

    def _begin(self, words: list[str]) -> str:
        """Start a command in the background; returns its banner."""
        process = self._start_python(words, **self._how)
        self._background.append(process)
        banner = ""
        for line in process.stdout:
            banner += line
            if line.startswith(LAST_OF_BANNER):
                break
        return banner

    def _shown(self, text: str) -> str:
        return text.replace(str(self._home), "~")


def main() -> int:
    """Rewrite every page, or with --check list the pages that are out of date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a page is out of date")
    check = parser.parse_args().check
    stale = 0
    for page in pages():
        before = page.read_text()
        after = rewritten(page, {"DEVSERVER_PORT": "0"} if check else {})
        if same(before, after):
            continue
        stale += 1
        print(f"{page.relative_to(ROOT)}: {'out of date' if check else 'rewritten'}")
        if not check:
            page.write_text(after)
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
