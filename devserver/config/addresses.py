"""The addresses that a server listens on: loopback, unless the user lets other machines reach it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import OptionError

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address

LOOPBACK = "127.0.0.1"


def check_addresses(bind: str, ui_address: str, *, allow_remote: bool) -> None:
    """Check the addresses of the server and of its Web UI.

    Raises:
        OptionError: One is no address, cannot be served, or would let others reach the server.
    """
    if bind != LOOPBACK and not _ip_address(bind, "--ip").is_unspecified:
        # With 1.9.1 the server listens there, but its services look for each other on 127.0.0.1, so it serves nothing.
        raise OptionError(
            f"--ip {bind}: Temporal's dev server works on {LOOPBACK} or on all addresses, "
            "not on another single address",
            hint="use --ip 0.0.0.0 --allow-remote (:: with IPv6) and let a firewall choose who may connect",
        )
    for option, address in (("--ip", bind), ("--ui-ip", ui_address)):
        if address != LOOPBACK and not _ip_address(address, option).is_loopback and not allow_remote:
            raise OptionError(
                f"{option} {address} opens the server to the network",
                details=[
                    "a dev server has no authentication: everyone who can reach it can read and change everything"
                ],
                hint="add --allow-remote if that is what you want",
            )


def _ip_address(text: str, option: str) -> IPv4Address | IPv6Address:
    import ipaddress

    try:
        return ipaddress.ip_address(text)
    except ValueError as error:
        raise OptionError(
            f"{option} {text!r} is not an IP address",
            hint=f"for example {option} 0.0.0.0 --allow-remote; without it the server listens on loopback only",
        ) from error
