"""Settings: where they come from, which one wins, and what is said about wrong ones."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from devserver.config.settings import Settings
from devserver.errors import ConfigFileError, OptionError

TABLE = """
[tool.devserver]
binary = "tools/temporal"
version = "1.8.3"
source = "wheel"
offline = true
base-url = "https://mirror.example"
require-pinned = true
accept-sha256 = "ab"
tuning = "stock"
port = 7300
ui-port = 0
namespaces = ["orders", "billing"]
search-attributes = { CustomerId = "Keyword" }
retention = "7d"
"""


def write(folder: Path, text: str) -> Path:
    """A pyproject.toml in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "pyproject.toml"
    path.write_text(text)
    return path


def test_nothing_set_leaves_everything_unset(tmp_path: Path) -> None:
    """Without a file and variables, the defaults hold."""
    assert Settings.load(tmp_path, {}) == Settings()


def test_the_table_of_the_nearest_project_is_read(tmp_path: Path) -> None:
    """Every key arrives in its type, and a relative binary starts at the file's folder."""
    path = write(tmp_path, TABLE)
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    assert Settings.load(below, {}, trust_file=True) == Settings(
        binary=tmp_path / "tools/temporal",
        version="1.8.3",
        source="wheel",
        offline=True,
        base_url="https://mirror.example",
        require_pinned=True,
        accept_sha256="ab",
        tuning="stock",
        port=7300,
        ui_port=0,
        namespaces=("orders", "billing"),
        search_attributes={"CustomerId": "Keyword"},
        retention="7d",
        file=path,
    )


def test_a_project_without_the_table_does_not_hide_one_above_it(tmp_path: Path) -> None:
    """A member of a workspace inherits the workspace's table."""
    write(tmp_path, TABLE)
    write(tmp_path / "member", '[project]\nname = "member"\ndependencies = ["temporal-devserver"]\n')
    assert Settings.load(tmp_path / "member", {}).version == "1.8.3"


def test_the_environment_wins_over_the_table(tmp_path: Path) -> None:
    """Each variable replaces its key; an empty one does not."""
    write(tmp_path, TABLE)
    environ = {
        "DEVSERVER_VERSION": "1.9.1",
        "DEVSERVER_BINARY": "x/temporal",
        "DEVSERVER_OFFLINE": "no",
        "DEVSERVER_PORT": "7400",
        "DEVSERVER_NAMESPACES": "a, b",
        "DEVSERVER_SEARCH_ATTRIBUTES": "A=Int, B=Bool",
        "DEVSERVER_TUNING": "",
    }
    settings = Settings.load(tmp_path, environ)
    assert (settings.version, settings.offline, settings.port) == ("1.9.1", False, 7400)
    assert settings.binary == tmp_path / "x/temporal"
    assert settings.namespaces == ("a", "b")
    assert settings.search_attributes == {"A": "Int", "B": "Bool"}
    assert settings.tuning == "stock"


def test_an_unknown_key_is_refused_with_the_nearest_and_all_valid_ones(tmp_path: Path) -> None:
    """The error names the file, the key and what was probably meant."""
    path = write(tmp_path, '[tool.devserver]\nbase_url = "x"\n')
    with pytest.raises(ConfigFileError) as caught:
        Settings.load(tmp_path, {})
    text = str(caught.value)
    assert str(path) in text
    assert "'base_url'" in text
    assert "did you mean 'base-url'?" in text
    assert "accept-sha256" in text
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("line", "must_be"),
    [
        ("version = 1.9", "version must be a string, not 1.9"),
        ('offline = "yes"', "offline must be true or false"),
        ("port = 70000", "port must be a port from 1 to 65535"),
        ("port = true", "port must be a port"),
        ('namespaces = "orders"', "namespaces must be a list of strings"),
        ('search-attributes = ["A"]', "search-attributes must be a table"),
        ("search-attributes = { A = 1 }", "search-attributes must be a table"),
        ('binary = ""', "binary must be a string"),
    ],
)
def test_a_wrong_type_is_refused_with_what_it_must_be(tmp_path: Path, line: str, must_be: str) -> None:
    """The error names the key, what is wanted and what was found."""
    write(tmp_path, f"[tool.devserver]\n{line}\n")
    with pytest.raises(ConfigFileError, match=must_be):
        Settings.load(tmp_path, {})


