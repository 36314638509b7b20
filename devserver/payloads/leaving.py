"""What was stored for an ephemeral server goes with its database."""

from __future__ import annotations

import contextlib
from pathlib import Path

from ..errors import DevServerError
from ..system.paths import Paths
from .blobs import BlobFolder, default_folder
from .databases import ServerDatabase, databases_of_server, server_id_in
from .pruning import remove_server_payloads


def leave(database: Path) -> None:
    """Remove what the usual folder holds for the server of an ephemeral database, which is about to be removed.

    It stays where the server's state came from elsewhere (a snapshot was restored), or another database has it too, as
    a snapshot does. Whoever tidies up goes on in any case: what cannot be removed stays.
    """
    with contextlib.suppress(DevServerError, OSError):
        blobs = BlobFolder(default_folder())
        if not blobs.servers() or _restored(database):
            return
        server = server_id_in(ServerDatabase(database, "this one"))
        if server is not None and server in blobs.servers() and not _others(database, server):
            remove_server_payloads(blobs, server)


def _restored(database: Path) -> bool:
    from ..database.stamp import stamp_path

    return stamp_path(database).exists()


def _others(database: Path, server: str) -> list[ServerDatabase]:
    return [each for each in databases_of_server(Paths.default(), server) if each.path != database]
