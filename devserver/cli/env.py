"""`devserver env`: the settings that connect a client to a server, for a shell, a file or a client profile."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import click

from ..client.profile_file import write_profile
from ..errors import DevServerError
from ..instances.dev_server import DevServer
from .options.common import json_option, name_option
from .render.output import echo_form


def _powershell(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _fish(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _dotenv(value: str) -> str:
    """Without quotes where possible: `docker run --env-file` takes them as part of the value. Else in single quotes: a
    shell that reads the file evaluates nothing in them."""
    return value if re.fullmatch(r"[\w.:/@%+-]+", value) else shlex.quote(value)


FORMATS: dict[str, Callable[[str, str], str]] = {
    "sh": lambda key, value: f"export {key}={shlex.quote(value)}",
    "fish": lambda key, value: f"set -gx {key} {_fish(value)};",
    "powershell": lambda key, value: f"$Env:{key} = {_powershell(value)}",
    "dotenv": lambda key, value: f"{key}={_dotenv(value)}",
    "github": lambda key, value: f"{key}={value}",
}


@click.command()
@name_option
@click.option(
    "--format",
    "syntax",
    type=click.Choice(list(FORMATS)),
    default="sh",
    help="Shell or file to write for.",
)
@click.option("--write-profile", "profile", metavar="PROFILE", help="Write a Temporal client profile instead.")
@click.option("--tls/--no-tls", default=True, help="Connect with or without TLS.")
@json_option
def env(name: str, syntax: str, profile: str | None, tls: bool, as_json: bool) -> None:
    """Print the settings that connect a client to a server: to its TLS port, if it has one.

    \b
    sh:          eval "$(devserver env)"
    fish:        devserver env --format fish | source
    powershell:  devserver env --format powershell | Out-String | Invoke-Expression
    dotenv:      devserver env --format dotenv > .env
    GitHub:      devserver env --format github      (appends to $GITHUB_ENV where that is set)
    """
    server = DevServer.attach(name)
    access = server.tls if tls else None
    found = access.variables() if access else {"TEMPORAL_ADDRESS": server.address}
    values = {"TEMPORAL_ADDRESS": found.pop("TEMPORAL_ADDRESS"), "TEMPORAL_NAMESPACE": server.namespace, **found}
    path = write_profile(server, profile, access) if profile is not None else None
    if as_json:
        echo_form(name=name, variables=values, profile=profile, file=str(path) if path else None)
        return
    if path is not None:
        click.echo(f"wrote the profile {profile} to {path}; use it with TEMPORAL_PROFILE={profile}")
        return
    lines = [FORMATS[syntax](key, value) for key, value in values.items()]
    target = os.environ.get("GITHUB_ENV") if syntax == "github" else None
    if target:
        _append(Path(target), lines)
    else:
        click.echo("\n".join(lines))


def _append(path: Path, lines: list[str]) -> None:
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
    except OSError as error:
        raise DevServerError(
            f"cannot write {path}: {error.strerror}",
            hint="GITHUB_ENV should name the file that GitHub Actions reads",
        ) from error
