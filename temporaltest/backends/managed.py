"""The managed backend: servers that `devserver` starts, one shared by equal runs, private ones for single tests."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from devserver import DevServer, DevServerError, ServerOptions, dynamic_config
from devserver.errors import InstanceNotRunning, InstanceUnknown

from .endpoint import NAMESPACES, OUTAGES, PRIVATE_SERVERS, TIME_SKIPPING, ServerEndpoint, why_no_skipping
from .usage import Usage

if TYPE_CHECKING:
    from ..config import PluginConfig
    from ..requirements import Requirements

CAN = frozenset({NAMESPACES, PRIVATE_SERVERS})
SHARED = "all tests share this server; use @pytest.mark.temporal(private_server=True) for one of its own"


class ManagedBackend:
    """See `Backend`. Runs with the same settings share one server."""

    def __init__(self, config: PluginConfig) -> None:
        self._config = config

    @property
    def name(self) -> str:
        """The name of the first shared server's devserver instance; a number follows in the names of others."""
        key = json.dumps([self._options(), self._config.keep], sort_keys=True)
        return f"pytest-{hashlib.sha256(key.encode()).hexdigest()[:10]}"

    def shared(self, *, after: ServerEndpoint | None = None) -> ServerEndpoint:
        """Join the shared server, or start it; it ends after its last user, and after the linger time.

        With `after`, its successor. All processes look through the same names, so they agree without a further file.
        """
        server = DevServer.start(
            self._free_name(after),
            port=0,
            ephemeral=True,
            detach=self._config.keep,
            linger=timedelta(seconds=self._config.linger),
            **self._options(),
        )
        return self._endpoint(server, self._config.dynamic_config, shared=True)

    def private(self, requirements: Requirements, *, outages: bool = False) -> ServerEndpoint:
        """An ephemeral server, which ends with the test."""
        options = self._options()
        if requirements.version is not None:
            options["version"] = requirements.version
            options.pop("binary", None)
        options["dynamic_config"] = {**self._config.dynamic_config, **requirements.dynamic_config}
        server = DevServer.start(**options)
        return self._endpoint(server, options["dynamic_config"], shared=False)

    def release(self, endpoint: ServerEndpoint) -> None:
        """Release the server; it ends with its last user. One that is nearly full does not linger."""
        if endpoint.managed is not None:
            endpoint.managed.close(linger=endpoint.usage is None or not endpoint.usage.nearly_full)

    def kept(self) -> str | None:
        """Where the server is that a run with `--temporal-keep` leaves running."""
        try:
            server = DevServer.attach(self.name)
        except DevServerError:
            return None
        return f"{server.ui_url} (gRPC {server.address}); stop it with: devserver down --name {server.name}"

    def _free_name(self, after: ServerEndpoint | None) -> str:
        """The name of a server with room for namespaces: one that is running, else one to start."""
        if not self._limit:
            return self.name
        left = after.managed.name if after is not None and after.managed is not None else None
        stopped: list[str] = []
        for number in itertools.count(1):
            name = self.name if number == 1 else f"{self.name}-{number}"
            if name == left:
                continue
            try:
                usage = Usage.of(DevServer.attach(name).database, self._limit)
            except InstanceNotRunning:
                stopped.append(name)
            except InstanceUnknown:
                return stopped[0] if stopped else name
            else:
                if not usage.nearly_full:
                    return name
        raise AssertionError

    @property
    def _limit(self) -> int:
        """Namespaces after which a server is replaced; 0 for one that stays, as a server that is kept to look at."""
        return 0 if self._config.keep else self._config.namespaces_per_server

    def _options(self) -> dict[str, Any]:
        return {**self._config.server_options(), "ui": self._config.ui or self._config.keep}

    def _endpoint(self, server: DevServer, own: Mapping[str, Any], *, shared: bool) -> ServerEndpoint:
        configured = dynamic_config(ServerOptions(tuning=self._config.tuning or "fast"))
        configured |= {key: json.dumps(value) for key, value in own.items()}
        why = why_no_skipping(server.server_version, configured)
        process = server.pid
        return ServerEndpoint(
            address=server.address,
            can=CAN | ({TIME_SKIPPING} if why is None else frozenset()) | (frozenset() if shared else {OUTAGES}),
            why_not={TIME_SKIPPING: why or "", OUTAGES: SHARED},
            ui_url=server.ui_url,
            managed=server,
            usage=Usage.of(server.database, self._limit) if shared and self._limit else None,
            alive=lambda: process is not None and server.pid == process,
            how_ended=lambda: "ended" if process is None else server.how_ended(process),
        )
