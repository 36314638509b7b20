"""The two files for settings: all keys, lines in errors, trust, and the instance of a project."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from devserver.cli.main import run
from devserver.config import settings_file
from devserver.config.settings import Settings, default_instance
from devserver.config.toml_text import loads
from devserver.errors import ConfigFileError, OptionError
from tests.devserver.config.test_settings import write

# Every key of a server and of `up`.
OWN = """
name = "shop"
detach = true
timeout = "90s"
pause-schedules = true
http-port = 7301
metrics-port = 7302
ui = false
ui-codec-endpoint = "http://127.0.0.1:8234"
ui-ip = "localhost"
ui-public-path = "/t"
ui-asset-path = "assets"
ip = "0.0.0.0"
allow-remote = true
dynamic-config = { "limit.maxIDLength" = 255, "frontend.httpAllowedHosts" = ["localhost"] }
db-filename = "data/dev.db"
ephemeral = false
durable = true
sqlite-pragmas = { cache_size = -64000, temp_store = "2" }
upgrade = false
log-level = "info"
log-format = "json"
log-config = true

[nexus-endpoints.payments]
task-queue = "pay"

[schedules.nightly]
type = "Report"
task-queue = "reports"
cron = "0 3 * * *"
start-time = 2027-01-01T00:00:00Z
overlap-policy = "buffer_one"
"""


def own_file(folder: Path, text: str) -> Path:
    """Write a temporal-devserver.toml into `folder`."""
    folder.mkdir(exist_ok=True)
    path = folder / "temporal-devserver.toml"
    path.write_text(text)
    return path


def test_a_file_of_our_own(tmp_path: Path) -> None:
    """`temporal-devserver.toml` has the same keys without a table, for projects that are not Python."""
    path = own_file(tmp_path, OWN)
    assert Settings.load(tmp_path, {}, trust_file=True) == Settings(
        name="shop",
        detach=True,
        timeout="90s",
        pause_schedules=True,
        http_port=7301,
        metrics_port=7302,
        ui=False,
        ui_codec_endpoint="http://127.0.0.1:8234",
        ui_ip="localhost",
        ui_public_path="/t",
        ui_asset_path=tmp_path / "assets",
        ip="0.0.0.0",
        allow_remote=True,
        dynamic_config={"limit.maxIDLength": 255, "frontend.httpAllowedHosts": ["localhost"]},
        db_filename=tmp_path / "data/dev.db",
        ephemeral=False,
        durable=True,
        sqlite_pragmas={"cache_size": "-64000", "temp_store": "2"},
        upgrade=False,
        log_level="info",
        log_format="json",
        log_config=True,
        nexus_endpoints={"payments": {"task-queue": "pay"}},
        schedules={
            "nightly": {
                "type": "Report",
                "task-queue": "reports",
                "cron": ("0 3 * * *",),
                "start-time": "2027-01-01T00:00:00+00:00",
                "overlap-policy": "BufferOne",
            }
        },
        file=path,
    )


def test_two_files_in_one_folder_are_refused(tmp_path: Path) -> None:
    """Nobody has to know which one wins; a pyproject.toml without the table is none."""
    write(tmp_path, '[project]\nname = "temporal-devserver"\n')
    own_file(tmp_path, "port = 7300\n")
    assert Settings.load(tmp_path, {}).port == 7300
    write(tmp_path, "[tool.devserver]\nport = 7301\n")
    with pytest.raises(ConfigFileError, match="has two files with settings") as caught:
        Settings.load(tmp_path, {})
    assert caught.value.details == ("[tool.devserver] in pyproject.toml", "temporal-devserver.toml")
    own_file(tmp_path / "near", "port = 7302\n")
    assert Settings.load(tmp_path / "near", {}).port == 7302


def test_the_form_of_the_other_file_is_an_error(tmp_path: Path) -> None:
    """A table copied from a pyproject.toml would have no effect."""
    own_file(tmp_path, "[tool.devserver]\nport = 7300\n")
    with pytest.raises(ConfigFileError, match=r"is the form of pyproject\.toml"):
        Settings.load(tmp_path, {})


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("\nport = 7300\nui-port = 'x'\n", 3, "ui-port must be a port"),
        ("namespaces = [\n  'a',\n  1,\n]\n", 1, "namespaces must be a list of strings"),
        ("[search-attributes]\nA = 'Int'\nB = 'Integer'\n", 3, "search-attributes.B must be one of Text, Keyword"),
        ("[schedules.a]\ntype = 'A'\n[schedules.b]\ntype = 7\n", 1, "schedules.a must be a table with task-queue"),
        ("[schedules.b]\ntask-queue = 'q'\n\ntype = 7\n", 4, "schedules.b.type must be a string, not 7"),
        ("schedules.b = { task-queue = 'q', type = 7 }\n", 1, "schedules.b.type must be a string, not 7"),
        ("[schedules.b]\ntask-queue = 'q'\ntype = 'A'\ntimezone = 'UTC'\n", 4, "did you mean 'time-zone'"),
        ("[dynamic-config]\nlimit.maxIDLength = 255\n", 1, "a table with quoted keys"),
        ("port = 7300\ndatabase = 'x.db'\n", 2, "did you mean 'db-filename'"),
        ("text = '''\nport = 'x'\n'''\n", 1, "unknown key 'text'"),
        ("log-level = 'loud'\n", 1, "log-level must be one of debug, info"),
        ("retention = '7 days'\n", 1, "retention must be a duration, such as 30d or 12h"),
        ("schedules.a = { type = 'A', task-queue = 'q', input = [nan] }\n", 1, "must be a value that JSON has"),
        ("schedules.a = { type = 'A', task-queue = 'q', cron = 3 }\n", 1, "a string or a list of strings, not 3"),
    ],
    ids=range(14),
)
def test_an_error_names_file_line_and_key(tmp_path: Path, text: str, line: int, message: str) -> None:
    """A value of several lines is named by its first one."""
    path = own_file(tmp_path, text)
    with pytest.raises(ConfigFileError) as caught:
        Settings.load(tmp_path, {})
    assert str(caught.value).startswith(f"{path}:{line}: ")
    assert message in str(caught.value)


def test_an_error_in_a_large_pyproject_names_its_line(tmp_path: Path) -> None:
    """The key's name may stand in other tables, in texts and in comments."""
    head = "[project]\n# port = 1\nport = 7\ntext = '''\n[tool.devserver]\nport = 'x'\n'''\n"
    path = write(tmp_path, f"{head}[tool.other]\nport = 2\n[tool.devserver]\n'port' = 'x'\n" + "# more\n" * 2000)
    with pytest.raises(ConfigFileError) as caught:
        Settings.load(tmp_path, {})
    assert caught.value.message.startswith(f"{path}:11: [tool.devserver] port must be a port")


