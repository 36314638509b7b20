"""The command line of a server: `temporal server start-dev` with its options."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from ..config.server_options import ServerOptions, dynamic_config
from .http_api import ALLOWED_HOSTS, HOST, HttpApi


@dataclass(frozen=True)
class Ports:
    """The ports that a server listens on; `ui` is None if the Web UI is off, `tls` without TLS."""

    grpc: int
    http: int
    metrics: int
    ui: int | None
    tls: int | None = None


# A flag that older versions do not know, and the first CLI version that has it.
NEWS_FETCH_OFF = ("--ui-disable-news-fetch", (1, 8))
# Stock true: once a day, and after a longer stop at once, the server deletes closed workflows whose retention ended 90
# days ago, also those that a start has kept.
KEEP_CLOSED = {"worker.historyScannerVerifyRetention": "false"}
# Workflows of the server that clean up after days. They start with it: a fifth of the CPU time of a start.
NO_SCANNERS = {"worker.taskQueueScannerEnabled": "false", "worker.historyScannerEnabled": "false"}
MAX_PAGES = "max_page_count"
PAGE_BYTES = 4096  # as the server creates its database


def command_line(options: ServerOptions, *, executable: Path, version: str, ports: Ports, database: Path) -> list[str]:
    """The command line for these options.

    It has no namespaces and search attributes: they are created when the server is ready, in old databases too.
    """
    command = [
        str(executable), "server", "start-dev",
        "--ip", options.bind,
        "--port", str(ports.grpc),
        "--http-port", str(ports.http),
        "--metrics-port", str(ports.metrics),
        "--db-filename", str(database),
        "--log-level", options.log_level,
    ]  # fmt: skip
    if ports.ui is None:
        command.append("--headless")
    else:
        command += ["--ui-ip", options.ui_address, "--ui-port", str(ports.ui)]
        for flag, value in (("--ui-public-path", options.ui_public_path), ("--ui-asset-path", options.ui_asset_path)):
            command += [flag, str(value)] if value is not None else []
        if options.ui_codec_endpoint is not None:
            command += ["--ui-codec-endpoint", options.ui_codec_endpoint]
        if _at_least(version, NEWS_FETCH_OFF[1]):
            command.append(NEWS_FETCH_OFF[0])
    if options.log_format != "text":
        command += ["--log-format", options.log_format]
    if options.log_config:
        command.append("--log-config")
    for pragma in pragmas(options):
        command += ["--sqlite-pragma", pragma]
    always = KEEP_CLOSED | NO_SCANNERS if options.ephemeral else KEEP_CLOSED
    for key, value in (always | dynamic_config(options) | _allowed_hosts(options)).items():
        command += ["--dynamic-config-value", f"{key}={value}"]
    return command


def pragmas(options: ServerOptions) -> tuple[str, ...]:
    """The SQLite pragmas: the fastest ones for the durability that the options ask for."""
    synchronous = "OFF" if options.ephemeral else "FULL" if options.durable else "NORMAL"
    values = {"journal_mode": "WAL", "synchronous": synchronous}
    if options.ephemeral and options.ephemeral_size is not None:
        values[MAX_PAGES] = str(options.ephemeral_size // PAGE_BYTES)
    return tuple(f"{name}={value}" for name, value in (values | dict(options.sqlite_pragmas)).items())


def max_pages(options: ServerOptions) -> int | None:
    """How many pages the database may have; None if it is not bounded."""
    values = dict(pragma.split("=", 1) for pragma in pragmas(options))
    return int(values[MAX_PAGES]) if values.get(MAX_PAGES, "").isdecimal() else None


def _allowed_hosts(options: ServerOptions) -> dict[str, str]:
    """The hosts whose requests the HTTP API answers: only ours, unless the user asked for the API or names hosts."""
    chosen = dict(options.dynamic_config).get(ALLOWED_HOSTS)
    if chosen is None:
        return {} if options.http_port is not None else {ALLOWED_HOSTS: json.dumps([HOST])}
    return HttpApi.with_access({ALLOWED_HOSTS: chosen})


def _at_least(version: str, wanted: tuple[int, ...]) -> bool:
    numbers = tuple(int(part) for part in re.findall(r"\d+", version)[: len(wanted)])
    return numbers >= wanted or numbers == (0, 0)  # 0.0.0-DEV: a build of the user's, so a recent one
