"""A patient that is given by its address: its workload is run and judged, and nothing is done to it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any, NoReturn

from temporalio.service import ConnectConfig, RPCError, ServiceClient

from ...cluster.external import ExternalCluster
from ...cluster.postgres_client import PostgresConnection
from ..cluster import VARIABLE
from ..errors import FaultImpossible
from .member_logs import OnLine
from .patient import CANARY_SECONDS, Patient
from .record import PatientRecord

LOOK_SECONDS = 5.0


class ExternalPatient(Patient):
    """A cluster that somebody else runs. Whatever would change it raises `FaultImpossible`."""

    def __init__(self, external: ExternalCluster) -> None:
        self.external = external
        self._prepare(external.address, external.namespace, external.load, {"members": []})

    def environment(self) -> dict[str, str]:
        """`DEVSERVER_PATIENT`, JSON with `address` and `namespace`: no way to its members."""
        return {VARIABLE: json.dumps({"address": self.external.address, "namespace": self.external.namespace})}

    async def ask(self, kind: str, member: str, **facts: Any) -> dict[str, Any]:
        """It is not ours to change."""
        self._refuse()

    def write_dynamic_config(self, text: str) -> None:
        """It is not ours to change."""
        self._refuse()

    def connect(self, database: str) -> PostgresConnection:
        """Its database is not ours to change."""
        self._refuse()

    async def database(self, act: Callable[[Patient], None]) -> None:
        """Its database is not ours to change."""
        self._refuse()

    def take_connections(self) -> None:
        """Its database is not ours to change."""
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise FaultImpossible(f"the patient is {self.external}")

    async def _follow(self, on_line: OnLine) -> None:
        """It has no members whose state and logs we see."""

    def record(self, began: float) -> PatientRecord:
        """What is known so far."""
        return self._record(began, str(self.external), {})

    async def _canary(self) -> str | None:
        """Why its frontend does not answer, or with a workload, why a workflow does not run."""
        if self._load is not None:
            return await self._load.canary(CANARY_SECONDS)
        try:
            client = await ServiceClient.connect(ConnectConfig(target_host=self.external.address, lazy=True))
            serves = await asyncio.wait_for(
                client.check_health(timeout=timedelta(seconds=LOOK_SECONDS)), LOOK_SECONDS + 1
            )
        except (RPCError, RuntimeError, asyncio.TimeoutError) as error:
            return f"its frontend does not answer: {error!r}"
        return None if serves else "its frontend does not serve"
