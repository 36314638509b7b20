"""Replaces the class methods of `WorkflowEnvironment` for a run of pytest, and puts the SDK's own back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

from temporalio.testing import WorkflowEnvironment

from ..workers.bounded_polls import BoundedPolls
from . import places

if TYPE_CHECKING:
    from temporalio.client import Client

    from .adoption import Adoption

T = TypeVar("T")
Start = Callable[..., Awaitable[WorkflowEnvironment]]

STARTS = ("start_local", "start_time_skipping", "start_time_skipping_v2")
FROM_CLIENT = "from_client"


class Patches:
    """The replaced methods, until `undo`."""

    def __init__(self, adoption: Adoption) -> None:
        self._adoption = adoption
        self._before: dict[str, Any] = {}
        for name in STARTS:
            if hasattr(WorkflowEnvironment, name):  # an older SDK has no start_time_skipping_v2
                self._replace(name, self._start(name, getattr(WorkflowEnvironment, name)))
        self._replace(FROM_CLIENT, self._from_client(WorkflowEnvironment.__dict__[FROM_CLIENT].__func__))

    def undo(self) -> None:
        """Put the SDK's own methods back."""
        for name, method in self._before.items():
            setattr(WorkflowEnvironment, name, method)
        self._before.clear()

    def _replace(self, name: str, method: Any) -> None:
        self._before[name] = WorkflowEnvironment.__dict__[name]
        setattr(WorkflowEnvironment, name, classmethod(method))

    def _start(self, name: str, original: Start) -> Callable[..., Awaitable[WorkflowEnvironment]]:
        adoption = self._adoption

        @wraps(original)
        async def start(cls: type[WorkflowEnvironment], **arguments: Any) -> WorkflowEnvironment:
            place = places.calling_line(adoption.root)
            environment = await adoption.start(name, arguments, place)
            if environment is not None:
                return environment
            own = await original(**arguments)
            adoption.note_own(own)
            return own

        return start

    def _from_client(self, original: Callable[..., Any]) -> Callable[..., Any]:
        adoption = self._adoption

        @wraps(original)
        def from_client(cls: type[WorkflowEnvironment], client: Client) -> WorkflowEnvironment:
            service = client.service_client
            if isinstance(service, BoundedPolls) or adoption.knows(service.config.target_host):
                return original(cls, client)  # type: ignore[no-any-return]
            place = places.calling_line(adoption.root)
            environment = adoption.from_client(client, place)
            return original(cls, client) if environment is None else environment

        return from_client
