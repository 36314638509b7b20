"""Gets, verifies and manages a real Temporal dev server.

The public names are those of `__all__`; they are loaded when first used, because a supervisor and `devserver --help`
need few of them.
"""

from __future__ import annotations

TYPE_CHECKING = False  # what typing calls so; importing typing takes longer than all else a first import does
if TYPE_CHECKING:
    from typing import Any

    from .config.server_options import ServerOptions, dynamic_config
    from .config.settings import Settings
    from .database import Snapshot
    from .errors import DevServerError
    from .executables.known_releases import DEFAULT_VERSION
    from .executables.models import BinaryRequest, Executable
    from .instances.dev_server import DevServer
    from .instances.leases import Lease, holders
    from .instances.server_keywords import ServerKeywords
    from .network.tcp_proxy import Direction, TcpProxy
    from .server.http_api import HttpApi, NotAnswering
    from .system.channel import Channel
    from .system.child_process import start_child
    from .system.paths import Paths
    from .system.process import ProcessIdentity
    from .system.progress import Reporter

__all__ = [
    "DEFAULT_VERSION",
    "BinaryRequest",
    "Channel",
    "DevServer",
    "DevServerError",
    "Direction",
    "Executable",
    "HttpApi",
    "Lease",
    "NotAnswering",
    "Paths",
    "ProcessIdentity",
    "Reporter",
    "ServerKeywords",
    "ServerOptions",
    "Settings",
    "Snapshot",
    "TcpProxy",
    "dynamic_config",
    "holders",
    "start_child",
]

_HOMES = {
    "DEFAULT_VERSION": "executables.known_releases",
    "BinaryRequest": "executables.models",
    "Channel": "system.channel",
    "DevServer": "instances.dev_server",
    "DevServerError": "errors",
    "Executable": "executables.models",
    "HttpApi": "server.http_api",
    "Lease": "instances.leases",
    "TcpProxy": "network.tcp_proxy",
    "NotAnswering": "server.http_api",
    "Paths": "system.paths",
    "ProcessIdentity": "system.process",
    "Reporter": "system.progress",
    "ServerKeywords": "instances.server_keywords",
    "ServerOptions": "config.server_options",
    "Settings": "config.settings",
    "Snapshot": "database",
    "Direction": "network.tcp_proxy",
    "dynamic_config": "config.server_options",
    "holders": "instances.leases",
    "start_child": "system.child_process",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'devserver' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
