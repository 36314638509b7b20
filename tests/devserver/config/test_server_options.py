"""Server options: validation, and the server's command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from devserver.config.option_values import check_name, parse_pair
from devserver.config.server_options import ServerOptions
from devserver.errors import OptionError
from devserver.server.command_line import Ports, command_line

PORTS = Ports(grpc=1, http=2, metrics=3, ui=4)


def words(options: ServerOptions, ports: Ports = PORTS, version: str = "1.9.1") -> list[str]:
    """Return the command line, with short paths."""
    return command_line(options, executable=Path("/t"), version=version, ports=ports, database=Path("/d.db"))


def test_the_command_line_is_complete() -> None:
    """Every value is passed, so that changed defaults of another version have no effect."""
    assert words(ServerOptions(tuning="stock", http_port=2)) == [
        *("/t", "server", "start-dev", "--ip", "127.0.0.1", "--port", "1", "--http-port", "2", "--metrics-port", "3"),
        *("--db-filename", "/d.db", "--log-level", "warn", "--ui-ip", "127.0.0.1", "--ui-port", "4"),
        *("--ui-disable-news-fetch", "--sqlite-pragma", "journal_mode=WAL", "--sqlite-pragma", "synchronous=NORMAL"),
        *("--dynamic-config-value", "worker.historyScannerVerifyRetention=false"),
    ]


def test_without_a_ui_it_is_headless() -> None:
    """Without a Web UI, no port and no address of it is passed."""
    found = words(ServerOptions(ui=False), Ports(grpc=1, http=2, metrics=3, ui=None))
    assert "--headless" in found
    assert not [word for word in found if word.startswith("--ui")]


@pytest.mark.parametrize(
    ("version", "known"), [("1.5.1", False), ("1.7.9", False), ("1.8.0", True), ("2.0.0", True), ("0.0.0-DEV", True)]
)
def test_flags_are_only_passed_to_versions_that_know_them(version: str, known: bool) -> None:
    """An older executable exits at once on an unknown flag."""
    assert ("--ui-disable-news-fetch" in words(ServerOptions(), version=version)) is known


@pytest.mark.parametrize(
    ("options", "synchronous"),
    [({}, "NORMAL"), ({"durable": True}, "FULL"), ({"ephemeral": True}, "OFF")],
)
def test_sqlite_pragmas(options: dict[str, Any], synchronous: str) -> None:
    """The synchronous mode follows the durability."""
    assert f"synchronous={synchronous}" in words(ServerOptions(**options))


@pytest.mark.parametrize(
    ("options", "pages"),
    [
        ({}, None),
        ({"ephemeral": True, "ephemeral_size": 64 * 1024 * 1024}, "16384"),
        ({"ephemeral_size": 64 * 1024 * 1024}, None),
        (
            {"ephemeral": True, "ephemeral_size": 64 * 1024 * 1024, "sqlite_pragmas": (("max_page_count", "9000"),)},
            "9000",
        ),
    ],
)
def test_the_bound_of_an_ephemeral_database(options: dict[str, Any], pages: str | None) -> None:
    """Only an ephemeral database is bounded, in pages of 4 KiB; a pragma of the user's wins."""
    found = [word for word in words(ServerOptions(**options)) if word.startswith("max_page_count")]
    assert found == ([] if pages is None else [f"max_page_count={pages}"])


def test_dynamic_configuration_overrides_the_tuning() -> None:
    """A value for a key of the tuning replaces it, and the key is passed once."""
    own = (("frontend.namespaceRPS", "7"), ("a.b", '"x=y"'))
    found = words(ServerOptions(dynamic_config=own))
    assert [word for word in found if word.startswith("frontend.namespaceRPS=")] == ["frontend.namespaceRPS=7"]
    assert 'a.b="x=y"' in found


def test_old_closed_workflows_are_kept() -> None:
    """The server's daily check deletes no closed workflows that a start has kept; the user's own value wins."""
    key = "worker.historyScannerVerifyRetention"
    for own, value in (((), "false"), (((key, "true"),), "true")):
        found = words(ServerOptions(dynamic_config=own, ephemeral=True))
        assert [word for word in found if word.startswith(key)] == [f"{key}={value}"]


def test_ephemeral_servers_start_no_scanners() -> None:
    """What cleans up after days is off where the state ends with the server; the user's own value wins."""
    key = "worker.historyScannerEnabled"
    assert f"{key}=false" in words(ServerOptions(ephemeral=True))
    assert not [word for word in words(ServerOptions()) if "ScannerEnabled" in word]
    found = words(ServerOptions(dynamic_config=((key, "true"),), ephemeral=True))
    assert [word for word in found if word.startswith(key)] == [f"{key}=true"]


