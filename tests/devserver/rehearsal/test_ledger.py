"""The ledger of side effects, with several writing processes, some of them killed."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from devserver.rehearsal import ledger

WRITERS, EACH = 4, 200
WRITE = f"from devserver.rehearsal import ledger; [ledger.effect('add', n) for n in range({EACH})]"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty ledger, which `effect` writes to."""
    file = tmp_path / "ledger.jsonl"
    ledger.create(file)
    monkeypatch.setenv(ledger.FILE, str(file))
    return file


def test_processes_that_write_at_once(file: Path) -> None:
    """Nothing is lost or mixed, and entries of one process are in order."""
    writers = [subprocess.Popen([sys.executable, "-c", WRITE]) for _ in range(WRITERS)]
    assert [writer.wait(60) for writer in writers] == [0] * WRITERS
    found = ledger.read(file)
    assert len(found) == WRITERS * EACH
    for writer in writers:
        assert [effect.key for effect in found if effect.pid == writer.pid] == [str(n) for n in range(EACH)]


def test_an_effect_that_a_full_disk_has_cut(file: Path) -> None:
    """It is an error for the writer, is ignored by readers, and does not damage later entries."""
    ledger.effect("before", when=Path("/tmp"))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (file.stat().st_size + 20, limits[1]))
    try:
        with pytest.raises(OSError, match="No space left"):
            ledger.effect("cut")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    ledger.effect("after", 7)
    assert [(effect.name, effect.key, effect.detail) for effect in ledger.read(file)] == [
        ("before", "", {"when": "/tmp"}),
        ("after", "7", {}),
    ]
    assert [effect.name for effect in ledger.read(file, after=1)] == ["after"]
    assert file.stat().st_mode & 0o777 == 0o600
