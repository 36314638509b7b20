"""Ports: chosen, reserved until the server has them, and who holds a taken one."""

from __future__ import annotations

import socket

from .errors import PortTaken

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
    """
    try:
        return Reservation(host, port)
    except OSError as error:
        raise taken(host, port, option, error.strerror or str(error)) from error


def reserve_preferred(host: str, preferred: int | None) -> Reservation:
    """Reserve `preferred` if it is free, any free port otherwise."""
    if preferred:
        try:
            return Reservation(host, preferred)
        except OSError:
            pass
    return reserve(host, ANY, "--bind")


def taken(host: str, port: int, option: str, reason: str = "Address already in use") -> PortTaken:
    """The error for a port that cannot be had."""
    who = holder(port)
    return PortTaken(
        f"cannot listen on {host}:{port}: {reason}",
        details=[f"held by {who}"] if who else [],
        hint=f"stop that process, or choose another port with {option} (0 takes any free one)",
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
