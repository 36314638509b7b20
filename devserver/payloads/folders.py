"""Where large payloads are kept unless a program says otherwise."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from ..system.paths import Paths, whole

VARIABLE = "DEVSERVER_PAYLOADS"


def default_folder(environ: Mapping[str, str] | None = None) -> Path:
    """`DEVSERVER_PAYLOADS`, or a folder of this user's data, which follows `DEVSERVER_HOME`.

    Raises:
        OptionError: The variable leads nowhere.
    """
    chosen = (os.environ if environ is None else environ).get(VARIABLE)
    return whole(Path(chosen)) if chosen else Paths.default(environ).payloads