@pytest.mark.parametrize("text", ["[tool.devserver\n", "[tool.devserver]\nversion = \n"])
def test_a_file_that_is_not_toml_is_an_error_with_its_place(tmp_path: Path, text: str) -> None:
    """A broken file is not taken for an empty one."""
    path = write(tmp_path, text)
    with pytest.raises(ConfigFileError, match="not valid TOML") as caught:
        Settings.load(tmp_path, {})
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("text", ['tool.devserver = "x"\n', 'tool = { devserver = ["x"] }\n'])
def test_a_table_that_is_none_is_an_error(tmp_path: Path, text: str) -> None:
    """`tool.devserver` must be a table."""
    write(tmp_path, text)
    with pytest.raises(ConfigFileError, match="must be a table"):
        Settings.load(tmp_path, {})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DEVSERVER_OFFLINE", "maybe"),
        ("DEVSERVER_PORT", "http"),
        ("DEVSERVER_SEARCH_ATTRIBUTES", "OnlyAName"),
    ],
)
def test_a_wrong_variable_is_refused_by_name(tmp_path: Path, name: str, value: str) -> None:
    """The error names the variable and shows its value."""
    with pytest.raises(OptionError, match=f"{name} must be .*{value}"):
        Settings.load(tmp_path, {name: value})


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_file_that_a_stranger_put_above_is_refused(tmp_path: Path) -> None:
    """A pyproject.toml of another user's in /tmp must not choose the program that runs here."""
    path = write(tmp_path, TABLE)
    os.chown(path, 12345, 12345)
    below = tmp_path / "mine"
    below.mkdir()
    with pytest.raises(ConfigFileError, match="belongs to user 12345"):
        Settings.load(below, {})


def test_a_file_that_is_not_ours_costs_no_parser(tmp_path: Path) -> None:
    """Without the word in the file, no TOML parser is imported."""
    write(tmp_path, '[project]\nname = "other"\n')
    code = (
        "import sys; from devserver.config.settings import Settings; Settings.load(); print('tomllib' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_file_that_may_not_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the working folder it is an error; further up it is someone else's."""
    path = write(tmp_path, TABLE)
    real = Path.read_text

    def denied(self: Path, **options: str) -> str:
        if self == path:
            raise PermissionError(13, "Permission denied", str(self))
        return real(self, **options)

    monkeypatch.setattr(Path, "read_text", denied)
    with pytest.raises(ConfigFileError, match="you may not read"):
        Settings.load(tmp_path, {})
    below = tmp_path / "below"
    below.mkdir()
    assert Settings.load(below, {}).version is None


@pytest.mark.parametrize("path", ["~nosuchuser/temporal", "a\\u0000b"])
def test_a_path_that_cannot_be_is_told_with_its_key(tmp_path: Path, path: str) -> None:
    """A home that nobody has, a zero byte."""
    write(tmp_path, f'[tool.devserver]\nbinary = "{path}"\n')
    with pytest.raises(ConfigFileError, match="binary must be a valid path"):
        Settings.load(tmp_path, {})


@pytest.mark.parametrize("value", ["9" * 5000, "[" * 5000])
def test_a_file_that_no_parser_can_take_is_told(tmp_path: Path, value: str) -> None:
    """Numbers too long and lists too deep are not bugs of ours."""
    write(tmp_path, f"[tool.devserver]\nport = {value}\n")
    with pytest.raises(ConfigFileError, match="is not valid TOML"):
        Settings.load(tmp_path, {})


def test_a_folder_that_was_removed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shell may stand in a folder that is gone."""
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(OptionError, match="was removed"):
        Settings.load()
