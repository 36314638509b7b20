"""A process that installs an executable: `python -m tests.helpers.asking VERSION URL notes|silent`."""

from __future__ import annotations

import sys

from devserver.executables import BinaryRequest, ensure
from devserver.system.paths import Paths
from devserver.system.progress import Silent


class PrintingReporter(Silent):
    """Prints notes."""

    def note(self, text: str) -> None:
        """Print the note."""
        print(text, flush=True)  # noqa: T201 - the test reads it


if __name__ == "__main__":
    print("asking", flush=True)  # noqa: T201
    request = BinaryRequest(version=sys.argv[1], source="release", base_url=sys.argv[2])
    reporter = PrintingReporter() if sys.argv[3] == "notes" else Silent()
    print(ensure(request, paths=Paths.default(), reporter=reporter).sha256, flush=True)  # noqa: T201
