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
from ...system.redact import mask


def report(error: BaseException) -> None:
    """Write a report of `error`, without environment and credentials, and print where it is."""
    text = mask("".join(traceback.format_exception(error)))
    about = mask(f"python {platform.python_version()} on {platform.platform()}\narguments: {sys.argv[1:]}\n\n")
    click.echo(mask(f"bug: {type(error).__name__}: {error}"), err=True)
    try:
        folder = private_folder(Paths.default().bug_reports)
        path = folder / time.strftime(f"bug-%Y%m%d-%H%M%S-{os.getpid()}.log")
        write_private(path, about + text)
    except DevServerError as failure:
        click.echo(text, err=True)
        click.echo(f"(cannot write the report: {failure.message})", err=True)
        return
    click.echo(f"This is a bug in devserver. Please report it with {path}", err=True)