def test_variables_of_tables_are_json(tmp_path: Path) -> None:
    """Names and types are pairs; what has another form is JSON."""
    environ = {
        "DEVSERVER_SQLITE_PRAGMAS": "cache_size=-64000,temp_store=2",
        "DEVSERVER_DYNAMIC_CONFIG": '{"limit.maxIDLength": 255}',
        "DEVSERVER_SCHEDULES": '{"a": {"type": "A", "task-queue": "q", "interval": "1h"}}',
    }
    settings = Settings.load(tmp_path, environ)
    assert settings.sqlite_pragmas == {"cache_size": "-64000", "temp_store": "2"}
    assert settings.dynamic_config == {"limit.maxIDLength": 255}
    assert settings.schedules == {"a": {"type": "A", "task-queue": "q", "interval": ("1h",)}}
    with pytest.raises(OptionError, match=r"DEVSERVER_SCHEDULES\.a\.type must be a string"):
        Settings.load(tmp_path, {"DEVSERVER_SCHEDULES": '{"a": {"type": 1, "task-queue": "q"}}'})


def test_keys_that_open_the_server_need_trust(tmp_path: Path) -> None:
    """A checkout that was only looked at opens no port, sends nothing elsewhere and touches no other database."""
    own_file(tmp_path, OWN)
    settings = Settings.load(tmp_path, {})
    opening = {"ip", "allow-remote", "ui-ip", "http-port", "ui-codec-endpoint", "ui-asset-path", "dynamic-config"}
    assert set(settings.untrusted) == opening
    assert (settings.ip, settings.dynamic_config, settings.db_filename) == (None, None, tmp_path / "data/dev.db")
    assert settings.schedules is not None
    (tmp_path / "link").symlink_to("/tmp")
    for place in ("../other.db", "/tmp/other.db", "~/other.db", "link/other.db"):
        own_file(tmp_path, f'db-filename = "{place}"\n')
        assert set(Settings.load(tmp_path, {}).untrusted) == {"db-filename"}
    assert Settings.load(tmp_path, {"DEVSERVER_DB_FILENAME": "/tmp/other.db"}).untrusted == {}


def test_the_instance_of_a_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`name` selects the instance of all commands; the variable wins; other errors in the file do not matter."""
    monkeypatch.chdir(tmp_path)
    assert default_instance({}) == "default"
    own_file(tmp_path, 'name = "shop"\nport = "x"\n')
    assert default_instance({}) == "shop"
    assert default_instance({"DEVSERVER_NAME": "mine"}) == "mine"
    own_file(tmp_path, 'name = "a/b"\n')
    with pytest.raises(ConfigFileError, match="name must be the name of an instance"):
        default_instance({})


def test_a_command_reads_the_file_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For the name of the instance and for all other settings."""
    (tmp_path / "temporal-devserver.toml").write_text('name = "shop"\nport = 7300\nui-port = 7300\n')
    monkeypatch.chdir(tmp_path)
    read: list[str] = []

    def counted(text: str) -> dict[str, Any]:
        read.append(text)
        return loads(text)

    monkeypatch.setattr(settings_file, "loads", counted)
    for command, code in (["up"], 2), (["config", "show"], 0):
        read.clear()
        assert run(command) == code
        assert len(read) == 1
