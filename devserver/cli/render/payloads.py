"""The output of `devserver payloads`, as JSON and as text."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...payloads.limits import format_size
from ...system.json_form import FORM
from .table import echo_table
from .terminal import clean

if TYPE_CHECKING:
    from ...payloads import BlobFolder, PayloadUsage, PrunedPayloads
    from ...payloads.model import PayloadProblem

HEAD_BYTES = 4096
SHORT = 12


def status(blobs: BlobFolder) -> dict[str, Any]:
    """The folder and its size, by server."""
    servers = []
    for server in blobs.servers():
        found = list(blobs.list(server))
        last = max((blob.stored for blob in found), default=None)
        servers.append(
            {
                "server": server,
                "payloads": len(found),
                "bytes": sum(blob.size for blob in found),
                "last_stored": None if last is None else _moment(last),
            }
        )
    return {
        "form": FORM,
        "folder": str(blobs.folder),
        "payloads": sum(server["payloads"] for server in servers),
        "bytes": sum(server["bytes"] for server in servers),
        "free_bytes": _free(blobs.folder),
        "servers": servers,
    }


def echo_status(shown: dict[str, Any]) -> None:
    """A person's form of `status`."""
    click.echo(f"folder  {clean(shown['folder'])}")
    click.echo(f"stores  {_count(shown['payloads'])}, {format_size(shown['bytes'])}")
    if shown["free_bytes"] is not None:
        click.echo(f"free    {format_size(shown['free_bytes'])}")
    if shown["servers"]:
        click.echo()
        rows = (
            (item["server"], str(item["payloads"]), format_size(item["bytes"]), item["last_stored"] or "-")
            for item in shown["servers"]
        )
        echo_table(("SERVER", "PAYLOADS", "SIZE", "LAST STORED"), rows)


def blobs(folder: BlobFolder) -> list[dict[str, Any]]:
    """The stored payloads, the newest first."""
    return [
        {
            "sha256": blob.digest,
            "bytes": blob.size,
            "encoding": _encoding(blob.path),
            "stored": _moment(blob.stored),
            "server": blob.server,
            "path": str(blob.path),
        }
        for blob in sorted(folder.list(), key=lambda blob: blob.stored, reverse=True)
    ]


def echo_blobs(found: Sequence[dict[str, Any]]) -> None:
    """A person's form of `blobs`."""
    if not found:
        click.echo("nothing is stored; `devserver docs payloads` shows the line that clients and workers need")
        return
    rows = (
        (
            item["sha256"][:SHORT],
            format_size(item["bytes"]),
            clean(item["encoding"] or "?"),
            item["stored"],
            item["server"],
        )
        for item in found
    )
    echo_table(("PAYLOAD", "SIZE", "ENCODING", "STORED", "SERVER"), rows)


def checked(folder: BlobFolder, usage: PayloadUsage | None, found: Sequence[PayloadProblem]) -> dict[str, Any]:
    """What was checked, and the problems."""
    return {
        "form": FORM,
        "folder": str(folder.folder),
        "server": None if usage is None else usage.server,
        "runs": None if usage is None else usage.runs,
        "databases": None if usage is None else usage.databases,
        "referred": None if usage is None else len(usage.uses),
        "encoded": None if usage is None else usage.encoded,
        "payloads": sum(1 for _ in folder.list()),
        "problems": [
            {
                "sha256": item.claim.digest,
                "bytes": item.claim.size,
                "problem": type(item.error).__name__,
                "message": item.error.message,
                "details": list(item.error.details),
                "hint": item.error.hint,
                "used_by": [{"namespace": use.namespace, "owner": use.owner} for use in item.uses],
            }
            for item in found
        ],
    }


def echo_checked(shown: dict[str, Any]) -> None:
    """A person's form of `checked`."""
    for item in shown["problems"]:
        click.echo(click.style(clean(item["message"]), fg="red"))
        for line in item["details"]:
            click.echo(f"  {clean(line)}")
        for use in item["used_by"]:
            where = f" in {clean(use['namespace'])}" if use["namespace"] is not None else ""
            click.echo(f"  needed by {clean(use['owner'])}{where}")
        click.echo(click.style("  hint: ", fg="cyan") + clean(item["hint"]))
    if shown["runs"] is not None:
        read = [_many(shown["runs"], "run")]
        if shown["databases"]:
            read.append(_many(shown["databases"], "copy of its database", "copies of its database"))
        refer = "refers" if shown["runs"] + shown["databases"] == 1 else "refer"
        click.echo(f"{' and '.join(read)} {refer} to {_count(shown['referred'])}")
        if shown["encoded"]:
            click.echo(f"{shown['encoded']} pages of history contain references that only a codec can read")
    wrong = len(shown["problems"])
    click.echo(f"the folder stores {_count(shown['payloads'])}")
    click.echo(f"{_count(wrong)} missing or corrupt" if wrong else "no problems found")


def pruned(done: PrunedPayloads, *, dry_run: bool) -> dict[str, Any]:
    """The payloads that were removed, or would be."""
    return {
        "form": FORM,
        "dry_run": dry_run,
        "removed": [{"sha256": blob.digest, "bytes": blob.size, "server": blob.server} for blob in done.removed],
        "freed_bytes": done.freed,
        "kept_used": done.used,
        "kept_recent": done.recent,
    }


def echo_pruned(shown: dict[str, Any]) -> None:
    """A person's form of `pruned`."""
    word = "would remove" if shown["dry_run"] else "removed"
    click.echo(f"{word} {_count(len(shown['removed']))}, {format_size(shown['freed_bytes'])}")
    if shown["kept_used"]:
        click.echo(f"kept {shown['kept_used']} that histories refer to")
    if shown["kept_recent"]:
        click.echo(f"kept {shown['kept_recent']} that were stored recently (--older-than)")


def serving(url: str, folder: BlobFolder) -> Iterator[str]:
    """The lines that a codec server prints when it listens."""
    yield f"serving the payloads in {clean(str(folder.folder))}; Ctrl-C stops it"
    yield f"  Web UI  devserver up --ui-codec-endpoint {url}, or the glasses at its top right: {url}"
    yield f"  CLI     temporal workflow show --codec-endpoint {url} ..."


def _count(number: int) -> str:
    return _many(number, "payload")


def _many(number: int, one: str, several: str | None = None) -> str:
    return f"{number} {one if number == 1 else several or one + 's'}"


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def _encoding(path: Path) -> str | None:
    from ...payloads.blob_format import metadata_of

    with contextlib.suppress(OSError, ValueError, UnicodeDecodeError), path.open("rb") as file:
        return metadata_of(file.read(HEAD_BYTES)).get("encoding", b"").decode()
    return None


def _free(folder: Path) -> int | None:
    for parent in (folder, *folder.parents):
        with contextlib.suppress(OSError):
            return shutil.disk_usage(parent).free
    return None
