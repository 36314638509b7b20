"""Ephemeral databases: where they are, and when they are removed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from devserver.instances import ephemeral_database
from devserver.system.files import private_folder
from devserver.system.paths import Paths

# Removes an ephemeral database as a supervisor does, and prints the modules that were loaded for it.
REMOVES = """
import sys
from pathlib import Path
import devserver.instances.supervisor
from devserver.instances import ephemeral_database
before = set(sys.modules)
ephemeral_database.remove(Path(sys.argv[1]))
print(*sorted(set(sys.modules) - before))
"""


@pytest.fixture
def database(paths: Paths) -> Path:
    """Return the database of an ephemeral instance."""
    path = ephemeral_database.create_folder(private_folder(paths.instance("shop")))
    path.write_text("")
    return path


def test_a_folder_belongs_to_its_instance(database: Path, paths: Paths) -> None:
    """The folder is found by the state folder that it was created for, and by no other."""
    assert ephemeral_database.existing_folders(paths.instances) == {"shop": [database.parent]}
    assert ephemeral_database.existing_folders(paths.state) == {}
    ephemeral_database.remove(database)
    assert ephemeral_database.existing_folders(paths.instances) == {}


def test_packages_clean_up_before_the_database_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every package with a module `instance_cleanup` is called; a failure stops neither the others nor the removal."""
    packages, database = tmp_path / "packages", tmp_path / f"{ephemeral_database.PREFIX}x" / "temporal.db"
    for name, action in (("broken", "raise RuntimeError"), ("good", "(database.parent.parent / 'seen').touch()")):
        (packages / name).mkdir(parents=True)
        (packages / name / "instance_cleanup.py").write_text(f"def before_removal(database):\n    {action}\n")
    (packages / "none").mkdir()
    monkeypatch.setattr(ephemeral_database, "PACKAGES", packages)
    monkeypatch.setattr("devserver.__path__", [str(packages)])
    database.parent.mkdir()
    (database.parent / ephemeral_database.OWNER).touch()
    ephemeral_database.remove(database)
    assert not (tmp_path / "seen").exists(), "there is no database, so nothing that belongs to it"
    database.parent.mkdir()
    (database.parent / ephemeral_database.OWNER).touch()
    database.touch()
    ephemeral_database.remove(database)
    assert (tmp_path / "seen").exists()
    assert not database.parent.exists()


@pytest.mark.parametrize("name", ["precious", f"{ephemeral_database.PREFIX}x"])
def test_no_other_folder_is_removed(tmp_path: Path, name: str) -> None:
    """A record may be damaged or a stranger's, and name the database of another server or any other file."""
    database = tmp_path / name / "temporal.db"
    database.parent.mkdir()
    database.touch()
    ephemeral_database.remove(database)
    assert database.exists()


def test_removal_without_payloads_loads_little(database: Path) -> None:
    """Without stored payloads, the supervisor imports neither SQLite nor the payloads module."""
    command = [sys.executable, "-S", "-E", "-c", REMOVES, str(database)]
    root = Path(__file__).parents[3]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True, cwd=root).stdout.split()
    assert not database.parent.exists()
    assert "devserver.payloads.instance_cleanup" in loaded
    assert not {"sqlite3", "temporalio", "platformdirs"} & set(loaded)