def test_options_survive_json() -> None:
    """The supervisor reads exactly the options that were written for it."""
    options = ServerOptions(
        port=0,
        ui_port=8000,
        ui=False,
        namespaces=("a", "b"),
        search_attributes=(("A", "Int"),),
        dynamic_config=(("k", "1"),),
        tuning="stock",
        database=Path("/x.db"),
        durable=True,
        retention=7200,
        bind="0.0.0.0",
        allow_remote=True,
    )
    assert ServerOptions.from_json(json.loads(json.dumps(options.to_json()))) == options
    assert ServerOptions.from_json(json.loads(json.dumps(ServerOptions().to_json()))) == ServerOptions()


def test_unknown_options_in_a_record_are_ignored() -> None:
    """A record written by a newer version can be read."""
    assert ServerOptions.from_json({"port": 5, "warp": 9}) == ServerOptions(port=5)


def refusal(**options: Any) -> str:
    """Return the error for invalid options."""
    with pytest.raises(OptionError) as error:
        ServerOptions(**options)
    assert error.value.exit_code == 2
    return str(error.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"port": -1}, "--port -1 is not a port\nhint: use a number from 1 to 65535, or 0 for any free port"),
        ({"metrics_port": 65536}, "--metrics-port 65536 is not a port"),
        ({"http_port": 9, "ui_port": 9}, "--http-port and --ui-port are both 9"),
        ({"tuning": "slow"}, "unknown tuning 'slow'\nhint: tunings: fast, stock"),
        ({"log_level": "loud"}, "unknown log level 'loud'"),
        ({"ui_codec_endpoint": "127.0.0.1:8234"}, "--ui-codec-endpoint '127.0.0.1:8234' is not the URL of a codec"),
        ({"retention": 3599}, "a retention of 3599 s is shorter than Temporal allows"),
        ({"search_attributes": (("A", "Number"),)}, "the search attribute A has the unknown type 'Number'"),
        ({"search_attributes": (("1A", "Int"),)}, "'1A' is not a valid search attribute name"),
        ({"dynamic_config": (("a b", "1"),)}, "'a b' is not a valid dynamic configuration key"),
        ({"dynamic_config": (("a", "1s"),)}, "the value of the dynamic configuration a is not JSON: 1s"),
        ({"bind": "localhost"}, "--ip 'localhost' is not an IP address"),
        ({"namespaces": ("temporal-system",)}, "the namespace temporal-system is reserved for the server"),
        ({"namespaces": ("",)}, "the name of a namespace must have 1 to 1000 bytes, not 0"),
        ({"namespaces": ("é" * 501,)}, "the name of a namespace must have 1 to 1000 bytes, not 1002"),
        ({"namespaces": ("a b",)}, "the namespace 'a b' contains a space, a slash or a control character"),
        ({"namespaces": ("a/b",)}, "the namespace 'a/b' contains a space, a slash or a control character"),
        ({"namespaces": ("bestände",)}, "the namespace 'bestände' contains a character that is not ASCII"),
        ({"namespaces": ("a\x1b",)}, "the namespace 'a\\x1b' contains a space, a slash or a control character"),
    ],
)
def test_invalid_options(options: dict[str, Any], message: str) -> None:
    """The error names the option, its value and what is valid."""
    assert refusal(**options).startswith(message)


def test_port_0_may_be_used_twice() -> None:
    """Port 0 means any free port, so two of them do not collide."""
    assert ServerOptions(port=0, ui_port=0, http_port=0, metrics_port=0).port == 0


def test_key_value_pairs() -> None:
    """Pairs are split at the first `=`, and surrounding whitespace is ignored."""
    assert parse_pair(' key = "a=b" ', "--dynamic-config-value", "KEY=JSON", "a.b=1") == ("key", '"a=b"')


@pytest.mark.parametrize("text", ["key", "=1", "key=", " = ", ""])
def test_invalid_pairs(text: str) -> None:
    """The error shows the form of a pair."""
    with pytest.raises(OptionError) as error:
        parse_pair(text, "--search-attribute", "NAME=TYPE", "Customer=Keyword")
    assert str(error.value) == (
        f"--search-attribute {text!r} does not have the form NAME=TYPE\n"
        "hint: for example --search-attribute Customer=Keyword"
    )


@pytest.mark.parametrize("name", ["default", "a", "A-1_b.c", "9", "x" * 63])
def test_names_of_instances(name: str) -> None:
    """A name is valid if it can be a folder on every system."""
    assert check_name(name, new=True) == name


def test_names_of_anonymous_instances_are_reserved() -> None:
    """Anonymous instances have a `~` in their names: you can stop one by name, but not create one."""
    assert check_name("~1-ab") == "~1-ab"
    with pytest.raises(OptionError):
        check_name("~1-ab", new=True)
