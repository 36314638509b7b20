"""`devserver install`: get and verify the server's executable."""

from __future__ import annotations

from typing import Any

import click

from ..options.binary import binary_options


@click.command()
@click.argument("version", required=False)
@binary_options
@click.option("--quiet", "-q", is_flag=True, help="Say nothing unless it fails.")
def install(version: str | None, quiet: bool, **options: Any) -> None:
    """Get and verify the server's executable.

    VERSION is a version of the Temporal CLI, such as 1.9.1, or `latest`. Without it, the project's setting
    or the default version is taken. What is installed already is not fetched again.
    """
    from ...config.settings import Settings
    from ...executables import BinaryRequest
    from ...executables.resolve import ensure
    from ...system.paths import Paths
    from ..render.progress import CliReporter

    request = BinaryRequest.of(Settings.load(), version=version, **options)
    with CliReporter(quiet=quiet) as reporter:
        found = ensure(request, paths=Paths.default(), reporter=reporter)
    if not quiet:
        trust = "pinned" if found.pinned else "not pinned"
        what = "is run where it lies" if found.source == "explicit" else "is installed"
        click.echo(f"temporal {found.version} (server {found.server_version}) {what}")
        click.echo(f"  path    {found.path}")
        click.echo(f"  source  {found.source}")
        click.echo(f"  sha256  {found.sha256} ({trust})")
