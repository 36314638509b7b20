"""The entry of a detached supervisor: starts the server first, then loads the modules that keep it.

It runs as a script (`python -S -E supervisor_main.py SPEC PIPE SEARCH [LOG COMMAND...]`). Python starts within a few
milliseconds and a supervisor's modules take several times as long, so a server that needs no preparation is started in
between and gets ready meanwhile.
"""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Start the server if it can be started at once, then supervise it.

    The arguments are the path of the spec, an open descriptor, the module search path (JSON), and the log and command
    of a server that needs no preparation.
    """
    sys.path[0] = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))  # noqa: PTH100, PTH118, PTH120
    from devserver.system.spawn import client_free_environment, spawn_bound

    spec_path, pipe, search, *at_once = sys.argv[1:]
    os.set_inheritable(int(pipe), False)
    child = None
    if at_once:
        try:
            child = spawn_bound(at_once[1:], log=at_once[0], environ=client_free_environment(os.environ))
        except OSError:
            child = None  # the supervisor tries again and says what is wrong
    import json

    sys.path[:] = json.loads(search)
    from devserver.instances.supervisor import main as supervise

    with open(spec_path) as file:  # noqa: PTH123 - pathlib is slow to import
        spec = json.load(file)
    supervise(spec, int(pipe), None if child is None else child.pid)


if __name__ == "__main__":
    main()
