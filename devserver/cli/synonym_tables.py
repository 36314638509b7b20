"""What users type for our commands and options: words of other tools, and what to type in their place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

TEMPORAL_CLI = "the Temporal CLI has it: devserver temporal -- {}"
MODULE_AND_WORKFLOW = (
    "`devserver inspect MODULE` shows a module, `devserver trace WORKFLOW_ID` a workflow, "
    "`devserver schedule describe ID` a schedule"
)

# Group -> word -> what to type. `{}` is all that was typed, `{NAME}` all but the word (NAME if that is nothing),
# `{options}` the options, `{server}` the name of a server.
COMMANDS: Mapping[str, Mapping[str, str]] = {
    "devserver": {
        "start": "`devserver up` starts a server, `devserver workflow start {MODULE:WORKFLOW}` a workflow",
        **dict.fromkeys(
            ("serve", "server", "start-dev", "launch", "boot"), "start a server with: devserver up{options}"
        ),
        **dict.fromkeys(("stop", "kill", "shutdown", "halt", "quit"), "stop a server with: devserver down{server}"),
        **dict.fromkeys(("reload", "reboot"), "restart a server with: devserver restart{server}"),
        **dict.fromkeys(("log", "tail"), "show a server's log with: devserver logs{server}"),
        **dict.fromkeys(("open", "web", "browser"), "open the Web UI with: devserver ui{server}"),
        **dict.fromkeys(("info", "ping", "health"), "show a server's status with: devserver status{server}"),
        **dict.fromkeys(("check", "diagnose"), "find problems with: devserver doctor"),
        **dict.fromkeys(("find", "grep"), "search histories with: devserver search {TEXT}"),
        **dict.fromkeys(("blocked", "hanging"), "list blocked workflows with: devserver stuck"),
        **dict.fromkeys(("show", "history"), "show what a workflow did with: devserver trace {WORKFLOW_ID}"),
        **dict.fromkeys(
            ("exec", "execute"), "start a workflow with: devserver workflow start {MODULE:WORKFLOW} --wait"
        ),
        **dict.fromkeys(("signal", "query", "update"), "it is in the group of workflows: devserver workflow {}"),
        **dict.fromkeys(("backup", "save"), "save a server's state with: devserver snapshot save"),
        "restore": "bring a saved state back with: devserver snapshot restore {NAME}",
        **dict.fromkeys(("download", "upgrade", "get"), "get another version with: devserver install {VERSION}"),
        **dict.fromkeys(("versions", "version-list"), "list versions with: devserver binary list"),
        **dict.fromkeys(("executable", "binaries", "prune"), "see: devserver binary --help"),
        **dict.fromkeys(
            ("deploy", "deployments", "rollout", "ramp", "rollback"), "roll out builds with: devserver deployment"
        ),
        "describe": MODULE_AND_WORKFLOW,
        **dict.fromkeys(("test", "tests", "pytest"), "run tests with pytest, rehearsals with: devserver rehearse"),
        **dict.fromkeys(("rehearsal", "rehearsals", "chaos"), "run rehearsals with: devserver rehearse {PATH}"),
        **dict.fromkeys(("prometheus", "datadog"), "write its configuration with: devserver observe {}"),
        **dict.fromkeys(("workflows", "wf"), "see: devserver workflow --help"),
        **dict.fromkeys(("activity", "batch", "operator", "task-queue", "nexus", "worker"), TEMPORAL_CLI),
        **dict.fromkeys(
            ("namespace", "search-attribute"), "the Temporal CLI has it: devserver temporal -- operator {}"
        ),
        **dict.fromkeys(("clusters", "postgres", "cassandra"), "see: devserver cluster --help"),
        **dict.fromkeys(
            ("namespaces", "search-attributes"),
            "see: devserver temporal -- operator --help; `devserver up` creates them with --namespace and "
            "--search-attribute",
        ),
        **dict.fromkeys(
            ("rm", "remove", "delete", "clean", "destroy", "purge"),
            "`devserver down` stops a server and keeps its state; for other commands see: devserver --help",
        ),
        **dict.fromkeys(
            ("init", "setup"), "`devserver up` starts a server without any setup, `devserver new` writes a project"
        ),
        **dict.fromkeys(("template", "templates", "scaffold", "project"), "write a project with: devserver new {DIR}"),
        **dict.fromkeys(
            ("doc", "man", "manual", "guide", "readme"), "show the documentation with: devserver docs {TOPIC}"
        ),
        **dict.fromkeys(("ready", "wait-ready", "healthcheck"), "wait for a server with: devserver wait{server}"),
        **dict.fromkeys(
            ("create", "add"),
            "`devserver new` writes a project, `devserver up --name NAME` starts a new server, "
            "`devserver up --namespace NAME` adds a namespace, "
            "`devserver schedule create ID` creates a schedule",
        ),
        **dict.fromkeys(
            ("connect", "attach"),
            "`devserver env` prints the settings that connect a client, `devserver logs --follow` follows a server's "
            "log, `devserver temporal --` runs the Temporal CLI against a server",
        ),
    },
    "devserver config": {
        **dict.fromkeys(("get", "set", "delete", "delete-profile"), "client profiles: devserver temporal -- config {}"),
        **dict.fromkeys(("list", "print", "view", "env"), "show all settings with: devserver config show"),
    },
    "devserver workflow": {
        **dict.fromkeys(
            ("execute", "run"), "start it and wait with: devserver workflow start {MODULE:WORKFLOW} --wait"
        ),
        **dict.fromkeys(
            (
                *("list", "count", "describe", "pause"),
                *("unpause", "delete", "signal-with-start", "execute-update-with-start", "update-options"),
                *("fix-history-json", "start-update-with-start"),
            ),
            "the Temporal CLI has it: devserver temporal -- workflow {}",
        ),
        **dict.fromkeys(("show", "history"), "show what a workflow did with: devserver workflow trace {WORKFLOW_ID}"),
        **dict.fromkeys(
            ("stack", "metadata"), "show where a workflow waits with: devserver workflow trace {WORKFLOW_ID} --waits"
        ),
        **dict.fromkeys(("find", "grep"), "search histories with: devserver workflow search {TEXT}"),
        **dict.fromkeys(("ls", "ps"), "the Temporal CLI has it: devserver temporal -- workflow list"),
    },
    "devserver schedule": {
        "toggle": "`devserver schedule pause {ID}` and `devserver schedule unpause {ID}`",
        **dict.fromkeys(("stop", "disable"), "stop it from acting with: devserver schedule pause {ID}"),
        **dict.fromkeys(("start", "resume", "enable"), "let it act again with: devserver schedule unpause {ID}"),
        **dict.fromkeys(("run", "fire"), "make it act now with: devserver schedule trigger {ID}"),
        **dict.fromkeys(("show", "get", "info"), "show it with: devserver schedule describe {ID}"),
        **dict.fromkeys(("add", "make", "new"), "create one with: devserver schedule create {ID}"),
        "update": "the Temporal CLI has it: devserver temporal -- schedule {}",
    },
    "devserver deployment": {
        **dict.fromkeys(
            ("promote", "current"), "make a build current with: devserver deployment set-current {DEPLOYMENT BUILD}"
        ),
        **dict.fromkeys(("undo", "revert"), "undo the last step with: devserver deployment rollback {DEPLOYMENT}"),
        **dict.fromkeys(
            ("wait", "drain"), "wait for a build to drain with: devserver deployment wait-drained {DEPLOYMENT BUILD}"
        ),
        **dict.fromkeys(
            ("create", "create-version", "manager-identity", "update-version-metadata"),
            "the Temporal CLI has it: devserver temporal -- worker deployment {}",
        ),
    },
    "devserver cluster": {
        **dict.fromkeys(
            ("describe", "health", "system", "upsert", "remove"),
            "the Temporal CLI has it: devserver temporal -- operator cluster {}",
        ),
        **dict.fromkeys(("create", "new"), "start one with: devserver cluster up"),
        **dict.fromkeys(("pause", "suspend"), "suspend members with: devserver cluster freeze {MEMBER}"),
        **dict.fromkeys(("unpause", "resume"), "continue members with: devserver cluster thaw {MEMBER}"),
    },
    "devserver snapshot": {
        **dict.fromkeys(("create", "take", "make", "new", "add"), "save one with: devserver snapshot save {NAME}"),
        **dict.fromkeys(("load", "revert"), "bring one back with: devserver snapshot restore {NAME}"),
    },
    "devserver binary": {
        **dict.fromkeys(("get", "download", "add", "upgrade"), "get one with: devserver binary install {VERSION}"),
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

# Unknown option -> (the option that the command must have, what to use), the first that fits.
JSON = (("--json", "--json prints JSON"),)
EPHEMERAL = (("--ephemeral", "--ephemeral keeps no state on disk"),)
DETACH = (("--detach", "--detach, or -d, leaves the server running"),)
NAME = ("--name", "--name chooses one of your servers")
OPTIONS: Mapping[str, Sequence[tuple[str, str]]] = {
    "--output": JSON,
    "-o": JSON,
    "--format": JSON,
    "--id": (("--workflow-id", "--workflow-id, or -w, names the workflow"),),
    "--server": (("--address", "--name chooses one of your servers, --address any other"), NAME),
    "--instance": (NAME,),
    "--host": (("--address", "--address chooses a server by HOST:PORT"), ("--ip", "--ip is the address to listen on")),
    "--env": (("--profile", "--profile chooses a client profile"),),
    "--db-path": (("--db-filename", "--db-filename names the database"),),
    "--memory": EPHEMERAL,
    "--in-memory": EPHEMERAL,
    "--daemon": DETACH,
    "--background": DETACH,
    "--force": (("--yes", "--yes, or -y, skips the question"),),
    "--verbose": (
        ("--log-level", "--log-level info makes the server log more"),
        ("--help", "`devserver up --log-level info` makes the server log more"),
    ),
    "-v": (("--help", "`devserver --version` shows the version"),),
    "-q": (("--query", "-q means --quiet, and only where a command has it; --query has no letter"),),
    "--input-file": (("--input", "--input @FILE reads a file"),),
    "--id-reuse": (("--id-reuse-policy", "it is --id-reuse-policy"),),
    "--id-conflict": (("--id-conflict-policy", "it is --id-conflict-policy"),),
    "--delay": (("--start-delay", "it is --start-delay"),),
    "--cron-schedule": (("--cron", "it is --cron"),),
    "--fail-existing": (("--id-conflict-policy", "it is --id-conflict-policy Fail"),),
}

# Options with several spellings whose values are checked where the typed one is unknown.
SPELLINGS: Mapping[str, Sequence[str]] = {
    "--ip": ("--bind",),
    "--db-filename": ("--db", "-f"),
    "--dynamic-config-value": ("--dynamic-config",),
    "--no-ui": ("--headless",),
}
