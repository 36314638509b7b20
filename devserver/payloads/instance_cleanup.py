"""Removes the large payloads of an ephemeral server together with its database.

`devserver.instances.ephemeral_database` finds this module by its name and calls `before_removal`.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from ..errors import DevServerError
from ..system.paths import Paths
from .blobs import BlobFolder, default_folder


def before_removal(database: Path) -> None:
    """Remove the payloads that the default folder has for the server of an ephemeral database.

    They stay if the server's state came from elsewhere (a restored snapshot) or if another database, such as a
    snapshot, has the same server's state. A payload that cannot be removed stays too.

    Args:
        database: The database file, which is about to be removed.
    """
    with contextlib.suppress(DevServerError, OSError):
        folder = default_folder()
        if not folder.is_dir():
            return
        # Imported only where payloads were ever stored: most servers end without them.
        from .databases import ServerDatabase, server_id_in
        from .pruning import remove_server_payloads

        blobs = BlobFolder(folder)
        if not blobs.servers() or _restored(database):
            return
        server = server_id_in(ServerDatabase(database, "the ephemeral database"))
        if server is not None and server in blobs.servers() and not _in_another_database(database, server):
            remove_server_payloads(blobs, server)


def _restored(database: Path) -> bool:
    from ..database.stamp import stamp_path

    return stamp_path(database).exists()


def _in_another_database(database: Path, server: str) -> bool:
    from .databases import databases_of_server

    return any(other.path != database for other in databases_of_server(Paths.default(), server))
