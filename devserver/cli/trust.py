"""`devserver trust`: let the settings of a checkout choose what is executed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..config.setting_kinds import PATH
from ..config.settings_file import FILES, find_settings_file, settings_file_in
from ..config.trust import TrustedFolder, TrustStore, guarded
from ..errors import OptionError
from ..system.files import sha256_of
from ..system.paths import Paths, whole
from ..system.redact import shown_value, without_user
from .options.common import json_option
from .render.output import echo_form
from .render.terminal import clean


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), default=".")
@click.option("--revoke", is_flag=True, help="End the trust in FOLDER.")
@click.option("--list", "list_all", is_flag=True, help="List the folders that you trust.")
@json_option
def trust(folder: Path, revoke: bool, list_all: bool, as_json: bool) -> None:
    """Trust the project in FOLDER, by default the current one.

    In a trusted project the settings count that choose the server's executable (binary, source, base-url,
    accept-sha256), let others reach the server (ip, http-port, ui-codec-endpoint, ...) or name a database outside of
    the project, and shell completion imports its modules. Trust ends when one of these settings changes, not when a
    module does: revoke it before you check out a branch whose code you have not read.
    """
    store = TrustStore(Paths.default())
    if list_all:
        _print_all(store.all(), as_json)
        return
    path = whole(folder)
    if not path.is_dir():
        raise OptionError(f"{path} is not a folder", hint="give the folder of a project")
    project, table = _project(path)
    if revoke:
        _print_revoked(project, store.remove(project), as_json)
        return
    record = store.add(project, table, _binary_sha256(project, table))
    if as_json:
        echo_form(trusted=True, **_data(record))
        return
    click.echo(clean(f"trusted {record.folder}" + ("" if project == path else f", the project of {path}")))
    _print_values(record)
    if not guarded(table, project):
        click.echo("  its settings choose no executable and open nothing")
    click.echo("  shell completion imports its modules, also when they change later")


def _project(path: Path) -> tuple[Path, dict[str, Any]]:
    """The project of a folder, and its settings: itself with such a file or .git, else the one above with settings."""
    if any((path / name).exists() for name in (*FILES, ".git")):
        own = settings_file_in(path)
        return path, own.table if own else {}
    found = find_settings_file(path)
    return (path, {}) if found is None else (found.path.parent, found.table)


def _binary_sha256(project: Path, table: dict[str, object]) -> str | None:
    """The hash of the file that `binary` names: another file there later needs trust again."""
    if "binary" not in table:
        return None
    try:
        return sha256_of(PATH.read(table["binary"], project))
    except (OSError, ValueError) as error:
        raise OptionError(
            f"the file that binary names cannot be read: {table['binary']}",
            details=[str(error)],
            hint=f"correct the settings in {project}, or create the file first",
        ) from None


def _print_revoked(project: Path, removed: bool, as_json: bool) -> None:
    if as_json:
        echo_form(trusted=False, folder=str(project), removed=removed)
    else:
        click.echo(clean(f"{project} is no longer trusted" if removed else f"{project} was not trusted"))


def _print_all(records: list[TrustedFolder], as_json: bool) -> None:
    if as_json:
        echo_form(folders=[_data(record) for record in records])
        return
    for record in records:
        click.echo(clean(str(record.folder)))
        _print_values(record)
    if not records:
        click.echo("you trust no folder")


def _print_values(record: TrustedFolder) -> None:
    for key, value in record.values.items():
        click.echo(f"  {key} = {shown_value(value)}")
    if record.binary_sha256:
        click.echo(f"  SHA-256 of binary: {record.binary_sha256}")


def _data(record: TrustedFolder) -> dict[str, object]:
    values = {key: without_user(value) for key, value in record.values.items()}
    return {"folder": str(record.folder), "values": values, "binary_sha256": record.binary_sha256}
