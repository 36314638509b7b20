"""The script of a detached supervisor: starts the server first, then imports the modules of the supervisor.

Run as `python -S -E supervisor_main.py SPEC PIPE SEARCH [LOG COMMAND...]`. Python starts within a few milliseconds and
a supervisor's modules take several times as long to import. A server that needs no preparation gets ready meanwhile.
"""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Start the server if that is possible at once, then supervise it.

    The arguments are the file of the spec, an open descriptor, the module search path (JSON), and, for a server that
    needs no preparation, its log and its command.
    """
    # In place of this script's folder, and last: it may be site-packages, whose backports must not shadow the standard
    # library.
    del sys.path[0]
    sys.path.append(os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..")))  # noqa: PTH100, PTH118, PTH120
    from devserver.system.spawn import client_free_environment, collecting_late, spawn_bound

    spec_path, pipe, search, *at_once = sys.argv[1:]
    os.set_inheritable(int(pipe), False)
    child = None
    if at_once:
        environ = collecting_late(client_free_environment(os.environ))  # only an ephemeral server starts at once
        try:
            child = spawn_bound(at_once[1:], log=at_once[0], environ=environ)
        except OSError:
            child = None  # the supervisor tries again and reports what is wrong
    import json

    sys.path[:] = json.loads(search)
    from devserver.instances.supervisor_pipe import run_detached

    with open(spec_path) as file:  # noqa: PTH123 - pathlib is slow to import
        spec = json.load(file)
    run_detached(spec, int(pipe), None if child is None else child.pid)


if __name__ == "__main__":
    main()
