"""The console script `devserver`, and `python -m devserver`: what is done before the command line is imported."""

from __future__ import annotations

import gc
import os
import signal
import sys

EXIT_INTERRUPTED = 130
# Most commands import the SDK and end: collecting among its objects takes an eighth of their time.
GC_THRESHOLD = 50_000


def main() -> None:
    """Run the command line. Ctrl-C while its modules are imported ends it quietly, too."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, lambda *_: os._exit(EXIT_INTERRUPTED))
    _open_closed_streams()
    gc.set_threshold(GC_THRESHOLD)
    from .cli.extension import adopt

    adopt()
    from .cli.main import main as run

    run()


def _open_closed_streams() -> None:
    """Open what the caller has closed (`devserver list >&-`), so that no other file gets its number."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            descriptor = os.open(os.devnull, os.O_RDWR)
            if descriptor != number:
                os.dup2(descriptor, number)
                os.close(descriptor)
            setattr(sys, name, os.fdopen(number, "w" if number else "r", closefd=False))


if __name__ == "__main__":
    main()
