"""Gets, verifies and manages a real Temporal dev server.

The public names are those of `__all__`; they are loaded when first used, because a supervisor and `devserver --help`
need few of them.
"""

from __future__ import annotations

from .system.lazy_names import lazy_names

TYPE_CHECKING = False  # what typing calls so; importing typing takes longer than all else a first import does
if TYPE_CHECKING:
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
    from .system.markdown import MarkdownSummary
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
    "MarkdownSummary",
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
    "lazy_names",
    "start_child",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "config.server_options": ("ServerOptions", "dynamic_config"),
        "config.settings": ("Settings",),
        "database": ("Snapshot",),
        "errors": ("DevServerError",),
        "executables.known_releases": ("DEFAULT_VERSION",),
        "executables.models": ("BinaryRequest", "Executable"),
        "instances.dev_server": ("DevServer",),
        "instances.leases": ("Lease", "holders"),
        "instances.server_keywords": ("ServerKeywords",),
        "network.tcp_proxy": ("Direction", "TcpProxy"),
        "server.http_api": ("HttpApi", "NotAnswering"),
        "system.channel": ("Channel",),
        "system.child_process": ("start_child",),
        "system.markdown": ("MarkdownSummary",),
        "system.paths": ("Paths",),
        "system.process": ("ProcessIdentity",),
        "system.progress": ("Reporter",),
    },
)
