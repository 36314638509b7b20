"""Where an option of the plugin was set, its value there, and the backend that the options choose together."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from .options import Option

if TYPE_CHECKING:
    import pytest

USER_INFO = r"(?<=://).*(?=@)"


class PlacedValue(NamedTuple):
    """The value of an option, and where it was set: 0 on the command line, 1 in the environment, 2 in the ini file."""

    rank: int
    value: Any


def placed_value(config: pytest.Config, option: Option, environ: Mapping[str, str]) -> PlacedValue | None:
    """The value of an option from the place that overrides the others; None where it is not set."""
    import pytest

    here = config.invocation_params.dir
    places = (
        (option.flag, config.getoption(option.ini), here),
        (option.variable, environ.get(option.variable), here),
        (f"{option.ini} in {config.inipath}", config.getini(option.ini), config.rootpath),
    )
    for rank, (place, text, folder) in enumerate(places):
        if text in (None, "", []):
            continue
        text = "\n".join(text) if isinstance(text, list) else text
        try:
            value = option.parse(str(text))
        except ValueError as error:
            import re

            shown = re.sub(USER_INFO, "***", text)
            raise pytest.UsageError(f"{place}: must be {error}, not {shown!r}") from None
        return PlacedValue(rank, folder / value if isinstance(value, Path) else value)
    return None


# Options that name a server, with the backend that they select.
SELECTING = {"address": "external", "client_profile": "external", "instance": "managed"}


def chosen_backend(settings: Mapping[str, PlacedValue | None], backend: str) -> str:
    """The backend, unless a place that overrides it, or the same one, names a server of another backend.

    Raises:
        pytest.UsageError: One place says two things.
    """
    import pytest

    said = [(setting.rank, key, SELECTING[key]) for key in SELECTING if (setting := settings[key]) is not None]
    if settings["backend"] is not None:
        said.append((settings["backend"].rank, "backend", backend))
    if not said:
        return backend
    first = min(rank for rank, _, _ in said)
    chosen = [(key, selected) for rank, key, selected in said if rank == first]
    for key, selected in chosen:
        for other, conflicting in chosen:
            if conflicting != selected and key != "backend":
                flag = f"--temporal-{key.replace('_', '-')}"
                kind = "an external server" if selected == "external" else "a managed server"
                other_flag = f"--temporal-{other.replace('_', '-')}"
                text = f"{other_flag} is {backend}" if other == "backend" else f"{other_flag} selects another"
                raise pytest.UsageError(f"{flag} selects {kind}, but {text}: remove one of them")
    return chosen[0][1]
