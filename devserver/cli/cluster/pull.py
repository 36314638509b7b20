"""`devserver cluster pull`: the server's programs from official container images."""

from __future__ import annotations

import click

from ...cluster.declaration import DEFAULT_VERSION
from ...config.settings import Settings
from ...system.paths import Paths
from ..options.common import json_option, quiet_option
from ..render.output import echo_form
from ..render.progress import CliReporter


@click.command()
@click.argument("version", default=DEFAULT_VERSION)
@click.option("--image", metavar="IMAGE", help="Image with the server (default: temporalio/server:VERSION).")
@click.option("--tools-image", metavar="IMAGE", help="Image with its tools (default: temporalio/admin-tools:VERSION).")
@quiet_option
@json_option
def pull(version: str, image: str | None, tools_image: str | None, quiet: bool, as_json: bool) -> None:
    """Take the server's programs out of container images, instead of building them.

    Docker pulls the images; nothing runs in a container. The programs then run as processes, so kill, freeze and cut
    work on them. An image that Docker has already is used.
    """
    from ...cluster import images

    reporter = CliReporter(quiet=quiet)
    offline = bool(Settings.load().offline)
    path = images.take(version, Paths.default(), reporter, server_image=image, tools_image=tools_image, offline=offline)
    if as_json:
        echo_form(version=version, executable=str(path))
    elif not quiet:
        click.echo(str(path))
