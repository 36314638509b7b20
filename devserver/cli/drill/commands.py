"""`devserver drill pause|stop|detect|handover MODULE:WORKFLOW`: one question about a workflow."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ..options.client import converter_options
from ..options.common import json_option, yes_option
from ..options.input_command import InputCommand, bare_workflow, workflow
from ..options.inputs import input_option
from ..options.module_type import ModuleType

if TYPE_CHECKING:
    from ...introspection.targets import CallTarget
    from ...rehearsal.drill_session.drill import Question

F = TypeVar("F", bound=Callable[..., Any])

HELP = {
    "pause": "Pause your workflow, look at it, and resume it. The drill checks that nothing starts in between.",
    "stop": "Cancel your workflow. The drill shows how it ends, and what it did after that.",
    "detect": "An activity of your workflow fails again and again. The drill measures when `devserver stuck` shows it.",
    "handover": "Cancel your workflow, and let your script do the rest. The drill checks that nothing is done twice.",
}
MORE = """
The workflow runs on a server of its own, with a worker. At each step you press Enter, or do it yourself; with --yes the
drill does it all.

Exits 0 when the answer is good, 1 when not, 4 when the drill could not be done.
"""


def _command(question: Question) -> click.Command:
    script: Callable[[F], F] = click.option(
        "--script", metavar="COMMAND", help="The command that does the rest by hand."
    )

    @click.command(
        name=question, cls=InputCommand, resolve=workflow, bare=bare_workflow, help=f"{HELP[question]}\n{MORE}"
    )
    @click.argument("spec", metavar="MODULE:WORKFLOW", type=ModuleType("workflow"))
    @input_option
    @(script if question == "handover" else _unchanged)
    @converter_options
    @yes_option
    @json_option
    @click.pass_context
    def command(
        ctx: click.Context,
        /,
        called: CallTarget,
        arguments: list[Any],
        yes: bool,
        as_json: bool,
        script: str | None = None,
    ) -> None:
        try:
            words = shlex.split(script or "")
        except ValueError as error:
            raise click.BadParameter(f"{script!r} is not a command: {error}", param_hint="--script") from None
        ctx.exit(_run(question, called, arguments, words, yes=yes, as_json=as_json))

    return command


def _unchanged(function: F) -> F:
    return function


def _run(
    question: Question, called: CallTarget, arguments: list[Any], script: list[str], *, yes: bool, as_json: bool
) -> int:
    import asyncio

    from ...rehearsal.drill_session.drill import DrillRequest, run_drill
    from ...rehearsal.environment.worker_forkserver import WorkerForkServer
    from ..render.drill import DrillTerminal, echo_result, may_ask

    interactive = not (yes or as_json)
    if interactive:
        may_ask()
    request = DrillRequest(
        question=question,
        module=called.module.name,
        folder=called.module.project,
        workflow=called.type or "",
        arguments=arguments,
        script=script,
        named=interactive,
    )
    guide = DrillTerminal(interactive=interactive, quiet=as_json)
    guide.introduce(question, request.workflow)
    with contextlib.closing(WorkerForkServer()) as fork_server:
        result = asyncio.run(run_drill(request, guide, fork_server))
    return echo_result(question, result, as_json=as_json)


pause, stop, detect, handover = (_command(question) for question in ("pause", "stop", "detect", "handover"))
