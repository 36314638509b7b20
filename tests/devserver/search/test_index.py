"""The index of closed runs: consistent, limited in size, separate for each server, and never a cause of failures."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

from devserver.errors import OptionError
from devserver.search import Attempts, SearchQuery, event_name, event_number, schema, status_named
from devserver.search.event_readings import READINGS
from devserver.search.failure_texts import IndexedFailure
from devserver.search.index import MIB, Index, RunFacts
from devserver.search.index_store import FILE, IndexStore
from devserver.search.indexed_step import IndexedStep

HERE = ("cluster", "namespace")
CHARGE = SearchQuery(activity="charge")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of the index."""
    return tmp_path / "index"


@pytest.fixture
def shelf(folder: Path) -> Iterator[IndexStore]:
    """An open index."""
    shelf = IndexStore(folder)
    shelf.open(*HERE)
    assert shelf.notes == []
    yield shelf
    shelf.close()


def facts(name: str, closed_at: int = 1, events: int = 10) -> RunFacts:
    """Return a run that closed at this time."""
    return RunFacts(f"id-{name}", name, "Order", 2, closed_at, events)


def steps(*failures: str, count: int = 1, name: str = "charge") -> list[IndexedStep]:
    """Return charges that failed with these messages, or `count` successful ones."""
    outcomes: list[IndexedFailure | None] = [
        IndexedFailure(failure.splitlines()[0], failure) for failure in failures
    ] or [None] * count
    return [
        IndexedStep(
            number * 3 + 1, schema.ACTIVITY, name, "", 10, number, closed_at=number, closed_type=13, failure=failure
        )
        for number, failure in enumerate(outcomes)
    ]


def found(shelf: IndexStore, query: SearchQuery = CHARGE, *runs: RunFacts) -> int:
    """Return the number of stored steps that match."""
    numbers = list(shelf.known(runs).values())
    return shelf.ask(lambda index: len(index.find(query, numbers, 1000)), 0)


def test_the_index_is_private(shelf: IndexStore, folder: Path) -> None:
    """It contains messages of failures, so no other user can read it."""
    shelf.add(facts("a"), steps("secret"))
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}


def test_a_changed_run_replaces_the_stored_one(shelf: IndexStore) -> None:
    """After a restored snapshot the same run may end differently; nothing of the old one is left."""
    old, new, other = facts("a", closed_at=5), facts("a", closed_at=6), facts("b")
    shelf.add(old, steps("old", "shared"))
    shelf.add(other, steps("shared"))
    assert (found(shelf, CHARGE, old), found(shelf, CHARGE, new)) == (2, 0)
    shelf.add(new, steps("new", "new"))
    assert (found(shelf, CHARGE, old), found(shelf, CHARGE, new)) == (0, 2)
    assert found(shelf, SearchQuery(failure="old"), new) == 0
    assert found(shelf, SearchQuery(failure="shared"), other) == 1, "others have failed so, too"


def test_every_server_and_namespace_has_its_own_index(shelf: IndexStore, folder: Path) -> None:
    """A reset server is another server, so old results do not appear."""
    shelf.add(facts("a"), steps())
    for elsewhere in (("cluster after the reset", "namespace"), ("cluster", "other")):
        other = IndexStore(folder)
        other.open(*elsewhere)
        assert found(other, CHARGE, facts("a")) == 0
        other.close()
    shelf.open(*HERE, rebuild=True)
    assert found(shelf, CHARGE, facts("a")) == 0


def test_a_run_is_stored_completely_or_not_at_all(shelf: IndexStore) -> None:
    """An error or Ctrl-C during a write leaves the index as it was before."""
    shelf.add(facts("whole"), steps("the same"))

    class Interrupted(Sequence[IndexedStep]):
        def __len__(self) -> int:
            return 2

        def __getitem__(self, item: object) -> IndexedStep:  # type: ignore[override]
            raise KeyboardInterrupt

        def __iter__(self) -> Iterator[IndexedStep]:
            yield from steps("the same", "new", name="new")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        shelf.add(facts("half"), Interrupted())
    assert found(shelf, CHARGE, facts("half")) == 0
    shelf.add(facts("after"), steps("new", name="new"))
    assert found(shelf, SearchQuery(failure="the same"), facts("whole"), facts("after")) == 1
    assert found(shelf, SearchQuery(failure="new", activity="new"), facts("whole"), facts("after")) == 1


