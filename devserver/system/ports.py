"""Ports: chosen, reserved until the server has them, and who holds a taken one."""

from __future__ import annotations

import errno
import socket
from types import TracebackType

from ..errors import PortTaken, StartFailed

ANY = 0


class Reservation:
    """A port of `host` that no other process is given until `release`.

    The socket is bound but does not listen, and it allows reuse, so the server can bind the same port while we
    still hold it: between choosing a port and the server's listening no one else gets it.
    """

    def __init__(self, host: str, port: int) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        try:
            # For a given port, reuse is set first (connections in TIME_WAIT do not count); for any port it is set
            # after, else the kernel may hand out a port that is already reserved.
            if port != ANY:
                self._allow_reuse()
            self._socket.bind((host, port))
            self._allow_reuse()
        except OSError:
            self._socket.close()
            raise
        self.port: int = self._socket.getsockname()[1]

    def _allow_reuse(self) -> None:
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)

    def release(self) -> None:
        """Give the port free."""
        self._socket.close()


def reserve(host: str, port: int, option: str) -> Reservation:
    """Reserve `port` (`ANY` for a free one).

    Raises:
        PortTaken: Someone listens there; names the process, and `option` as the way out.
        StartFailed: The address is not this machine's, or the port is not ours to take.
    """
    try:
        return Reservation(host, port)
    except OSError as error:
        raise _refused(host, port, option, error) from error


def reserve_preferred(host: str, preferred: int | None) -> Reservation:
    """Reserve `preferred` if it is free, any free port otherwise."""
    if preferred:
        try:
            return Reservation(host, preferred)
        except OSError:
            pass
    return reserve(host, ANY, "--bind")


class Reservations:
    """The ports of one server, kept from others until `release` or the end of the block."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._taken: list[Reservation] = []

    def take(self, wanted: int | None, preferred: int | None, option: str) -> int:
        """Reserve `wanted` (`ANY` for a free one), or where that is None `preferred` if it is free.

        Raises:
            PortTaken, StartFailed: As `reserve`.
        """
        if wanted is None:
            reservation = reserve_preferred(self._host, preferred)
        else:
            reservation = reserve(self._host, wanted, option)
        self._taken.append(reservation)
        return reservation.port

    def release(self) -> None:
        """Give the ports free: the server listens now, or never will."""
        while self._taken:
            self._taken.pop().release()

    def __enter__(self) -> Reservations:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def taken(
    host: str,
    port: int,
    option: str,
    reason: str = "Address already in use",
    kind: type[PortTaken] = PortTaken,
) -> PortTaken:
    """The error for a port that someone has."""
    who = holder(port)
    return kind(
        f"cannot listen on {host}:{port}: {reason}",
        details=[f"held by {who}"] if who else ["the system does not say which process holds it"],
        hint=f"stop that process, or choose another port with {option} (0 takes any free one)",
    )


def _refused(host: str, port: int, option: str, error: OSError) -> StartFailed:
    reason = error.strerror or str(error)
    if error.errno == errno.EADDRINUSE and port != ANY:
        return taken(host, port, option, reason)
    if error.errno == errno.EADDRNOTAVAIL:
        return StartFailed(
            f"cannot listen on {host}: {reason}",
            hint="--bind takes an address of this machine, or 0.0.0.0 for all of them",
        )
    return StartFailed(
        f"cannot listen on {host}:{port}: {reason}",
        hint=f"choose another port with {option} (0 takes any free one; those below 1024 are the system's)",
    )


def holder(port: int) -> str | None:
    """Name, pid and command line of the process that listens on `port`, where the system tells."""
    import psutil

    try:
        connections = psutil.net_connections("tcp")
    except psutil.AccessDenied:
        connections = []
    for connection in connections:
        address = connection.laddr
        if connection.status == psutil.CONN_LISTEN and address and address.port == port and connection.pid:
            return describe(connection.pid)
    return None


def describe(pid: int) -> str:
    """`name (pid N): command line`, shortened."""
    import psutil

    try:
        process = psutil.Process(pid)
        command = " ".join(process.cmdline())
        return f"{process.name()} (pid {pid}): {command[:160]}"
    except psutil.Error:
        return f"pid {pid}"


def is_loopback(host: str) -> bool:
    """Whether a name or an address is this machine's: no proxy is to be asked for it."""
    import ipaddress

    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
