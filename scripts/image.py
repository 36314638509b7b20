"""The command of the container image, from the code that makes the server's command line: `python scripts/image.py`."""

from __future__ import annotations

import json
import re
from pathlib import Path

from devserver import DEFAULT_VERSION, ServerOptions
from devserver.server.command_line import Ports, command_line

DOCKERFILE = Path(__file__).parent.parent / "containers" / "Dockerfile"
COMMAND = re.compile(r"^CMD \[.*\]$", re.DOTALL | re.MULTILINE)


def command() -> list[str]:
    """The server's arguments in the container: those of `devserver up`, with fixed ports and on all addresses."""
    options = ServerOptions(bind="0.0.0.0", allow_remote=True)
    ports = Ports(grpc=7233, http=7243, metrics=7253, ui=8233)
    database = Path("/data/temporal.db")
    line = command_line(options, executable=Path("/temporal"), version=DEFAULT_VERSION, ports=ports, database=database)
    return line[1:]


def rewritten(text: str) -> str:
    """The Dockerfile with the command of today; an option and its value on one line."""
    words = command()
    lines: list[str] = []
    for word in words:
        quoted = json.dumps(word)
        if lines and not word.startswith("--") and lines[-1].startswith('"--') and ", " not in lines[-1]:
            lines[-1] += f", {quoted}"
        else:
            lines.append(quoted)
    joined = ", \\\n    ".join(lines)
    return COMMAND.sub(lambda _: f"CMD [{joined}]", text)


if __name__ == "__main__":
    DOCKERFILE.write_text(rewritten(DOCKERFILE.read_text()))
