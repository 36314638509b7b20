"""The table of keys and variables is complete."""

from __future__ import annotations

import re
from dataclasses import fields

from devserver.cli.up import up
from devserver.config.settings import Settings, field_of
from devserver.config.settings_keys import KEYS, known_variables, nearest, nearest_variable, variable
from devserver.config.trust import EXPOSING, GUARDED
from tests.helpers.checkout import ROOT

# Options of `up` that are about one call of the command.
ONE_CALL = {"--quiet", "--json", "--ui-disable-news-fetch"}


def test_every_option_of_up_is_a_key() -> None:
    """What `up` takes can stand in the settings file, and its environment variable is that of the key."""
    options = {setting.option: key for key, setting in KEYS.items() if setting.option}
    found = [option for option in up.params if not str(option.name).startswith("refused_")]
    longest = {next(name for name in option.opts if name.startswith("--")): option for option in found}
    assert set(longest) - ONE_CALL == set(options)
    assert {name: longest[name].envvar for name in options} == {name: variable(key) for name, key in options.items()}


def test_every_key_is_a_field_of_the_settings() -> None:
    """And the other way round."""
    more = {"file", "untrusted", "trusted_sha256", "stranger_version"}
    assert {field_of(key) for key in KEYS} == {field.name for field in fields(Settings)} - more


def test_guarded_keys_exist() -> None:
    """A renamed key would not be guarded."""
    assert set(GUARDED) - set(KEYS) == set()
    assert set(EXPOSING) <= set(GUARDED)


def test_every_variable_in_the_code_is_known() -> None:
    """A variable that code reads is on the page of settings."""
    code = [path.read_text() for name in ("devserver", "temporaltest") for path in (ROOT / name).rglob("*.py")]
    named = {name for text in code for name in re.findall(r"\"(_?DEVSERVER_[A-Z0-9_]*[A-Z0-9])\"", text)}
    assert named - set(known_variables()) == set()
    assert {"DEVSERVER_HOME", "DEVSERVER_CLUSTER_BINARY", "DEVSERVER_PAYLOADS"} <= named


def test_the_key_that_was_meant() -> None:
    """By letters, by other spellings, and by words of other tools."""
    words = {"prot": "port", "Base_URL": "base-url", "bind": "ip", "headless": "ui", "zzz": None}
    assert {word: nearest(word, KEYS) for word in words} == words
    assert nearest_variable("DEVSERVER_POTR") == "DEVSERVER_PORT"
    assert nearest_variable("DEVSERVER_HOM") == "DEVSERVER_HOME"
