"""`devserver install` and `devserver binary install`: download and verify an executable."""

from __future__ import annotations

from typing import Any

import click

from ..options.binary import binary_options
from ..options.common import json_option, quiet_option
from ..render.output import echo_form


@click.command()
@click.argument("version", required=False)
@binary_options
@quiet_option
@json_option
def install(version: str | None, quiet: bool, as_json: bool, **options: Any) -> None:
    """Download and verify the server's executable.

    VERSION is a version of the Temporal CLI, such as 1.9.1, or `latest`; by default the project's setting, else the
    default version. An installed version is not downloaded again.
    """
    from ...config.settings import Settings
    from ...executables import BinaryRequest
    from ...executables.resolve import ensure
    from ...system.paths import Paths
    from ..render.progress import CliReporter

    request = BinaryRequest.of(Settings.load(), version=version, **options)
    with CliReporter(quiet=quiet) as reporter:
        found = ensure(request, paths=Paths.default(), reporter=reporter)
    if as_json:
        echo_form(
            version=found.version,
            server_version=found.server_version,
            path=str(found.path),
            source=found.source,
            sha256=found.sha256,
            pinned=found.pinned,
        )
    elif not quiet:
        trust = "pinned" if found.pinned else "not pinned"
        state = "is used in place" if found.source == "explicit" else "is installed"
        click.echo(f"temporal {found.version} (server {found.server_version}) {state}")
        click.echo(f"  path    {found.path}")
        click.echo(f"  source  {found.source}")
        click.echo(f"  sha256  {found.sha256} ({trust})")
