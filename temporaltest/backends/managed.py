"""Servers of our own, by `devserver`: one shared by everyone who asks for the same, private ones for single tests."""

from __future__ import annotations

import hashlib
import json
import os
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from devserver import DevServer

from . import NAMESPACES, OUTAGES, PRIVATE, TIME_SKIPPING, Endpoint

if TYPE_CHECKING:
    from ..config import Config
    from ..marker import Wishes

CAN = frozenset({NAMESPACES, PRIVATE})
TIME_SKIPPING_SINCE = (1, 32)


class Managed:
    """See `Backend`. The shared server is known by what it runs with: who asks for other things gets another."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def shared(self) -> Endpoint:
        """Join the server of that name, or start it; it ends with its last holder and the linger time."""
        options = self._options()
        key = json.dumps([options, os.environ.get("DEVSERVER_BINARY")], sort_keys=True)
        name = f"pytest-{hashlib.sha256(key.encode()).hexdigest()[:10]}"
        server = DevServer.start(
            name,
            port=0,
            ephemeral=True,
            detach=self._config.keep,
            linger=timedelta(seconds=self._config.linger),
            **options,
        )
        return _endpoint(server, CAN)

    def private(self, wishes: Wishes) -> Endpoint:
        """A server of the test's own: ephemeral, gone at its end."""
        options = self._options()
        if wishes.version is not None:
            options["version"] = wishes.version
        server = DevServer.start(dynamic_config=wishes.dynamic_config, **options)
        return _endpoint(server, CAN | {OUTAGES})

    def release(self, endpoint: Endpoint) -> None:
        """Give up the hold; the last one ends the server."""
        if endpoint.managed is not None:
            endpoint.managed.close()

    def _options(self) -> dict[str, Any]:
        options: dict[str, Any] = {"ui": self._config.ui or self._config.keep}
        if self._config.version is not None:
            options["version"] = self._config.version
        if self._config.profile is not None:
            options["profile"] = self._config.profile
        return options


def _endpoint(server: DevServer, can: frozenset[str]) -> Endpoint:
    version = tuple(int(part) for part in server.server_version.split(".")[:2])
    skips = version >= TIME_SKIPPING_SINCE
    return Endpoint(
        address=server.address,
        can=can | {TIME_SKIPPING} if skips else can,
        ui_url=server.ui_url,
        managed=server,
        why_not="" if skips else f"server {server.server_version} is too old: time skipping came with 1.32",
    )
