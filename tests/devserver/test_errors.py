"""Errors: what they say, and that they survive the ways they are sent."""

from __future__ import annotations

import inspect
import json
import pickle

import pytest

from devserver import errors
from devserver.errors import DevServerError, OptionError, PortTaken

CASES = [
    value
    for _, value in inspect.getmembers(errors, inspect.isclass)
    if issubclass(value, DevServerError) and value.__module__ == errors.__name__
]


@pytest.mark.parametrize("case", CASES)
def test_errors_survive_pickling_and_json(case: type[DevServerError]) -> None:
    """xdist and process pools pickle them, a supervisor writes them as JSON: nothing is lost on the way."""
    error = case("what happened", details=["found", "this"], hint="do that")
    for copy in (
        pickle.loads(pickle.dumps(error)),
        DevServerError.from_json(json.loads(json.dumps(error.to_json()))),
    ):
        assert type(copy) is case
        assert (copy.message, copy.details, copy.hint) == (error.message, error.details, error.hint)
        assert str(copy) == str(error) == "what happened\n  found\n  this\nhint: do that"


@pytest.mark.parametrize("case", CASES)
def test_every_case_says_what_it_is_and_how_to_exit(case: type[DevServerError]) -> None:
    """A docstring for whoever catches it; 2 for wrong usage, else 1."""
    assert case.__doc__
    assert case.exit_code == (2 if issubclass(case, OptionError) else 4 if case is errors.CannotAsk else 1)


def test_an_error_of_a_newer_version_is_still_an_error() -> None:
    """An unknown class, or the name of something else, comes back as the base class."""
    for name in ("FluxCapacitorEmpty", "Sequence", "json", ""):
        error = DevServerError.from_json({"error": name, "message": "m"})
        assert (type(error), str(error)) == (DevServerError, "m")


def test_kinds_can_be_caught_together() -> None:
    """A taken port is a failed start, and both are ours."""
    assert issubclass(PortTaken, errors.StartFailed)
    assert issubclass(errors.DatabaseTooNew, errors.DatabaseError)
    assert issubclass(errors.ConfigFileError, OptionError)
