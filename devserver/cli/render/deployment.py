"""Worker deployments as lines for a terminal, and as JSON."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from ...system.json_form import FORM
from ...system.printable import counted
from .terminal import clean, stamp, wrapped

if TYPE_CHECKING:
    from ...client.target import Target
    from ...deployments import DeploymentStatus, DeploymentVersion, Drainage, RolloutChange, Routing, VersionLoad

IDLE_SHOWN = 3
COLOURS = {"current": "green", "ramping": "cyan", "draining": "yellow"}
FIRST = "a worker creates one: devserver run MODULE --deployment-name NAME --build-id BUILD"


def screen(
    found: Sequence[DeploymentStatus], target: Target, options: Sequence[str] = (), *, everything: bool = False
) -> Iterator[str]:
    """Every deployment with its builds, the newest first; most idle builds only with `everything`.

    `options` choose the server, for a command that is suggested.
    """
    where = f"in the namespace {clean(target.namespace)} at {clean(target.label)}"
    if not found:
        yield from wrapped(f"no worker deployment {where}; {FIRST}")
        return
    for deployment in found:
        yield from wrapped(f"{deployment.deployment.name}: {deployment.deployment.routing}", "", "  ")
        if not deployment.deployment.settled:
            yield from wrapped("task queues are still being updated", "  ", "")
        if _idle(deployment):
            first = shlex.join([deployment.deployment.name, deployment.deployment.builds[0], *options])
            yield from wrapped(f"no build is current yet: devserver deployment set-current {first}", "  ", "")
        folded = [] if everything else _idle_builds(deployment)[IDLE_SHOWN:]
        for version in deployment.deployment.versions:
            if version.build not in folded:
                yield from _version(version, deployment.loads[version.build])
        if folded:
            more = f"{counted(len(folded), 'more build')} without workers and open workflows (show with --all)"
            yield from wrapped(more, "  ", "")
        yield ""
    yield from wrapped(f"{counted(len(found), 'worker deployment')} {where}")


def change(did: RolloutChange) -> str:
    """One sentence: where the work goes now, and where it went before."""
    if not did.changed:
        return clean(f"{did.deployment}: nothing to do, {did.after}")
    pending = "" if did.settled else "; task queues are still being updated"
    return clean(f"{did.deployment}: {did.after} (before: {did.before}){pending}")


def drain(name: str, looked: Drainage) -> str:
    """One line: how far a build is."""
    if looked.done:
        never = "" if looked.state == "drained" else ": it never had workflows"
        return clean(f"{looked.build} of {name} is drained{never}")
    of = f"{counted(looked.pinned, 'open workflow')} pinned to it"
    notices = "" if looked.pinned or not looked.checked else f"; the server last looked at {stamp(looked.checked)}"
    return clean(f"{looked.build} of {name} is {looked.state}: {of}{notices}")


def status_json(found: Sequence[DeploymentStatus], target: Target, at: datetime) -> dict[str, Any]:
    """The documented form (docs/json.md)."""
    return {**_where(target), "at": stamp(at), "deployments": [_status_json(item) for item in found]}


def change_json(did: RolloutChange, target: Target) -> dict[str, Any]:
    """The documented form (docs/json.md)."""
    return {
        **_where(target),
        "deployment": did.deployment,
        "changed": did.changed,
        "before": _routing_json(did.before),
        "after": _routing_json(did.after),
        "settled": did.settled,
    }


def drain_json(name: str, looked: Drainage, still: Sequence[Any], target: Target) -> dict[str, Any]:
    """The documented form (docs/json.md)."""
    return {
        **_where(target),
        "deployment": name,
        "build": looked.build,
        "state": looked.state,
        "drained": looked.done,
        "pinned": looked.pinned,
        "open": [{"workflow_id": item.execution.workflow_id, "workflow_type": item.type.name} for item in still],
    }


def _where(target: Target) -> dict[str, Any]:
    return {"form": FORM, "address": target.address, "namespace": target.namespace}


def _idle(each: DeploymentStatus) -> bool:
    routing = each.deployment.routing
    return bool(each.deployment.versions) and routing.current is None and not routing.has_ramp


def _idle_builds(found: DeploymentStatus) -> list[str]:
    """Builds without work and workers."""
    return [version.build for version in found.deployment.versions if version.quiet and found.loads[version.build].idle]


def _version(version: DeploymentVersion, load: VersionLoad) -> Iterator[str]:
    since = f" since {stamp(version.since)}" if version.since else ""
    lines = wrapped(f"{version.build}: {version.state}{since}", "  ", "    ")
    if version.state in COLOURS:
        lines[0] = lines[0].replace(f": {version.state}", ": " + click.style(version.state, COLOURS[version.state]), 1)
    yield from lines
    works = counted(len(load.workers), "worker") if load.workers else "no worker polls"
    kinds = ((load.pinned, "pinned"), (load.auto_upgrade, "auto-upgrade"))
    open_ = ", ".join(f"{count:,} {kind}" for count, kind in kinds if count) or "none"
    yield from wrapped(f"{works}; open workflows: {open_}", "    ", "")


def _status_json(each: DeploymentStatus) -> dict[str, Any]:
    found = each.deployment
    return {
        "name": found.name,
        **_routing_json(found.routing),
        "last_modifier": found.last_modifier,
        "settled": found.settled,
        "builds": [_version_json(version, each.loads[version.build]) for version in found.versions],
    }


def _routing_json(routing: Routing) -> dict[str, Any]:
    return {"current": routing.current, "ramping": routing.ramping, "percentage": routing.percentage}


def _version_json(version: DeploymentVersion, load: VersionLoad) -> dict[str, Any]:
    return {
        "build": version.build,
        "state": version.state,
        "since": stamp(version.since) if version.since else None,
        "workers": list(load.workers),
        "task_queues": [{"name": queue.name, "kind": queue.kind} for queue in load.queues],
        "pinned": load.pinned,
        "auto_upgrade": load.auto_upgrade,
    }
