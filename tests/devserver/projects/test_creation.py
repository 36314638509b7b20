"""Projects that are written from templates: complete, and never over an existing file."""

from __future__ import annotations

import errno
import importlib
import os
import re
import sys
from pathlib import Path

import pytest

from devserver.config.settings import Settings
from devserver.errors import FolderNotWritable, OptionError
from devserver.projects import TEMPLATES, create
from devserver.projects.creation import FilesExist
from tests.helpers.checkout import ROOT

tomllib = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
PROJECTS = sorted(TEMPLATES.keys() - {"examples"})


@pytest.mark.parametrize("name", PROJECTS)
def test_a_project_is_complete(name: str, tmp_path: Path) -> None:
    """It has code, a README that lists existing files, settings and CI with a summary; its Python compiles."""
    created = create(TEMPLATES[name], tmp_path / "my" / name)
    assert set(created.files) == {
        path.relative_to(created.folder).as_posix() for path in created.folder.rglob("*") if path.is_file()
    }
    project = tomllib.loads((created.folder / "pyproject.toml").read_text())
    assert project["project"]["name"] == created.name == name
    assert any(line.startswith("temporal-devserver[") for line in project["project"]["optional-dependencies"]["test"])
    assert Settings.load(created.folder).retention in ("7d", "14d")
    ci = (created.folder / ".github" / "workflows" / "test.yml").read_text()
    assert '--temporal-summary "$GITHUB_STEP_SUMMARY"' in ci
    readme = (created.folder / "README.md").read_text()
    (rows,) = re.findall(r"(?ms)^\|---\|---\|$(.*?)(?=^$)", readme)
    for shown in re.findall(r"`([^` ]+\.\w+)`", re.sub(r"(?m)\|[^|]*\|$", "", rows)):
        assert (created.folder / shown).is_file(), shown
    for path in created.folder.rglob("*.py"):
        text = path.read_text()
        compile(text, path, "exec")
        assert "examples/" not in text
    assert "{{" not in readme


def test_its_code_is_that_of_the_examples(tmp_path: Path) -> None:
    """There is one source: the code differs from the example's in the path of its file only."""
    create(TEMPLATES["orders"], tmp_path / "a")
    text = (ROOT / "examples" / "orders.py").read_text()
    assert (tmp_path / "a" / "orders.py").read_text() == text.replace("examples/", "")


def test_the_examples(tmp_path: Path) -> None:
    """The template of all examples writes the folder that README and docs use, unchanged."""
    created = create(TEMPLATES["examples"], tmp_path / "examples")
    assert {"hello.py", "rehearsals/scale_up.py", "shop/pyproject.toml"} <= set(created.files)
    for path in created.files:
        assert (created.folder / path).read_bytes() == (ROOT / "examples" / path).read_bytes()


@pytest.mark.parametrize(
    ("folder", "name"), [("My First_Project!", "my-first-project"), ("тест", "hello"), ("a..b", "a-b")]
)
def test_the_name_of_the_folder_becomes_that_of_the_project(folder: str, name: str, tmp_path: Path) -> None:
    """In the spelling that pip allows; a folder without such letters gets the template's name."""
    assert create(TEMPLATES["hello"], tmp_path / folder).name == name
    project = tomllib.loads((tmp_path / folder / "pyproject.toml").read_text())
    assert project["project"]["name"] == name


@pytest.mark.parametrize("name", ["temporal-devserver", "Temporal_Devserver", "temporalio", "pytest"])
def test_a_name_that_a_dependency_has(name: str, tmp_path: Path) -> None:
    """It is refused: pip could not install the project with its dependencies."""
    with pytest.raises(OptionError, match="a project cannot be called"):
        create(TEMPLATES["hello"], tmp_path / name)
    assert os.listdir(tmp_path) == ["home"]  # noqa: PTH208


def test_existing_files_stay(tmp_path: Path) -> None:
    """A project goes into a folder with other files, but not over any of its own; then nothing is written."""
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    create(TEMPLATES["hello"], folder)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with pytest.raises(FilesExist) as caught:
        create(TEMPLATES["orders"], folder)
    assert caught.value.details == (".github/workflows/test.yml", ".gitignore", "README.md", "pyproject.toml")
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("taken", ["hello.py", "tests", ".github"])
def test_a_file_in_the_way(taken: str, tmp_path: Path) -> None:
    """A link that leads nowhere, or a file where a folder has to be, is not replaced either."""
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / taken).symlink_to(tmp_path / "nowhere")
    with pytest.raises(FilesExist) as caught:
        create(TEMPLATES["hello"], folder)
    assert taken in caught.value.details
    assert [path.name for path in folder.iterdir()] == [taken]
    assert not (tmp_path / "nowhere").exists()


def test_a_file_instead_of_a_folder(tmp_path: Path) -> None:
    """It is wrong usage."""
    (tmp_path / "mine").write_text("")
    with pytest.raises(OptionError, match="is not a folder"):
        create(TEMPLATES["hello"], tmp_path / "mine")


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was written before the failure is removed again, with the folders that were made for it."""
    real_open, opened = open, []

    def failing_open(file: Path, mode: str = "r", *args: object, **keywords: object) -> object:
        if mode == "x":
            opened.append(file)
            if len(opened) == 4:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(file))
        return real_open(file, mode, *args, **keywords)  # type: ignore[call-overload]

    monkeypatch.setattr("builtins.open", failing_open)
    with pytest.raises(FolderNotWritable, match="No space left on device"):
        create(TEMPLATES["hello"], tmp_path / "new" / "mine")
    assert not (tmp_path / "new").exists()
