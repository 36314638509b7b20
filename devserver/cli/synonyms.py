"""What to type instead of an unknown command or option. A command that deletes is never suggested."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping, Sequence

TEMPORAL_CLI = "the Temporal CLI has it: devserver temporal -- {}"
MODULE_AND_WORKFLOW = (
    "`devserver inspect MODULE` shows a module, `devserver trace WORKFLOW_ID` a workflow, "
    "`devserver schedule describe ID` a schedule"
)

# Group -> word -> what to type.
COMMANDS: Mapping[str, Mapping[str, str]] = {
    "devserver": {
        "start": "`devserver up` starts a server, `devserver workflow start MODULE:WORKFLOW` a workflow",
        **dict.fromkeys(("serve", "server", "start-dev", "launch", "boot"), "start a server with: devserver up"),
        **dict.fromkeys(("stop", "kill", "shutdown", "halt", "quit"), "stop a server with: devserver down"),
        **dict.fromkeys(("reload", "reboot"), "restart a server with: devserver restart"),
        **dict.fromkeys(("log", "tail"), "show a server's log with: devserver logs"),
        **dict.fromkeys(("open", "web", "browser"), "open the Web UI with: devserver ui"),
        **dict.fromkeys(("info", "ping", "health"), "show a server's status with: devserver status"),
        **dict.fromkeys(("check", "diagnose"), "find problems with: devserver doctor"),
        **dict.fromkeys(("find", "grep"), "search histories with: devserver search"),
        **dict.fromkeys(("blocked", "hanging"), "list blocked workflows with: devserver stuck"),
        **dict.fromkeys(("show", "history"), "show what a workflow did with: devserver trace WORKFLOW_ID"),
        **dict.fromkeys(("exec", "execute"), "start a workflow with: devserver workflow start MODULE:WORKFLOW --wait"),
        **dict.fromkeys(("signal", "query", "update"), "it is in the group of workflows: devserver workflow {}"),
        **dict.fromkeys(("backup", "save"), "save a server's state with: devserver snapshot save"),
        "restore": "bring a saved state back with: devserver snapshot restore NAME",
        **dict.fromkeys(("download", "upgrade", "get"), "get another version with: devserver install VERSION"),
        **dict.fromkeys(("versions", "version-list"), "list versions with: devserver binary list"),
        **dict.fromkeys(("executable", "binaries", "prune"), "see: devserver binary --help"),
        **dict.fromkeys(
            ("deploy", "deployments", "rollout", "ramp", "rollback"), "roll out builds with: devserver deployment"
        ),
        "describe": MODULE_AND_WORKFLOW,
        **dict.fromkeys(("test", "tests", "pytest"), "run tests with pytest, rehearsals with: devserver rehearse"),
        **dict.fromkeys(("rehearsal", "rehearsals", "chaos"), "run rehearsals with: devserver rehearse PATH"),
        **dict.fromkeys(("prometheus", "datadog"), "write its configuration with: devserver observe {}"),
        **dict.fromkeys(("workflows", "wf"), "see: devserver workflow --help"),
        **dict.fromkeys(("activity", "batch", "operator", "task-queue", "config", "nexus", "worker"), TEMPORAL_CLI),
    },
    "devserver workflow": {
        **dict.fromkeys(("execute", "run"), "start it and wait with: devserver workflow start MODULE:WORKFLOW --wait"),
        **dict.fromkeys(
            ("list", "count", "describe", "result", "stack", "cancel", "terminate", "metadata", "pause", "unpause"),
            "the Temporal CLI has it: devserver temporal -- workflow {}",
        ),
        **dict.fromkeys(("show", "history"), "show what a workflow did with: devserver workflow trace WORKFLOW_ID"),
        **dict.fromkeys(("find", "grep"), "search histories with: devserver workflow search"),
    },
    "devserver schedule": {
        "toggle": "`devserver schedule pause ID` and `devserver schedule unpause ID`",
        **dict.fromkeys(("stop", "disable"), "stop it from acting with: devserver schedule pause ID"),
        **dict.fromkeys(("start", "resume", "enable"), "let it act again with: devserver schedule unpause ID"),
        **dict.fromkeys(("run", "fire"), "make it act now with: devserver schedule trigger ID"),
        **dict.fromkeys(("show", "get", "info"), "show it with: devserver schedule describe ID"),
        **dict.fromkeys(("add", "make", "new"), "create one with: devserver schedule create ID"),
        "update": "the Temporal CLI has it: devserver temporal -- schedule update",
    },
    "devserver deployment": {
        **dict.fromkeys(("promote", "current"), "make a build current with: devserver deployment set-current"),
        **dict.fromkeys(("undo", "revert"), "undo the last step with: devserver deployment rollback"),
        **dict.fromkeys(("wait", "drain"), "wait for a build to drain with: devserver deployment wait-drained"),
        **dict.fromkeys(
            ("create", "create-version", "manager-identity", "update-version-metadata"),
            "the Temporal CLI has it: devserver temporal -- worker deployment {}",
        ),
    },
    "devserver snapshot": {
        **dict.fromkeys(("create", "take", "make", "new", "add"), "save one with: devserver snapshot save"),
        **dict.fromkeys(("load", "revert"), "bring one back with: devserver snapshot restore NAME"),
    },
    "devserver binary": {
        **dict.fromkeys(("get", "download", "add", "upgrade"), "get one with: devserver binary install VERSION"),
        **dict.fromkeys(("versions", "show"), "list them with: devserver binary list"),
    },
    "devserver payloads": {
        **dict.fromkeys(("show", "info"), "see: devserver payloads status"),
        **dict.fromkeys(("verify", "fsck"), "check them with: devserver payloads check"),
        **dict.fromkeys(("server", "codec"), "run the codec server with: devserver payloads serve"),
    },
}

# Commands that delete or replace something: a user types them in full, or not at all.
DELETING = {"reset", "prune", "delete", "restore"}

OPTIONS: Mapping[str, str] = {
    "--output": "--json prints JSON",
    "-o": "--json prints JSON",
    "--format": "--json prints JSON",
    "--id": "--workflow-id, or -w, names the workflow",
    "--server": "--name chooses one of your servers, --address any other",
    "--instance": "--name chooses one of your servers",
    "--host": "--address chooses a server by HOST:PORT",
    "--env": "--profile chooses a client profile",
    "--db-path": "--db-filename names the database",
    "--memory": "--ephemeral keeps no state on disk",
    "--in-memory": "--ephemeral keeps no state on disk",
    "--daemon": "--detach, or -d, leaves the server running",
    "--background": "--detach, or -d, leaves the server running",
    "--force": "--yes, or -y, skips the question",
    "--verbose": "`devserver up --log-level info` makes the server log more",
    "-v": "`devserver --version` shows the version",
    "-q": "-q means --quiet, and only where a command has it; --query has no letter",
    "--grpc-meta": "headers come from a client profile: --profile NAME",
    "--codec-endpoint": "--data-converter MODULE:NAME decodes values here",
    "--input-file": "--input @FILE reads a file",
    "--id-reuse": "it is --id-reuse-policy",
    "--id-conflict": "it is --id-conflict-policy",
    "--delay": "it is --start-delay",
    "--cron-schedule": "it is --cron",
    "--fail-existing": "it is --id-conflict-policy Fail",
}


def unknown_command(path: str, args: Sequence[str], known: Collection[str]) -> str:
    """The message for the unknown command `args[0]` of the group `path`, whose commands are `known`."""
    word = args[0]
    advice = COMMANDS.get(path, {}).get(word)
    if path == "devserver" and word == "describe" and len(args) > 1:
        advice = _what_to_describe(args[1])
    if advice:
        return f"No such command '{word}': {advice.format(word)}"
    near = difflib.get_close_matches(word, sorted(set(known) - DELETING), n=1, cutoff=0.7)
    return f"No such command '{word}'." + (f" Did you mean '{near[0]}'?" if near else f" See: {path} --help")


def _what_to_describe(name: str) -> str:
    """`describe` means a workflow to users of Temporal; a module's name looks like one."""
    if name.endswith(".py") or ":" in name or re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+", name):
        return f"show a module with: devserver inspect {name}"
    return f"show a workflow with: devserver trace {name}"


def unknown_option(name: str, possibilities: Sequence[str]) -> str:
    """The message for an unknown option: what to use, or the options that are spelled nearly the same."""
    if name in OPTIONS:
        return f"No such option '{name}': {OPTIONS[name]}"
    near = difflib.get_close_matches(name, possibilities, n=2, cutoff=0.75)
    return f"No such option '{name}'." + (f" Did you mean {' or '.join(near)}?" if near else "")
