"""What a call of `start_local` or `start_time_skipping` asks for: options of a client, and of a server of its own."""

from __future__ import annotations

import filecmp
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from temporalio.api.enums.v1 import IndexedValueType

if TYPE_CHECKING:
    from temporalio.common import SearchAttributeKey

    from devserver import DevServer

CLIENT_OPTIONS = frozenset(
    {
        *("data_converter", "interceptors", "plugins", "default_workflow_query_reject_condition"),
        *("retry_config", "rpc_metadata", "identity", "runtime"),
    }
)
# How a server is found, started or shown; nothing that a test sees of it.
WITHOUT_EFFECT = frozenset(
    {
        *("ui", "download_dest_dir", "dev_server_download_ttl", "dev_server_startup_timeout"),
        *("test_server_download_ttl", "test_server_startup_timeout"),
    }
)
# What belongs to a server of its own, with the values that mean nothing.
SERVER_OPTIONS: Mapping[str, tuple[Any, ...]] = {
    "ip": ("127.0.0.1",),
    "port": (None,),
    "ui_port": (None,),
    "tls": (False, None),
    "dev_server_database_filename": (None,),
    "dev_server_log_format": ("pretty",),
    "dev_server_log_level": ("warn",),
    "dev_server_extra_args": ([], ()),
    "test_server_extra_args": ([], ()),
}
# What chooses another executable.
VERSIONS = ("dev_server_download_version", "test_server_download_version")
EXECUTABLES = ("dev_server_existing_path", "test_server_existing_path")


def own_server_option(arguments: Mapping[str, Any]) -> str | None:
    """The first argument that the shared server cannot have, as it is written; None where there is none."""
    known = CLIENT_OPTIONS | WITHOUT_EFFECT | {"namespace", "search_attributes", "ts_config", *VERSIONS, *EXECUTABLES}
    for name, value in arguments.items():
        if name in SERVER_OPTIONS and value not in SERVER_OPTIONS[name]:
            return _written(name, value)
        if name not in known and name not in SERVER_OPTIONS:
            return _written(name, value)
    return None


def other_version(arguments: Mapping[str, Any], server: DevServer | None) -> str | None:
    """The argument that chooses another executable than the server's, as it is written; None where there is none."""
    for name in VERSIONS:
        version = arguments.get(name, "default")
        if version != "default" and (server is None or str(version).removeprefix("v") != server.version):
            return _written(name, version)
    for name in EXECUTABLES:
        path = arguments.get(name)
        if path is not None and (server is None or not _same_file(str(path), str(server.executable))):
            return _written(name, path)
    return None


def client_options(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that are options of `Client.connect`."""
    return {name: value for name, value in arguments.items() if name in CLIENT_OPTIONS}


def search_attributes(keys: Sequence[SearchAttributeKey[Any]]) -> dict[str, str]:
    """The names and types of search attributes, as the mark has them."""
    prefix = "INDEXED_VALUE_TYPE_"
    types: Mapping[int, str] = {number: name for name, number in IndexedValueType.items()}
    names = {key.name: types[key.indexed_value_type] for key in keys}
    return {key: name.removeprefix(prefix).title().replace("_", "") for key, name in names.items()}


def _written(name: str, value: object) -> str:
    return f"{name}={value!r}"


@lru_cache
def _same_file(path: str, other: str) -> bool:
    try:
        return Path(path).samefile(other) or filecmp.cmp(path, other, shallow=False)
    except OSError:
        return False
