"""Activities for the dynamic configuration: whether the server can read it, and how the patient gets another."""

from __future__ import annotations

from temporalio import activity

from .access import beating, control
from .health import executable_of


@activity.defn
async def dynamic_config_problem(text: str = "", version: str = "") -> str:
    """Why the server cannot read a dynamic configuration; empty if it can.

    Members keep their values while they cannot read the file; a member that starts then ends at once. So look before
    any restart. A real server of this version reads it, in a process that joins nothing: it takes about a second of CPU
    time, and needs the executable (`devserver cluster build`). It changes nothing, so it may run any number of times.

    Args:
        text: The text of the file; that which the patient has now, if empty.
        version: The version of the server; the patient's, or that of a new cluster, if empty.

    Raises:
        ApplicationError: The executable is missing (not retryable), or says nothing.
    """
    from pathlib import Path

    from ...cluster import tools

    if text:
        binary = executable_of(version)
        return await beating(lambda: tools.dynamic_config_problem(binary, text)) or ""
    folder = control().folder
    binary, text = Path(folder.read()["executable"]), folder.dynamic_config.read_text()
    return await beating(lambda: tools.dynamic_config_problem(binary, text)) or ""


@activity.defn
async def read_dynamic_config() -> str:
    """The text of the patient's dynamic configuration. It reads, so it may run any number of times.

    Raises:
        ApplicationError: There is no patient; not retryable.
    """
    return control().folder.dynamic_config.read_text()


@activity.defn
async def write_dynamic_config(text: str) -> None:
    """Replace the patient's dynamic configuration, as a whole and at once. Idempotent.

    Members read it within five seconds; a rate limit takes up to a minute. For your own clusters this is an activity of
    yours.

    Raises:
        ApplicationError: There is no patient; not retryable.
    """
    from ...system.files import write_private

    write_private(control().folder.dynamic_config, text)
