"""`devserver completion`: the shells' own completion, with our words."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Run
from tests.helpers.waiting import eventually

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
SLOW = {"_DEVSERVER_COMPLETE_SECONDS": "100"}  # importing the SDK takes long on a busy machine
SCRIPTS = {"bash": ["bash", "--norc", "-c", BASH], "zsh": ["zsh", "-f", "-c", ZSH], "fish": ["fish", "-N", "-c", FISH]}


def completed(shell: str, line: str) -> set[str]:
    """What the real shell offers for a line with our script."""
    *program, script = SCRIPTS[shell]
    if shutil.which(program[0]) is None:
        pytest.skip(f"{shell} is not installed")
    env = {**os.environ, **SLOW, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        [*program, script.format(line=line)], capture_output=True, text=True, env=env, timeout=180, check=False
    )
    assert (done.returncode, done.stderr) == (0, ""), done
    return set(done.stdout.split())


@pytest.mark.parametrize("shell", SCRIPTS)
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("devserver up --tun", {"--tuning"}),
        ("devserver up --tuning s", {"stock"}),
        ("devserver stat", {"status"}),
        ("devserver env --format d", {"dotenv"}),
        ("devserver snapshot rest", {"restore"}),
    ],
)
def test_the_script_completes(home: Path, shell: str, line: str, offered: set[str]) -> None:
    """The script loads in the real shell and offers what the command knows."""
    assert completed(shell, line) == offered


@pytest.mark.parametrize("shell", SCRIPTS)
def test_a_file_of_a_checkout_is_not_run(
    home: Path, tmp_path: Path, shell: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tab after `./devserver` asks the devserver that is installed, not the file, which may be a stranger's."""
    (tmp_path / "devserver").write_text("#!/bin/sh\ntouch ran\n")
    (tmp_path / "devserver").chmod(0o755)
    monkeypatch.setitem(
        SCRIPTS, "bash", [*SCRIPTS["bash"][:3], BASH.replace("completion devserver", "completion ./devserver")]
    )
    assert completed(shell, "./devserver stat") == {"status"}
    assert not (tmp_path / "ran").exists()


MODULE = """
from dataclasses import dataclass
from typing import Literal
from temporalio import workflow

print("loud")

@dataclass
class Purchase:
    amount: int
    speed: Literal["slow", "fast"] = "slow"

@workflow.defn
class Order:
    @workflow.run
    async def run(self, purchase: Purchase) -> None: ...

    @workflow.signal
    def approve(self, by: str) -> None: ...
"""


OTHERS = """
from temporalio import activity

@workflow.defn(name="Bill")
class Invoice(Order):
    @workflow.run
    async def run(self) -> None: ...

@activity.defn
async def pay() -> None: ...
"""


@pytest.mark.parametrize("shell", SCRIPTS)
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("devserver workflow start desk.py:O", {"desk.py:Order"}),
        ("devserver workflow start desk.py:Order --speed f", {"fast"}),
        ("devserver workflow signal desk.py:approve o1 --b", {"--by"}),
    ],
)
def test_a_module_is_completed(devserver: Run, tmp_path: Path, shell: str, line: str, offered: set[str]) -> None:
    """What is in it, and the options of that; bash, which splits at colons, gets the part after them."""
    (tmp_path / "desk.py").write_text(MODULE)
    assert devserver("trust").returncode == 0
    if shell == "bash":
        line = line.replace(":", " : ").removesuffix(" ")
        offered = {each.rpartition(":")[2] for each in offered}
    assert completed(shell, line) == offered


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("devserver workflow start ", {"app/work.py", "broken.py", "desk.py", "app"}),
        ("devserver inspect app.", {"app.work"}),
        ("devserver inspect app/", {"app/work.py"}),
        ("devserver workflow signal desk.py:", {"desk.py:Order.approve"}),
        ("devserver workflow start desk.py:Order --am", {"--amount"}),
        ("devserver workflow start broken.py:", set()),
        ("devserver workflow start broken.py:O --am", set()),
    ],
)
def test_what_there_is_to_be_named(tmp_path: Path, devserver: Run, line: str, offered: set[str]) -> None:
    """Files and packages, not those of a virtual environment; nothing of a module that fails."""
    files = {"desk.py": MODULE, "broken.py": "1 / 0", "app/__init__.py": "", "app/work.py": "", "env/pyvenv.cfg": ""}
    for name, text in {**files, "env/lib.py": "", ".hidden/a.py": ""}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert devserver("trust").returncode == 0
    assert offers(devserver, line) == offered


def test_a_stranger_s_module_is_read_and_not_imported(tmp_path: Path, devserver: Run) -> None:
    """Names come from the source of a file in a folder without trust; nothing in it runs, also below it."""
    spy = "from pathlib import Path\nPath('was-imported').touch()\n"
    (tmp_path / "desk.py").write_text(spy + MODULE + OTHERS)
    assert offers(devserver, "devserver workflow start desk.py:") == {"desk.py:Order", "desk.py:Bill"}
    assert offers(devserver, "devserver run desk.py:") == {"desk.py:Order", "desk.py:Bill", "desk.py:pay"}
    assert offers(devserver, "devserver workflow start desk:") == {"desk:Order", "desk:Bill"}
    assert offers(devserver, "devserver workflow signal desk.py:") == {"desk.py:Order.approve"}
    assert offers(devserver, "devserver workflow start desk.py:Order --am") == set()
    stranger = tmp_path / "vendored"
    (stranger / ".git").mkdir(parents=True)
    (stranger / "desk.py").write_text(spy + MODULE)
    assert devserver("trust").returncode == 0
    assert offers(devserver, "devserver workflow start vendored/desk.py:Order --am") == set()
    assert offers(devserver, "devserver workflow start vendored.desk:") == {"vendored.desk:Order"}
    assert offers(devserver, "devserver workflow start vendored.desk:Order --am") == set()
    assert not Path("was-imported").exists()
    assert offers(devserver, "devserver workflow start desk.py:Order --am") == {"--amount"}
    assert Path("was-imported").exists()


