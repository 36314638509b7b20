"""Errors: their messages, and that each can cross a process and come back as itself."""

from __future__ import annotations

import importlib
import json
import pickle
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest
from temporalio.exceptions import TemporalError

import devserver
import temporaltest
from devserver import errors
from devserver.errors import PACKAGES, DevServerError, OptionError, PortTaken
from temporaltest.errors import TemporalTestError
from tests.helpers.checkout import ROOT

# Prints the class and exit code of an error that arrives as JSON on stdin.
RECEIVES = """
import json, sys
from devserver.errors import DevServerError
error = DevServerError.from_json(json.load(sys.stdin))
print(type(error).__module__, type(error).__name__, error.exit_code)
"""


def subclasses(base: type[Exception]) -> Iterator[type[Exception]]:
    """Return a class and all its subclasses in our packages."""
    if base.__module__.partition(".")[0] in PACKAGES:
        yield base
    for subclass in base.__subclasses__():
        yield from subclasses(subclass)


def import_everything() -> None:
    """Import every module of both packages, so that all error classes are defined."""
    for package in (devserver, temporaltest):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)


@pytest.fixture(scope="module")
def all_errors() -> list[type[DevServerError]]:
    """Return every error class of the distribution, except subclasses of Temporal's failures, which are serialized
    by the SDK."""
    import_everything()
    found = [case for case in subclasses(DevServerError) if issubclass(case, DevServerError)]
    return [case for case in found if not issubclass(case, TemporalError)]


def test_every_error_survives_pickling_and_json(all_errors: list[type[DevServerError]]) -> None:
    """xdist and process pools pickle errors, and a supervisor writes them as JSON: nothing is lost."""
    assert len(all_errors) > 60
    for case in all_errors:
        error = case("what happened", details=["found", "this"], hint="do that")
        copies = pickle.loads(pickle.dumps(error)), DevServerError.from_json(json.loads(json.dumps(error.to_json())))
        for copy in copies:
            assert type(copy) is case
            assert (copy.message, copy.details, copy.hint) == ("what happened", ("found", "this"), "do that")
            assert copy.exit_code == case.exit_code
            assert str(copy) == "what happened\n  found\n  this\nhint: do that"


def test_errors_of_the_plugin_survive_pickling() -> None:
    """xdist sends errors from its workers."""
    import_everything()
    for case in subclasses(TemporalTestError):
        copy = pickle.loads(pickle.dumps(case("what happened")))
        assert (type(copy), str(copy)) == (case, "what happened")


def test_every_error_has_a_docstring_and_an_exit_code(all_errors: list[type[DevServerError]]) -> None:
    """The docstring explains the error; wrong usage has exit code 2."""
    for case in all_errors:
        assert case.__doc__
        assert case.exit_code == 2 or not issubclass(case, OptionError)


def test_an_error_is_restored_where_its_module_is_not_imported() -> None:
    """The receiving process imports the module of the class, and so has its exit code."""
    from devserver.rehearsal.errors import ScenarioInvalid

    data = json.dumps(ScenarioInvalid("no such fault").to_json())
    done = subprocess.run([sys.executable, "-c", RECEIVES], input=data, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["devserver.rehearsal.errors", "ScenarioInvalid", "2"]


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("devserver.errors", "FluxCapacitorEmpty"),
        ("devserver.errors", "Sequence"),
        ("devserver.no_such_module", "StartFailed"),
        ("json", "JSONDecodeError"),
        ("", ""),
    ],
)
def test_an_unknown_error_is_the_base_class(module: str, name: str) -> None:
    """An unknown class, and the name of something else, come back as DevServerError."""
    error = DevServerError.from_json({"error": name, "module": module, "message": "m"})
    assert (type(error), str(error)) == (DevServerError, "m")


def test_base_classes() -> None:
    """A port in use is a failed start, and both are DevServerErrors."""
    assert issubclass(PortTaken, errors.StartFailed)
    assert issubclass(errors.DatabaseTooNew, errors.DatabaseError)
    assert issubclass(errors.ConfigFileError, OptionError)


def test_every_error_class_has_a_section_in_the_docs() -> None:
    """The page of errors has a section for each class, with what to do, and its exit code if it is not 1."""
    import_everything()
    page = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"(?ms)^### (\w+)$(.*?)(?=^##|\Z)", page))
    classes = {case.__name__: case for base in (DevServerError, TemporalTestError) for case in subclasses(base)}
    assert sections.keys() == classes.keys()
    assert [name for name, text in sections.items() if "\n**What to do.** " not in text] == []
    codes = {name: str(getattr(case, "exit_code", 1)) for name, case in classes.items()}
    shown = {name: "".join(re.findall(r"Exit code (\d+)\.", text)) or "1" for name, text in sections.items()}
    assert shown == codes
