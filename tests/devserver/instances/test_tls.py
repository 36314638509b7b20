"""The TLS port of an instance, without its server."""

from __future__ import annotations

from pathlib import Path

import pytest

from devserver.config.server_options import ServerOptions
from devserver.errors import StartFailed
from devserver.instances.folder import InstanceFolder
from devserver.instances.tls import API_KEY, prepare_tls, serve_tls
from devserver.server.command_line import Ports
from devserver.system.paths import Paths


def test_a_port_without_its_key_is_not_served(tmp_path: Path) -> None:
    """If the file of the API key is gone, the port stays closed; it does not answer calls without a key."""
    folder = InstanceFolder(Paths(tmp_path / "cache", tmp_path / "state", tmp_path / "data"), "keyed")
    options = prepare_tls(folder, ServerOptions(api_key="key-of-a-test"))
    (folder.tls / API_KEY).unlink()
    with pytest.raises(StartFailed, match="API key"):
        serve_tls(folder, options, Ports(grpc=1, http=2, metrics=3, ui=None, tls=0))
