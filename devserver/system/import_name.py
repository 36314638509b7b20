"""Whether the import name `devserver` is ours: the dormant package django-devserver installs modules under it, too."""

from __future__ import annotations

import sys

from ..errors import DevServerError

TYPE_CHECKING = False  # as in devserver/__init__.py
if TYPE_CHECKING:
    from importlib.metadata import Distribution

DISTRIBUTION = "temporal-devserver"
PACKAGE = __name__.partition(".")[0]
OWN_NAME = "lazy_names"  # a name that only our package has
REINSTALL = f"pip install --force-reinstall --no-deps {DISTRIBUTION}"


class NameTaken(DevServerError):
    """Another package has replaced files of the package `devserver`."""


def is_ours() -> bool:
    """Whether the package's `__init__` is ours: the package that is installed last writes it."""
    return hasattr(sys.modules[PACKAGE], OWN_NAME)


def require_ours() -> None:
    """Return if the package's `__init__` is ours.

    Raises:
        NameTaken: It is not; says whose it is and what to do.
    """
    if not is_ours():
        owners = other_owners()
        raise NameTaken(
            f"another package has replaced files of {DISTRIBUTION}: both install a package {PACKAGE}",
            details=[f"{sys.modules[PACKAGE].__file__} belongs to {', '.join(owners) or 'an unknown package'}"],
            hint=way_out(owners),
        )


def way_out(owners: list[str]) -> str:
    """What to do about other packages with our import name."""
    first = f"pip uninstall {' '.join(name.split()[0] for name in owners)}; " if owners else ""
    return f"run: {first}{REINSTALL}; to have both, give them environments of their own"


def other_owners() -> list[str]:
    """The other installed distributions with modules in a package of our name, with their versions."""
    from importlib import metadata  # slow to import

    found = set()
    for distribution in metadata.distributions():
        if _has_modules(distribution):
            name = distribution.metadata["Name"] or ""
            if name.lower().replace("_", "-") != DISTRIBUTION:
                found.add(f"{name} {distribution.version}")
    return sorted(found)


def _has_modules(distribution: Distribution) -> bool:
    """Whether a distribution has our import name; its list of files is read as text, which is much faster."""
    if PACKAGE in (distribution.read_text("top_level.txt") or "").split():
        return True
    return f"\n{PACKAGE}/" in f"\n{distribution.read_text('RECORD') or ''}"