def test_two_searches_at_once(shelf: IndexStore, folder: Path) -> None:
    """Two searches write the same runs into the same file, one after the other."""
    other = IndexStore(folder)
    other.open(*HERE)
    runs = [facts(str(number)) for number in range(20)]
    for first, second in zip(runs, reversed(runs), strict=True):
        assert shelf.add(first, steps("the same", "mine"))
        assert other.add(second, steps("the same", "mine"))
    assert found(shelf, CHARGE, *runs) == found(other, CHARGE, *runs) == 40
    assert (shelf.notes, other.notes) == ([], [])
    other.close()


def test_the_index_has_a_size_limit(folder: Path) -> None:
    """When it is full, other servers' runs are removed first, then the oldest; older runs are not added."""
    shelf = IndexStore(folder, MIB)
    shelf.open("another cluster", "namespace")
    foreign = facts("foreign", closed_at=10**9)
    shelf.add(foreign, steps(*(f"foreign {number}" * 50 for number in range(50))))

    def abroad() -> int:
        other = IndexStore(folder, MIB)
        other.open("another cluster", "namespace")
        try:
            return found(other, CHARGE, foreign)
        finally:
            other.close()

    shelf.open(*HERE)
    runs = [facts(f"run-{number}", closed_at=1000 + number) for number in range(60)]
    for run in runs:
        assert shelf.add(run, steps(*(f"{run.run_id} failed with {number}" * 5 for number in range(50))))
        assert shelf.ask(lambda index: index.used_bytes, 0) < 1.2 * MIB
        gone = len(shelf.known(runs[: runs.index(run) + 1])) <= runs.index(run)
        assert not gone or abroad() == 0, "another server's run goes before the first of ours"
    known = shelf.known(runs)
    assert abroad() == 0
    assert len(known) > 10
    assert "run-0" not in known
    assert "run-59" in known
    assert list(known) == [run.run_id for run in runs][-len(known) :], "the newest are there"
    assert found(shelf, SearchQuery(failure="run-0 failed"), *runs) == 0
    older = [facts(f"older-{number}", closed_at=999 - number) for number in range(60)]
    added = [shelf.add(run, steps(*(f"{run.run_id} {number}" * 50 for number in range(50)))) for run in older]
    assert None in added
    assert list(shelf.known(runs)) == list(known), "what is older than all puts nothing out"
    shelf.close()
    assert sum(file.stat().st_size for file in folder.iterdir()) < 3 * MIB


def damage(path: Path) -> None:
    """Damage the file as a disk fault does."""
    path.write_bytes(b"this is no database" * 1000)


