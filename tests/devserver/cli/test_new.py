"""`devserver new`: what it prints, and what it refuses."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from devserver.projects import TEMPLATES
from tests.conftest import Run


def test_it_says_what_it_wrote_and_what_to_do_next(devserver: Run, tmp_path: Path) -> None:
    """Without arguments it writes the first template into a folder of its name."""
    done = devserver("new")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "created hello from the template hello\n"
        "  .github/\n  .gitignore\n  README.md\n  hello.py\n  pyproject.toml\n  tests/\n"
        "next:\n  cd hello\n  pip install -e '.[test]'\n  pytest\n"
        "  devserver up -d\n  python hello.py\n  devserver ui\n"
    )
    assert (tmp_path / "hello" / "tests" / "test_hello.py").is_file()
    again = devserver("new")
    assert (again.returncode, again.stdout) == (1, "")
    assert again.stderr.startswith("error: hello has files of these names already, and nothing was written\n")


def test_the_current_folder(devserver: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`devserver new .` needs no `cd`, and the project has the folder's name."""
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path / "mine")
    done = devserver("new", ".", "--template", "orders", "--json")
    found = json.loads(done.stdout)
    assert (found["form"], found["template"], found["name"], found["folder"]) == (1, "orders", "mine", ".")
    assert "orders.py" in found["files"]


def test_the_examples_are_used_from_above(devserver: Run, tmp_path: Path) -> None:
    """As in the docs, whose commands name examples/hello.py; another folder name is in the commands, too."""
    assert devserver("new", "--template", "examples").stdout.endswith(
        "next:\n  devserver up -d\n  python examples/hello.py\n"
    )
    assert devserver("new", "a/b c", "--template", "examples").stdout.endswith(
        "next:\n  cd a\n  devserver up -d\n  python 'b c'/hello.py\n"
    )


def test_help_lists_the_templates(devserver: Run) -> None:
    """With a line for each."""
    printed = devserver("new", "--help").stdout
    for template in TEMPLATES.values():
        assert f"    {template.name:<9}  {template.line}\n" in printed


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("--template", "nothing"), 2, "'nothing' is not one of 'hello', 'orders'"),
        (("temporal-devserver",), 2, "a project cannot be called temporal-devserver"),
        (("file",), 2, "file is not a folder"),
        (("file/below",), 1, "cannot write the project"),
        (("x" * 300,), 1, "File name too long"),
    ],
    ids=["template", "taken", "file", "below", "long"],
)
def test_bad_input(devserver: Run, tmp_path: Path, words: tuple[str, ...], code: int, message: str) -> None:
    """A short message, and nothing is written."""
    (tmp_path / "file").write_text("")
    done = devserver("new", *words)
    assert (done.returncode, message in done.stderr) == (code, True), done.stderr
    assert sorted(os.listdir(tmp_path)) == ["file", "home"]  # noqa: PTH208
