"""Settings: where they come from, their precedence, and errors in them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from devserver.config import settings_file
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
    """Write a pyproject.toml into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "pyproject.toml"
    path.write_text(text)
    return path


def test_no_settings(tmp_path: Path) -> None:
    """Without a file and variables, the defaults apply."""
    assert Settings.load(tmp_path, {}) == Settings()


def test_the_table_of_the_nearest_project_is_read(tmp_path: Path) -> None:
    """Every key has its type, and a relative binary path is relative to the file."""
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
    """A workspace member without the table uses the table of the workspace."""
    write(tmp_path, TABLE)
    write(tmp_path / "member", '[project]\nname = "member"\ndependencies = ["temporal-devserver"]\n')
    assert Settings.load(tmp_path / "member", {}).version == "1.8.3"


def test_the_environment_overrides_the_table(tmp_path: Path) -> None:
    """Every variable overrides its key; an empty one does not."""
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


def test_unknown_key(tmp_path: Path) -> None:
    """The error names the file, the unknown key, the nearest valid key and all valid keys."""
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
def test_wrong_type(tmp_path: Path, line: str, must_be: str) -> None:
    """The error names the key, the expected type and the value found."""
    write(tmp_path, f"[tool.devserver]\n{line}\n")
    with pytest.raises(ConfigFileError, match=must_be):
        Settings.load(tmp_path, {})


@pytest.mark.parametrize("text", ["[tool.devserver\n", "[tool.devserver]\nversion = \n"])
def test_a_file_that_is_not_toml_is_an_error_with_its_position(tmp_path: Path, text: str) -> None:
    """A malformed file is an error, not an empty one."""
    path = write(tmp_path, text)
    with pytest.raises(ConfigFileError, match="not valid TOML") as caught:
        Settings.load(tmp_path, {})
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("text", ['tool.devserver = "x"\n', 'tool = { devserver = ["x"] }\n'])
def test_a_table_of_another_type_is_an_error(tmp_path: Path, text: str) -> None:
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
def test_a_wrong_variable_is_an_error_that_names_it(tmp_path: Path, name: str, value: str) -> None:
    """The error names the variable and shows its value."""
    with pytest.raises(OptionError, match=f"{name} must be .*{value}"):
        Settings.load(tmp_path, {name: value})


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_file_of_another_user_in_a_parent_folder_is_refused(tmp_path: Path) -> None:
    """Another user's pyproject.toml in /tmp must not choose the program that runs."""
    path = write(tmp_path, TABLE)
    os.chown(path, 12345, 12345)
    below = tmp_path / "mine"
    below.mkdir()
    with pytest.raises(ConfigFileError, match="belongs to user 12345"):
        Settings.load(below, {})


def test_an_unrelated_file_is_not_parsed(tmp_path: Path) -> None:
    """Without the table's name in the file, no TOML parser is imported."""
    write(tmp_path, '[project]\nname = "other"\n')
    code = (
        "import sys; from devserver.config.settings import Settings; Settings.load(); print('tomllib' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_unreadable_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unreadable file is an error in the working folder, and ignored further up."""
    path = write(tmp_path, TABLE)
    real = settings_file._text_of

    def denied(file: Path) -> str:
        if file == path:
            raise PermissionError(13, "Permission denied", str(file))
        return real(file)

    monkeypatch.setattr(settings_file, "_text_of", denied)
    with pytest.raises(ConfigFileError, match="you may not read"):
        Settings.load(tmp_path, {})
    below = tmp_path / "below"
    below.mkdir()
    assert Settings.load(below, {}).version is None


@pytest.mark.parametrize("path", ["~nosuchuser/temporal", "a\\u0000b"])
def test_invalid_path_is_an_error_that_names_its_key(tmp_path: Path, path: str) -> None:
    """An unknown home folder and a zero byte are errors."""
    write(tmp_path, f'[tool.devserver]\nbinary = "{path}"\n')
    with pytest.raises(ConfigFileError, match="binary must be a valid path"):
        Settings.load(tmp_path, {})


@pytest.mark.parametrize("value", ["9" * 5000, "[" * 5000])
def test_unparsable_file(tmp_path: Path, value: str) -> None:
    """Numbers that are too long and lists that are too deep are errors in the file."""
    write(tmp_path, f"[tool.devserver]\nport = {value}\n")
    with pytest.raises(ConfigFileError, match="is not valid TOML"):
        Settings.load(tmp_path, {})


def test_removed_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shell may be in a folder that was deleted."""
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(OptionError, match="was removed"):
        Settings.load()
