"""A marked secret in the variables that can hold one, and the search for it."""

from __future__ import annotations

import contextlib
from pathlib import Path

MARK = "s3cr3tMARK"
URL = f"http://me:{MARK}@127.0.0.1:9"

SECRET_VARIABLES = {
    "TEMPORAL_API_KEY": MARK,
    "DEVSERVER_API_KEY": MARK,
    "TEMPORAL_TLS_CLIENT_KEY_DATA": MARK,
    "OTEL_EXPORTER_OTLP_HEADERS": f"authorization={MARK}",
    "OTEL_EXPORTER_OTLP_TRACES_HEADERS": f"authorization={MARK}",
    "DEVSERVER_BASE_URL": URL,
    "TEMPORAL_ADDRESS": URL,
    "HTTPS_PROXY": URL,
    "ALL_PROXY": URL,
    "TEMPORAL_CODEC_ENDPOINT": URL,
    "TEMPORAL_CODEC_AUTH": MARK,
    "TEMPORAL_CODEC_HEADERS": f"key={MARK}",
    "PIP_INDEX_URL": f"{URL}/simple",
    "UV_INDEX_URL": f"{URL}/simple",
}
CODEC = {name: value for name, value in SECRET_VARIABLES.items() if name.startswith("TEMPORAL_CODEC_")}
# Of these any command can get all; the others decide where it connects or downloads.
EVERYWHERE = {
    name: SECRET_VARIABLES[name]
    for name in ("OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS", "PIP_INDEX_URL", "UV_INDEX_URL")
}


def files_with_the_mark(folder: Path, mark: str = MARK) -> list[str]:
    """The files below a folder that contain the mark."""
    found = []
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            if path.is_file() and mark.encode() in path.read_bytes():
                found.append(str(path.relative_to(folder)))
    return sorted(found)
