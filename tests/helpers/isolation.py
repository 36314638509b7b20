"""Whether this machine allows a cluster a network of its own."""

from __future__ import annotations

import functools
import subprocess
import sys

from tests.helpers.checkout import ROOT

_TRY = """
from devserver.cluster.isolation.own_network import OwnNetwork
network = OwnNetwork()
network.enter()
network.hosts.add(1)
network.hosts.black_hole(1, on=True)
"""


@functools.cache
def obstacle() -> str | None:
    """Why it does not; None if it does."""
    done = subprocess.run([sys.executable, "-c", _TRY], capture_output=True, text=True, cwd=ROOT, check=False)
    return done.stderr.strip().splitlines()[-1] if done.returncode else None
