"""`devserver completion`: the shells' own completion, with our words."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Run

BASH = """
eval "$(devserver completion bash)"
complete -p devserver >/dev/null || exit 1
COMP_WORDS=({line}) COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 ))
_devserver_completion devserver
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
ZSH = """
autoload -U compinit && compinit -u -D
eval "$(devserver completion zsh)"
[[ $_comps[devserver] == _devserver_completion ]] || exit 1
_describe() {{ local all=("${{(@P)3}}"); print -l -- "${{all[@]%%:*}}" }}
compadd() {{ shift $(( ${{@[(i)-a]}} )); print -l -- ${{(P)1}} }}
words=({line}) CURRENT=$#words
_devserver_completion
"""
FISH = """
devserver completion fish | source
complete -C '{line}' | string split -f 1 \\t; true
"""
SCRIPTS = {"bash": ["bash", "--norc", "-c", BASH], "zsh": ["zsh", "-f", "-c", ZSH], "fish": ["fish", "-N", "-c", FISH]}


@pytest.mark.parametrize("shell", SCRIPTS)
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("devserver up --pro", {"--profile"}),
        ("devserver up --profile s", {"stock"}),
        ("devserver sta", {"status"}),
        ("devserver env --format d", {"dotenv"}),
        ("devserver snapshot rest", {"restore"}),
    ],
)
def test_the_script_completes(home: Path, shell: str, line: str, offered: set[str]) -> None:
    """The script loads in the real shell and offers what the command knows."""
    *program, script = SCRIPTS[shell]
    if shutil.which(program[0]) is None:
        pytest.skip(f"{shell} is not installed")
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        [*program, script.format(line=line)], capture_output=True, text=True, env=env, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, ""), done
    assert set(done.stdout.split()) == offered


def test_commands_are_offered_with_what_they_do(devserver: Run) -> None:
    """All of them, also those whose modules would be slow to load."""
    env = {"_DEVSERVER_COMPLETE": "zsh_complete", "COMP_WORDS": "devserver ", "COMP_CWORD": "1"}
    done = devserver(env=env)
    assert done.returncode == 0
    assert "plain\nup\nStart a server, or say where the running one is.\n" in done.stdout
    assert "plain\ndoctor\n" in done.stdout


def test_an_unknown_shell(devserver: Run) -> None:
    """The shells there are."""
    done = devserver("completion", "tcsh")
    assert (done.returncode, done.stdout) == (2, "")
    assert "'tcsh' is not one of 'bash', 'zsh', 'fish'." in done.stderr
