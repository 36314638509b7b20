"""The build id of a worker without Worker Versioning."""

from __future__ import annotations

from pathlib import Path

from devserver.introspection.build_id import build_id


def test_a_build_id_is_that_of_the_code(tmp_path: Path) -> None:
    """The same code has the same build id wherever it is, and changed code has another; a deleted file is no error."""
    for folder in ("here", "there"):
        (tmp_path / folder).mkdir()
        for name in ("a.py", "b.py"):
            (tmp_path / folder / name).write_text(name)
    here, there = ([str(file) for file in (tmp_path / folder).iterdir()] for folder in ("here", "there"))
    assert build_id(here) == build_id(reversed(there))
    (tmp_path / "there" / "b.py").write_text("changed")
    assert build_id(here) != build_id(there)
    (tmp_path / "there" / "b.py").unlink()
    assert build_id(there) == build_id([there[0] if there[0].endswith("a.py") else there[1]])