def cut(path: Path) -> None:
    """Truncate the file."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def from_the_past(path: Path) -> None:
    """Write the version of an older devserver."""
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = -1")
    connection.close()


def from_the_future(path: Path) -> None:
    """Write the version of a newer devserver."""
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    connection.close()


def foreign(path: Path) -> None:
    """Put a folder in its place."""
    path.unlink()
    path.mkdir()


def locked_out(path: Path) -> None:
    """Let others write to the folder."""
    path.parent.chmod(0o777)


@pytest.mark.parametrize(
    ("harm", "note", "works"),
    [
        (damage, "cannot be read (file is not a database) and is rebuilt", True),
        (cut, "cannot be read (database disk image is malformed) and is rebuilt", True),
        (from_the_past, "cannot be read (an older devserver's) and is rebuilt", True),
        (from_the_future, "was written by a newer devserver", False),
        (foreign, "unable to open database file", False),
        (locked_out, "other users may write to ", False),
    ],
)
def test_an_unusable_index(folder: Path, harm: Callable[[Path], None], note: str, works: bool) -> None:
    """It is rebuilt, or the search works without it; a note says so, and nothing fails."""
    shelf = IndexStore(folder)
    shelf.open(*HERE)
    for number in range(50):
        shelf.add(facts(str(number)), steps(f"{number} " * 500))
    shelf.close()
    harm(folder / FILE)
    shelf = IndexStore(folder)
    shelf.open(*HERE)
    runs = [facts(str(number)) for number in range(50)]
    assert found(shelf, SearchQuery(failure="7"), *runs) == 0
    assert note in "\n".join(shelf.notes)
    shelf.open(*HERE)
    assert (shelf.add(facts("new"), steps("7")) is not None) == works
    assert found(shelf, SearchQuery(failure="7"), facts("new")) == int(works)
    shelf.close()


def test_an_index_in_use(shelf: IndexStore, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The search waits for some seconds and then works without the index."""
    monkeypatch.setattr("devserver.search.index_store.BUSY_SECONDS", 0.05)
    other = IndexStore(folder)
    other.open(*HERE)
    holder = sqlite3.connect(folder / FILE, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    assert other.add(facts("a"), steps()) is None
    assert "database is locked" in other.notes[0]
    assert other.known([facts("a")]) == {}
    holder.close()
    assert shelf.add(facts("a"), steps()) is not None


def test_text_search_without_trigrams(monkeypatch: pytest.MonkeyPatch) -> None:
    """An SQLite without trigrams gives the same results."""
    texts = ["card_declined 402", "cardXdeclined 402", "17.5% off", "a\\b", 'say "no"', "Überfall", "it's", "x"]
    asked = ["card_declined", "CARD", "402", "%", "5%", "_", "\\", "a\\b", '"no"', "überfall", "Über", "'s", "x", "zz"]
    answers = []
    for statement in (schema._TRIGRAMS, "CREATE VIRTUAL TABLE texts USING no_such_module (text)"):
        monkeypatch.setattr(schema, "_TRIGRAMS", statement)
        index = Index.in_memory()
        number = index.add(0, facts("a"), steps(*texts)) or 0
        answers.append(
            {text: {row[18] for row in index.find(SearchQuery(failure=text), [number], 100)} for text in asked}
        )
        index.close()
    assert answers[0] == answers[1]
    assert answers[0]["card_declined"] == {"card_declined 402"}
    assert answers[0]["CARD"] == {"card_declined 402", "cardXdeclined 402"}
    assert answers[0]["5%"] == answers[0]["%"] == {"17.5% off"}
    assert answers[0]["zz"] == set()


def test_every_event_type_is_indexed() -> None:
    """The attributes of every event type are read correctly."""
    for name, number in EventType.items():
        if number:
            assert READINGS[number].field in HistoryEvent.DESCRIPTOR.fields_by_name, name


@pytest.mark.parametrize(
    "text",
    ["ActivityTaskFailed", "activity_task_failed", "EVENT_TYPE_ACTIVITY_TASK_FAILED", "activity task failed", "13"],
)
def test_spellings_of_event_types(text: str) -> None:
    """The spellings of the API, of the SDKs and of people are accepted."""
    assert event_name(event_number(text)) == "ActivityTaskFailed"


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("ActivityTaskFaild", "did you mean ActivityTaskFailed"),
        ("fired", "did you mean TimerFired"),
        ("?", "all event types: https://docs.temporal.io/references/events"),
    ],
)
def test_an_unknown_event_type(text: str, hint: str) -> None:
    """The error names the nearest ones."""
    with pytest.raises(OptionError) as error:
        event_number(text)
    assert (error.value.hint or "").startswith(hint)


def test_conditions_as_text() -> None:
    """Attempts and statuses parse as people write them; invalid ones are refused."""
    assert [Attempts.parse(text) for text in ("3", ">=3", "3+", " < 2 ", "==4")] == [
        Attempts("=", 3),
        Attempts(">=", 3),
        Attempts(">=", 3),
        Attempts("<", 2),
        Attempts("=", 4),
    ]
    assert [status_named(text) for text in ("failed", "TIMED_OUT", "timed-out", "cancelled", "ContinuedAsNew")] == [
        "Failed",
        "TimedOut",
        "TimedOut",
        "Canceled",
        "ContinuedAsNew",
    ]
    for wrong in ("", "many", ">3+", "-1", "=<3"):
        with pytest.raises(OptionError):
            Attempts.parse(wrong)
    with pytest.raises(OptionError, match="unknown status broken"):
        status_named("broken")
    for wrong in ("", "x" * 100_000):
        with pytest.raises(OptionError, match=r"empty failure|failure of 100,000 letters is too long"):
            SearchQuery(failure=wrong)
