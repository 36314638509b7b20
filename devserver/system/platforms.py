"""Platforms: the operating system and processor that an executable is built for."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass

from ..errors import UnsupportedPlatform

_SYSTEMS = {"linux": "linux", "darwin": "darwin", "win32": "windows", "cygwin": "windows"}
_MACHINES = {
    "x86_64": "amd64",
    "amd64": "amd64",
    "x64": "amd64",
    "aarch64": "arm64",
    "arm64": "arm64",
}
_PIP_TAGS = {
    "linux-amd64": ("manylinux2014_x86_64", "musllinux_1_1_x86_64"),
    "linux-arm64": ("manylinux2014_aarch64", "musllinux_1_1_aarch64"),
    "darwin-amd64": ("macosx_11_0_x86_64",),
    "darwin-arm64": ("macosx_11_0_arm64",),
}


@dataclass(frozen=True)
class Platform:
    """An operating system and a processor, as the official download service spells them.

    Attributes:
        os: `linux`, `darwin` or `windows`.
        arch: `amd64` or `arm64`.
    """

    os: str
    arch: str

    @property
    def key(self) -> str:
        """The platform's name in tables and folders, such as `linux-amd64`."""
        return f"{self.os}-{self.arch}"

    @property
    def executable(self) -> str:
        """The executable's file name."""
        return "temporal.exe" if self.os == "windows" else "temporal"

    @property
    def pip_tags(self) -> tuple[str, ...]:
        """The values for pip's `--platform`; empty where there is no wheel (Windows)."""
        return _PIP_TAGS.get(self.key, ())

    @classmethod
    def from_key(cls, key: str) -> Platform:
        """The platform with that `key`."""
        system, _, arch = key.partition("-")
        return cls(system, arch)


def platform_of(system: str, machine: str) -> Platform:
    """The platform for the names that a machine gives itself (`sys.platform`, `uname -m`).

    Raises:
        UnsupportedPlatform: Temporal publishes no executable for it.
    """
    ours, arch = _SYSTEMS.get(system.lower()), _MACHINES.get(machine.lower())
    if ours is None or arch is None:
        raise UnsupportedPlatform(
            f"there is no Temporal executable for {system} on {machine}",
            details=["executables exist for Linux, macOS and Windows on x86_64 and arm64"],
            hint="build the Temporal CLI with Go and pass it with --binary PATH",
        )
    return Platform(ours, arch)


def current() -> Platform:
    """The platform of this machine.

    Raises:
        UnsupportedPlatform: Temporal publishes no executable for it.
    """
    return platform_of(sys.platform, _machine())


def _machine() -> str:
    if hasattr(os, "uname"):
        return os.uname().machine
    import platform

    return platform.machine()
