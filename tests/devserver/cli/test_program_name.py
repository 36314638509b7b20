"""The name by which the command line is called: usage texts, hints and the banner use it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from devserver.cli.program_name import called, renamed
from devserver.executables.models import Executable
from tests.conftest import CLI_LIMIT

UV = "/home/ada/.cache/uv/archive-v0/Zx81"
SCRIPTS = Path(sys.executable).parent


@pytest.mark.parametrize(
    ("program", "prefix", "name"),
    [
        ("/venv/bin/devserver", "/venv", "devserver"),
        ("/venv/lib/devserver/__main__.py", "/venv", "devserver"),
        ("/venv/bin/temporal-devserver", "/venv", "temporal-devserver"),
        ("temporal devserver", "/venv", "temporal devserver"),
        (f"{UV}/bin/temporal-devserver", UV, "uvx temporal-devserver"),
        (f"{UV}/bin/devserver", UV, "uvx temporal-devserver"),
        ("/home/ada/.local/share/uv/tools/temporal-devserver/bin/devserver", "/home/ada/.local/share/uv", "devserver"),
        ("/home/ada/.cache/pipx/1f/bin/temporal-devserver", "/home/ada/.cache/pipx/1f", "pipx run temporal-devserver"),
        ("/home/ada/.local/bin/devserver", "/home/ada/.local/pipx/venvs/temporal-devserver", "devserver"),
    ],
)
def test_names(program: str, prefix: str, name: str) -> None:
    """The words are those that call the program again: of `uvx` and `pipx run` too, not of what they installed."""
    assert called(program, prefix) == name


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("start it with: devserver up --name a", "start it with: NAME up --name a"),
        ("`devserver workflow start M:W`", "`NAME workflow start M:W`"),
        ("devserver --help lists them", "NAME --help lists them"),
        ("Name of the devserver instance.", "Name of the devserver instance."),
        ("python -m devserver upgrade", "python -m devserver upgrade"),
        ("/usr/bin/devserver up, temporal-devserver up", "/usr/bin/devserver up, temporal-devserver up"),
    ],
)
def test_only_commands_are_renamed(text: str, shown: str) -> None:
    """A command gets the name; other uses of the word stay."""
    assert renamed(text, "NAME") == shown
    assert renamed(renamed(text, "temporal devserver"), "temporal devserver") == shown.replace(
        "NAME", "temporal devserver"
    )


def run(*words: str) -> subprocess.CompletedProcess[str]:
    """Run an executable of this environment."""
    program, *rest = words
    return subprocess.run(
        [str(SCRIPTS / program), *rest], capture_output=True, text=True, timeout=CLI_LIMIT, check=False
    )


@pytest.mark.parametrize("name", ["devserver", "temporal-devserver"])
def test_usage_hints_and_version_have_the_name(name: str, home: Path) -> None:
    """Both executables do the same under their own name."""
    usage = run(name, "up", "--help").stdout
    assert usage.startswith(f"Usage: {name} up [OPTIONS]\n")
    assert f"with -d, `{name} down` does" in " ".join(usage.split())
    assert run(name, "status").stderr.endswith(f"hint: start it with: {name} up\n")
    assert run(name, "start").stderr.endswith(f"`{name} workflow start MODULE:WORKFLOW` a workflow\n")
    assert run(name, "--version").stdout.startswith(f"{name}, version ")
    assert (
        f"complete -o nosort -F _{name.replace('-', '_')}_completion {name}" in run(name, "completion", "bash").stdout
    )


def test_the_banner_has_the_name(installed: Executable, home: Path) -> None:
    """The command that the banner shows is the one that works for who started the server."""
    done = run("temporal-devserver", "up", "-d", "--ephemeral", "--port", "0", "--no-ui")
    assert "is ready; temporal-devserver down stops it\n" in done.stdout, done.stderr
    assert run("temporal-devserver", "down").returncode == 0
    assert os.listdir(home) == ["devserver"]  # noqa: PTH208
