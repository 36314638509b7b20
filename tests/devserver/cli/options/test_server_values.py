"""Flags over settings: what a server runs with."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest

from devserver.cli.options.server_values import make_options
from devserver.cli.up import up
from devserver.config.server_options import ServerOptions
from devserver.config.settings import Settings
from devserver.errors import OptionError, UntrustedSettings
from tests.devserver.cli.options.test_server import OURS
from tests.devserver.config.test_settings_file import OWN, own_file


def options_of(line: str, settings: Settings) -> ServerOptions:
    """What `devserver up` makes of a command line in a project."""
    context = up.make_context("up", shlex.split(line))
    values: dict[str, Any] = {key: value for key, value in context.params.items() if key not in OURS}
    return make_options(values, settings)[0]


def test_every_setting_of_a_server(tmp_path: Path) -> None:
    """Each key of the file arrives as the option with its meaning."""
    text = OWN + '\n[search-attributes]\nCustomer = "Keyword"\n'
    own_file(tmp_path, 'namespaces = ["a"]\nretention = "2d"\nport = 7300\ntuning = "stock"\n' + text)
    assert options_of("", Settings.load(tmp_path, {}, trust_file=True)) == ServerOptions(
        port=7300,
        http_port=7301,
        metrics_port=7302,
        ui=False,
        ui_codec_endpoint="http://127.0.0.1:8234",
        ui_ip="127.0.0.1",
        ui_public_path="/t",
        ui_asset_path=tmp_path / "assets",
        bind="0.0.0.0",
        allow_remote=True,
        namespaces=("a",),
        search_attributes=(("Customer", "Keyword"),),
        dynamic_config=(("limit.maxIDLength", "255"), ("frontend.httpAllowedHosts", '["localhost"]')),
        retention=2 * 86400,
        tuning="stock",
        database=tmp_path / "data/dev.db",
        durable=True,
        sqlite_pragmas=(("cache_size", "-64000"), ("temp_store", "2")),
        upgrade=False,
        log_level="info",
        log_format="json",
        log_config=True,
    )


@pytest.mark.parametrize(
    ("line", "settings", "expected"),
    [
        ("--ui", Settings(ui=False), {"ui": True}),
        ("--headless", Settings(ui=True), {"ui": False}),
        ("--no-ephemeral", Settings(ephemeral=True), {"ephemeral": False}),
        ("--ephemeral", Settings(db_filename=Path("/x.db"), durable=True), {"ephemeral": True, "database": None}),
        ("-f /y.db", Settings(ephemeral=True), {"ephemeral": False, "database": Path("/y.db")}),
        ("--durable", Settings(ephemeral=True), {"ephemeral": False, "durable": True}),
        ("--ephemeral-size 1GiB", Settings(ephemeral=True), {"ephemeral": True, "ephemeral_size": 2**30}),
        ("--upgrade", Settings(upgrade=False), {"upgrade": True}),
        ("--no-log-config", Settings(log_config=True), {"log_config": False}),
        ("--namespace b", Settings(namespaces=("a",)), {"namespaces": ("b",)}),
        ("--dynamic-config-value a.b=1", Settings(dynamic_config={"c.d": 2}), {"dynamic_config": (("a.b", "1"),)}),
    ],
    ids=range(11),
)
def test_a_flag_wins_over_a_setting(line: str, settings: Settings, expected: dict[str, object]) -> None:
    """Also one that turns something off, and one that excludes what the file has."""
    found = options_of(line, settings)
    assert {name: getattr(found, name) for name in expected} == expected


def test_settings_that_contradict_each_other() -> None:
    """Nothing says which of them counts."""
    with pytest.raises(OptionError, match="contradict each other"):
        options_of("", Settings(ephemeral=True, durable=True))


def test_an_untrusted_file_opens_nothing(tmp_path: Path) -> None:
    """The error names the keys that no flag replaces, and the way out; others check those of the executable."""
    file = own_file(tmp_path, 'ip = "0.0.0.0"\nallow-remote = true\nhttp-port = 7301\nbinary = "x"\n')
    settings = Settings.load(tmp_path, {})
    with pytest.raises(UntrustedSettings) as caught:
        options_of("--http-port 0", settings)
    assert caught.value.message == f"{file} opens the server or its data to others, and you have not trusted it"
    assert caught.value.details == ("ip = '0.0.0.0'", "allow-remote = 'True'")
    assert f"devserver trust {tmp_path}" in str(caught.value.hint)
    assert options_of("--http-port 0 --ip 127.0.0.1 --no-allow-remote", settings).bind == "127.0.0.1"
