"""Ports: choose and reserve them for a server, and find the process that listens on a taken one."""

from __future__ import annotations

import errno
import socket
from types import TracebackType

from ..errors import PortTaken, StartFailed

ANY = 0


class Reservation:
    """A port of `host` that the operating system gives to no other process until `release`.

    The socket is bound with SO_REUSEADDR but does not listen, so the server can bind the same port while we have it:
    no other process gets the port between our choice and the server's listening.
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
        """Free the port."""
        self._socket.close()


def reserve(host: str, port: int, option: str) -> Reservation:
    """Reserve `port` (`ANY` for a free one).

    Args:
        host: The address to listen on.
        port: The port.
        option: The command-line option to name in errors.

    Raises:
        PortTaken: A process listens on the port; the details name it.
        StartFailed: The address is not one of this machine, or the user may not take the port.
    """
    try:
        return Reservation(host, port)
    except OSError as error:
        raise _refused(host, port, option, error) from error


def reserve_preferred(host: str, preferred: int | None) -> Reservation:
    """Reserve `preferred` if it is free, else any free port."""
    if preferred:
        try:
            return Reservation(host, preferred)
        except OSError:
            pass
    return reserve(host, ANY, "--ip")


class Reservations:
    """The ports of one server, reserved until `release` or the end of the block."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._taken: list[Reservation] = []

    def take(self, requested: int | None, preferred: int | None, option: str) -> int:
        """Reserve `requested` (`ANY` for a free one); if that is None, `preferred` if it is free, else any free port.

        Raises:
            PortTaken, StartFailed: As for `reserve`.
        """
        if requested is None:
            reservation = reserve_preferred(self._host, preferred)
        else:
            reservation = reserve(self._host, requested, option)
        self._taken.append(reservation)
        return reservation.port

    def take_below(self, limit: int, preferred: int | None) -> int:
        """Reserve `preferred` if it is free, else any free port from 10000 to below `limit`.

        Raises:
            StartFailed: None was found.
        """
        import random

        candidates = random.sample(range(10_000, limit), 200)
        for port in [preferred, *candidates] if preferred and preferred < limit else candidates:
            try:
                self._taken.append(Reservation(self._host, port))
            except OSError:
                continue
            return port
        raise StartFailed(f"no port from 10000 to {limit - 1} is free on {self._host}")

    def release(self) -> None:
        """Free the ports: the server listens now, or never will."""
        while self._taken:
            self._taken.pop().release()

    def __enter__(self) -> Reservations:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def listen(host: str, port: int, option: str) -> socket.socket:
    """A socket that listens on `port` (`ANY` for a free one) for servers of ours.

    Raises:
        PortTaken, StartFailed: As for `reserve`.
    """
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise _refused(host, port, option, error) from error


def port_taken(
    host: str,
    port: int,
    option: str,
    reason: str = "Address already in use",
    kind: type[PortTaken] = PortTaken,
) -> PortTaken:
    """The error for a port that another process has."""
    process = listener(port)
    return kind(
        f"cannot listen on {host}:{port}: {reason}",
        details=[f"held by {process}" if process else "the system does not say which process holds it"],
        hint=f"stop that process, or choose another port with {option} (0 takes any free one)",
    )


def _refused(host: str, port: int, option: str, error: OSError) -> StartFailed:
    reason = error.strerror or str(error)
    if error.errno == errno.EADDRINUSE and port != ANY:
        return port_taken(host, port, option, reason)
    if error.errno == errno.EADDRNOTAVAIL:
        return StartFailed(
            f"cannot listen on {host}: {reason}",
            hint="--ip takes an address of this machine, or 0.0.0.0 for all addresses",
        )
    return StartFailed(
        f"cannot listen on {host}:{port}: {reason}",
        hint=f"choose another port with {option} (0 takes any free one; ports below 1024 need root)",
    )


def listener(port: int) -> str | None:
    """Name, pid and command line of the process that listens on `port`; None if there is none or it is hidden."""
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
    """`name (pid N): command line`, with at most 160 characters of the command line."""
    import psutil

    try:
        process = psutil.Process(pid)
        command = " ".join(process.cmdline())
        return f"{process.name()} (pid {pid}): {command[:160]}"
    except psutil.Error:
        return f"pid {pid}"


def is_loopback(host: str) -> bool:
    """Whether a host name or address is a loopback address, which needs no proxy."""
    import ipaddress

    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def client_host(bind: str) -> str:
    """Where clients reach a server that listens on `bind`."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(bind, bind)  # noqa: S104 - compared, not bound


def bracketed(host: str) -> str:
    """`host` as it is written before a port."""
    return f"[{host}]" if ":" in host else host
