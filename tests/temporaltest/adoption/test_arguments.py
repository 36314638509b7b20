"""Which arguments of `start_local` and its like need a server of their own."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from temporalio.common import SearchAttributeKey

from devserver import DevServer
from temporaltest.adoption.arguments import other_version, own_server_option, search_attributes


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        ({}, None),
        ({"namespace": "shop", "identity": "me", "ui": True, "dev_server_startup_timeout": timedelta(9)}, None),
        ({"port": None, "ip": "127.0.0.1", "dev_server_log_level": "warn", "dev_server_extra_args": []}, None),
        ({"port": 7233}, "port=7233"),
        ({"ui_port": 8233}, "ui_port=8233"),
        ({"ip": "0.0.0.0"}, "ip='0.0.0.0'"),
        ({"tls": True}, "tls=True"),
        ({"dev_server_database_filename": "a.db"}, "dev_server_database_filename='a.db'"),
        ({"dev_server_log_level": "debug"}, "dev_server_log_level='debug'"),
        ({"dev_server_log_format": "json"}, "dev_server_log_format='json'"),
        ({"dev_server_extra_args": ["--x"]}, "dev_server_extra_args=['--x']"),
        ({"test_server_extra_args": ["--x"]}, "test_server_extra_args=['--x']"),
        ({"option_of_tomorrow": 1}, "option_of_tomorrow=1"),
    ],
)
def test_what_belongs_to_a_server(arguments: dict[str, Any], option: str | None) -> None:
    """An option of the server, or one that nobody knows yet, is named as it is written; one of a client is not."""
    assert own_server_option(arguments) == option


def test_another_executable(tmp_path: Path) -> None:
    """A pin of the version or executable that the shared server has is no reason for another server."""
    (tmp_path / "temporal").write_text("program")
    (tmp_path / "same").write_text("program")
    (tmp_path / "other").write_text("another")
    server = cast(DevServer, SimpleNamespace(version="1.9.1", executable=tmp_path / "temporal"))
    for arguments in (
        {},
        {"dev_server_download_version": "default"},
        {"dev_server_download_version": "v1.9.1"},
        {"dev_server_existing_path": str(tmp_path / "same")},
    ):
        assert other_version(arguments, server) is None
    assert other_version({"dev_server_download_version": "latest"}, server) == "dev_server_download_version='latest'"
    other = str(tmp_path / "other")
    assert other_version({"dev_server_existing_path": other}, server) == f"dev_server_existing_path={other!r}"
    assert other_version({"dev_server_download_version": "1.9.1"}, None) == "dev_server_download_version='1.9.1'"


def test_types_of_search_attributes() -> None:
    """Each type of the SDK has the name that the mark uses."""
    keys: list[SearchAttributeKey[Any]] = [
        SearchAttributeKey.for_text("A"),
        SearchAttributeKey.for_keyword("B"),
        SearchAttributeKey.for_int("C"),
        SearchAttributeKey.for_float("D"),
        SearchAttributeKey.for_bool("E"),
        SearchAttributeKey.for_datetime("F"),
        SearchAttributeKey.for_keyword_list("G"),
    ]
    names = ["Text", "Keyword", "Int", "Double", "Bool", "Datetime", "KeywordList"]
    assert search_attributes(keys) == dict(zip("ABCDEFG", names, strict=True))
