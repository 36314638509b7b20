"""A bug of devserver: a report in a file, and a request to send it."""

from __future__ import annotations

import os
import platform
import sys
import time
import traceback

import click

from ...errors import DevServerError
from ...system.files import private_folder, write_private
from ...system.paths import Paths
from ...system.redact import options_of, secrets_of, without
from .error_link import project_urls


def report(error: BaseException) -> None:
    """Write a report of `error`, without environment and credentials, and print where it is."""
    arguments = sys.argv[1:]
    secrets = secrets_of(arguments, os.environ)
    text = without("".join(traceback.format_exception(error)), secrets)
    about = f"python {platform.python_version()} on {platform.platform()}\ncommand: {options_of(arguments)}\n\n"
    click.echo(without(f"bug: {type(error).__name__}: {error}", secrets), err=True)
    try:
        folder = private_folder(Paths.default().bug_reports)
        path = folder / time.strftime(f"bug-%Y%m%d-%H%M%S-{os.getpid()}.log")
        write_private(path, about + text)
    except DevServerError as failure:
        click.echo(text, err=True)
        click.echo(f"(cannot write the report: {failure.message})", err=True)
        return
    where = project_urls().get("Issues")
    click.echo(f"This is a bug in devserver. Please report it{f' at {where}' if where else ''} with {path}", err=True)