def test_a_package_around_a_trusted_project_is_not_imported(
    tmp_path: Path, devserver: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trust ends at the project, also where its folder is part of a package above it."""
    (tmp_path / "__init__.py").write_text("from pathlib import Path\nPath('was-imported').touch()\n")
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    for name, text in (("pyproject.toml", ""), ("__init__.py", ""), ("desk.py", MODULE)):
        Path(name).write_text(text)
    assert devserver("trust").returncode == 0
    assert offers(devserver, "devserver workflow start desk.py:") == {"desk.py:Order"}
    assert not Path("was-imported").exists()


@pytest.mark.parametrize("shell", SCRIPTS)
def test_names_of_a_stranger_are_not_put_on_the_command_line(home: Path, tmp_path: Path, shell: str) -> None:
    """Files and workflows whose names a shell would evaluate or split, or that look like options, are not offered."""
    evil = (
        "$(touch x)",
        "`touch x`",
        "a;touch x",
        "a&b",
        "a|b",
        "a b",
        "*",
        "{a,b}",
        "<x",
        "a'b",
        'a"b',
        "a\\b",
        "!x",
        "é",
    )
    for name in evil:
        (tmp_path / f"f{name}.py").write_text("")
    names = "".join(f"@workflow.defn(name={'W' + name!r})\nclass W{at}: ...\n" for at, name in enumerate(evil))
    (tmp_path / "desk.py").write_text(f"from temporalio import workflow\n{names}")
    assert completed(shell, "devserver inspect f") == {"fé.py"}
    line = "devserver workflow start desk.py:W"
    found = completed(shell, line.replace(":", " : ") if shell == "bash" else line)
    assert {name.rpartition(":")[2] for name in found} == {"Wé"}
    for name in evil:
        (tmp_path / f"f{name}.py").unlink()
    (tmp_path / "--data-converter=x.py").touch()
    (tmp_path / "-rf.py").touch()
    assert completed(shell, "devserver run " if shell == "fish" else "devserver run ''") == {"desk.py"}
    assert not (tmp_path / "x").exists()


def offers(devserver: Run, line: str) -> set[str]:
    """What a shell is offered for a line."""
    words = {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1)}
    done = devserver(env={"_DEVSERVER_COMPLETE": "zsh_complete", **SLOW, **words})
    assert (done.returncode, done.stderr) == (0, "")
    return {value.replace("\\:", ":") for value in done.stdout.split("\n")[1::3] if value}


def test_ids_of_workflows(up: Run, tmp_path: Path, devserver: Run) -> None:
    """Those that are there and fit, of the type that is called; nothing, at once and silently, without a server."""
    (tmp_path / "desk.py").write_text(MODULE)

    def offered(line: str) -> set[str]:
        return offers(devserver, line)

    assert devserver("trust").returncode == 0
    assert offered("devserver trace ") == offered("devserver trace --address 127.0.0.1:1 ") == set()
    up("--ephemeral")
    there = [
        ("--address=1.example:7", "Order"),
        ("o:1", "Order"),
        ("o:2", "Order"),
        ("o' 3", "Order"),
        ("other", "Other"),
    ]
    for workflow_id, kind in there:
        words = ["workflow", "start", f"--workflow-id={workflow_id}", "--type", kind, "--task-queue", "q"]
        assert devserver("temporal", "--", *words).returncode == 0
    assert devserver("temporal", "--", "workflow", "terminate", "--workflow-id", "o:2").returncode == 0
    eventually(lambda: offered("devserver stuck ") == {"o:1", "other"})
    assert offered("devserver trace o") == {"o:1", "o:2", "other"}
    assert offered("devserver trace o:") == {"o:1", "o:2"}
    assert offered("devserver workflow signal desk.py:approve o") == {"o:1"}
    assert offered("devserver workflow signal desk.py:approve o1 --namespace nix ") == set()


def test_a_module_that_does_not_end(tmp_path: Path, devserver: Run) -> None:
    """One that works at import is given up; the shell goes on, without a word."""
    (tmp_path / "slow.py").write_text("import time\nwhile True:\n    try: time.sleep(60)\n    except Exception: pass\n")
    assert devserver("trust").returncode == 0
    env = {"_DEVSERVER_COMPLETE": "zsh_complete", "COMP_WORDS": "devserver workflow start slow.py:", "COMP_CWORD": "3"}
    done = devserver(env=env)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "", "")


def test_a_folder_that_cannot_be_looked_at(devserver: Run) -> None:
    """An error while names are looked for is silent too; here the name is longer than the file system allows."""
    assert offers(devserver, f"devserver run {'x' * 300}.") == set()


def test_commands_are_offered_with_what_they_do(devserver: Run) -> None:
    """All of them, also those whose modules would be slow to load."""
    env = {"_DEVSERVER_COMPLETE": "zsh_complete", "COMP_WORDS": "devserver ", "COMP_CWORD": "1"}
    done = devserver(env=env)
    assert done.returncode == 0
    assert "plain\nup\nStart a server, or show the running one.\n" in done.stdout
    assert "plain\ndoctor\n" in done.stdout


def test_an_unknown_shell(devserver: Run) -> None:
    """The shells there are."""
    done = devserver("completion", "tcsh")
    assert (done.returncode, done.stdout) == (2, "")
    assert "'tcsh' is not one of 'bash', 'zsh', 'fish'." in done.stderr
