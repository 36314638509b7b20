"""The names of logs in a scenario: `server`, `worker`, and the members, roles and `database` of its patient."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ...cluster.declaration import DATABASE, ROLES
from ...cluster.role_config import DATABASE_GROUP, groups_of
from ..errors import ScenarioInvalid
from .plan import PlannedScenario

__all__ = ["groups_of", "named_log", "require_log"]

MEMBER = re.compile(r"[a-z]+-[1-9]\d*")


def named_log(where: str, always: Sequence[str], what: str) -> str:
    """The name of a log, if it can be one.

    Raises:
        ScenarioInvalid: It cannot.
    """
    known = (*always, DATABASE, DATABASE_GROUP, *ROLES)
    if not isinstance(where, str) or (where not in known and MEMBER.fullmatch(where) is None):
        names = " or ".join(map(repr, always))
        raise ScenarioInvalid(f"{what}(where=...) takes {names} or a member of the patient, not {where!r}")
    return where


def require_log(where: str, scenario: PlannedScenario, always: Sequence[str]) -> None:
    """Check that a scenario has such a log.

    Raises:
        ScenarioInvalid: It has not.
    """
    patient = getattr(scenario, "patient", None)
    members = patient.members() if patient is not None else ()
    names = dict.fromkeys((*always, *members, *(group for member in members for group in groups_of(member))))
    if where not in names:
        raise ScenarioInvalid(f"{scenario.name!r} has no log {where!r}", hint=f"its logs: {', '.join(names)}")
