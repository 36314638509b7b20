"""A cluster that somebody else runs, known by the address of a frontend: it is looked at, never changed."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..config.option_values import check_namespace
from ..errors import OptionError
from .declaration import Load

ADDRESS = re.compile(r"(?P<host>[^\s/:]+|\[[0-9a-fA-F:]+\]):(?P<port>\d{1,5})")


@dataclass(frozen=True)
class ExternalCluster:
    """A cluster as the patient of a rehearsal that has no fault of its own: somebody else breaks it, or nobody.

    Attributes:
        address: HOST:PORT of a frontend, without TLS.
        namespace: The namespace of its workload.
        load: Its workload, which runs in that namespace; None: nothing is started there.

    Raises:
        OptionError: The address is not HOST:PORT, or the namespace is not a name.
    """

    address: str
    namespace: str = "default"
    load: Load | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.address, str) or ADDRESS.fullmatch(self.address) is None:
            raise OptionError(f"{self.address!r} is not the address of a cluster", hint="write it as in 10.0.0.1:7233")
        check_namespace(self.namespace)

    def members(self) -> tuple[str, ...]:
        """Its processes are not ours to name."""
        return ()

    def __str__(self) -> str:
        return f"the cluster at {self.address}, which is only looked at"

    def with_load(self) -> str:
        """The cluster and its workload, in one line."""
        return f"{self}; load: {self.load or 'none'}"
