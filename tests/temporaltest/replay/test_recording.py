"""Histories are recorded into a folder and replayed from it against today's code."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from devserver.replay import Scrubber
from devserver.system.paths import HOME_VARIABLE
from temporaltest.reports import files as names

from ..conftest import ALONE, TWO, Suite

PARTS = """
import asyncio
import uuid
from datetime import timedelta

from temporalio import activity, workflow

SHORT = {"start_to_close_timeout": timedelta(seconds=5)}


@activity.defn
async def pay(amount: int) -> str:
    return "paid"


@workflow.defn
class Child:
    @workflow.run
    async def run(self) -> None:
        pass
"""

WORKFLOWS = (
    PARTS
    + """

@workflow.defn
class Order:
    @workflow.run
    async def run(self, amount: int) -> str:
        if amount > 1:
            workflow.continue_as_new(amount - 1)
        deadline = workflow.now() + timedelta(milliseconds=10)
        while workflow.now() < deadline:
            await asyncio.sleep(0.02)
        await workflow.execute_child_workflow(Child.run, id="child-of-" + workflow.info().workflow_id)
        return await workflow.execute_activity(pay, amount, **SHORT)


@workflow.defn
class Lucky:
    @workflow.run
    async def run(self) -> None:
        for _ in range(16):
            if workflow.random().random() < 0.5:
                await workflow.execute_activity(pay, 1, **SHORT)
            else:
                await asyncio.sleep(0.001)
"""
)

# The same, for tests of many runs, where one step is enough.
SHORT_ORDER = (
    PARTS
    + """

@workflow.defn
class Order:
    @workflow.run
    async def run(self, amount: int) -> str:
        return await workflow.execute_activity(pay, amount, **SHORT)
"""
)

TESTS = """
import uuid

import pytest
from flows import Child, Lucky, Order, pay


@pytest.mark.parametrize("amount", [1, 2])
def test_order(temporal, amount):
    temporal.worker(workflows=[Order, Child], activities=[pay])
    assert temporal.execute(Order.run, amount) == "paid"


def test_own_id(temporal):
    temporal.worker(workflows=[Order, Child], activities=[pay])
    assert temporal.execute(Order.run, 1, id=f"order-{uuid.uuid4()}") == "paid"
"""

FILES = [
    "test_shop.py-test_order-1/child-of-order-1.json",
    "test_shop.py-test_order-1/order-1.json",
    "test_shop.py-test_order-2/child-of-order-1.json",
    "test_shop.py-test_order-2/order-1.2.json",
    "test_shop.py-test_order-2/order-1.json",
]
OWN = [
    "test_shop.py-test_own_id/child-of-order-00000000-0000-4000-8000-000000000001.json",
    "test_shop.py-test_own_id/order-00000000-0000-4000-8000-000000000001.json",
]
RECORD = ("--temporal-record", "histories")
SCRUB = (*RECORD, "--temporal-record-scrub=on")
FROM = ("--temporal-replay-from", "histories")


@pytest.fixture
def shop(suite: Suite) -> Suite:
    """A suite with workflows in a separate module."""
    suite.ini("pythonpath = .")
    suite.file("flows.py", WORKFLOWS)
    suite.file("test_shop.py", TESTS)
    return suite


@pytest.fixture(scope="module")
def recordings() -> dict[str, str]:
    """The recordings of the suite, by name, from the first test that needs them."""
    return {}


@pytest.fixture
def recorded(shop: Suite, recordings: dict[str, str]) -> Suite:
    """A suite whose histories have been recorded."""
    if not recordings:
        shop.passes(*SCRUB, passed=3)
        recordings.update(texts(shop))
    for name, text in recordings.items():
        shop.file(f"histories/{name}", text)
    return shop


def files(suite: Suite) -> list[str]:
    """Return the recordings by name."""
    folder = suite.path / "histories"
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def texts(suite: Suite) -> dict[str, str]:
    """Return the content of the recordings."""
    return {name: (suite.path / "histories" / name).read_text() for name in files(suite)}


def change(suite: Suite, old: str, new: str) -> None:
    """Change the workflows' code."""
    assert old in WORKFLOWS
    suite.file("flows.py", WORKFLOWS.replace(old, new))


def test_scrubbed_recordings_are_stable(shop: Suite) -> None:
    """Recording again, with two workers, changes no byte: times, ids, machines and the order of tests are removed."""
    result = shop.passes(*SCRUB, passed=3, ways=ALONE)
    result.stdout.fnmatch_lines([f"7 histories written to {shop.path / 'histories'}"])
    first = texts(shop)
    assert sorted(first) == sorted([*FILES, *OWN])
    for path in (shop.path / "histories").rglob("*.json"):
        path.unlink()
    result = shop.passes(*SCRUB, passed=3, ways=TWO)
    result.stdout.fnmatch_lines(["7 histories written to *"])
    assert texts(shop) == first
    assert {json.loads(text)["scrubbed"] for text in first.values()} == {"yes"}


def test_content_of_a_recording(shop: Suite) -> None:
    """A recording names its test, its workflow and the code's module, class and file; the history is complete."""
    shop.passes(*RECORD, "-k", "test_order and 1", passed=1)
    recording = json.loads((shop.path / "histories" / FILES[1]).read_text())
    history = recording.pop("history")
    assert recording == {
        "test": "test_shop.py::test_order[1]",
        "workflow_id": "order-1",
        "workflow_type": "Order",
        "module": "flows",
        "qualname": "Order",
        "file": "flows.py",
        "scrubbed": "no",
        "format": 1,
    }
    assert history["events"][0]["taskId"]
    assert history["events"][-1]["eventType"] == "EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED"


def test_random_decisions_are_preserved(shop: Suite) -> None:
    """If a workflow decides at random, the recording keeps the run id that seeds it, and says so."""
    shop.file(
        "test_shop.py",
        """
        from flows import Lucky, pay


        def test_lucky(temporal):
            temporal.worker(workflows=[Lucky], activities=[pay])
            temporal.execute(Lucky.run)
        """,
    )
    shop.passes(*SCRUB, passed=1)
    [text] = texts(shop).values()
    assert json.loads(text)["scrubbed"] == "partly: the workflow decides by its times or ids"
    assert '"taskId"' not in text
    shop.passes(*FROM, passed=1)


def test_failed_tests_are_not_recorded(shop: Suite) -> None:
    """The recording of a failed test is unchanged, and not reported as unused."""
    shop.passes(*SCRUB, passed=3)
    before = texts(shop)
    change(shop, 'return "paid"', 'return "no money"')
    result = shop.run(*SCRUB)
    result.assert_outcomes(failed=3)
    result.stdout.fnmatch_lines(["0 histories written to *"])
    result.stdout.no_fnmatch_line("*longer belong to a test*")
    assert texts(shop) == before


@pytest.mark.parametrize("ways", [ALONE, TWO], ids=["no-xdist", "n2"])
def test_unused_recordings_are_reported(recorded: Suite, ways: tuple[str, ...]) -> None:
    """A complete run names the recordings of removed tests; a run of some tests does not."""
    recorded.file("test_shop.py", TESTS.replace("[1, 2]", "[1]").replace("test_own_id", "test_renamed"))
    result = recorded.run(*SCRUB, "-k", "order", ways=ways)
    result.assert_outcomes(passed=1, deselected=0 if ways == TWO else 1)
    result.stdout.no_fnmatch_line("*longer belong to a test*")
    result = recorded.passes(*SCRUB, passed=2, ways=ways)
    unused = [str(recorded.path / "histories" / name) for name in (*FILES[2:], *OWN)]
    result.stdout.fnmatch_lines(["5 recordings no longer belong to a test; delete them:", *(f"  {n}" for n in unused)])


SCOPES = """
import pytest
from flows import Child, Order, pay
from temporaltest import factories

shop = factories.temporal(scope="SCOPE")


@pytest.fixture(scope="SCOPE", autouse=True)
def prepared(shop):
    shop.worker(workflows=[Order, Child], activities=[pay])
    shop.execute(Order.run, 1)


class TestShop:
    @pytest.mark.parametrize("amount", [1, 2])
    def test_order(self, shop, amount):
        assert shop.execute(Order.run, 1, id=f"own-{amount}") == "paid"
"""
SCOPED = "import pytest\nfrom flows import Order\n\n\n" + "".join(SCOPES.partition("class TestShop")[1:])
NODES = {
    "session": "of_session-shop",
    "package": "of_package-shop",
    "module": "of_module.test_scope.py-shop",
    "class": "of_class.test_scope.py-TestShop-shop",
}
ORDERS = [
    "child-of-order-1.json",
    "child-of-own-1.json",
    "child-of-own-2.json",
    "order-1.json",
    "own-1.json",
    "own-2.json",
]


@pytest.fixture
def scopes(shop: Suite) -> Suite:
    """A suite with a folder for each scope, whose tests share a facade for that scope."""
    (shop.path / "test_shop.py").unlink()
    for scope in NODES:
        shop.file(f"of_{scope}/__init__.py", "")
        shop.file(f"of_{scope}/conftest.py", SCOPES.replace("SCOPE", scope).partition("class TestShop")[0])
        shop.file(f"of_{scope}/test_scope.py", SCOPED)
    return shop


# Of each scope, each of two workers has one of the tests.
APART = """
import pytest

@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    for item in items:
        item.add_marker(pytest.mark.xdist_group(item.callspec.id))
"""


def change_scoped(suite: Suite, old: str, new: str) -> None:
    """Change the tests of every scope."""
    assert old in SCOPED
    for scope in NODES:
        suite.file(f"of_{scope}/test_scope.py", SCOPED.replace("[1, 2]", "[1]").replace(old, new))


def test_a_scope_is_recorded_once(scopes: Suite) -> None:
    """Workflows of a wider scope are recorded once, under its node and fixture, also with xdist, and replay."""
    result = scopes.passes(*SCRUB, passed=8, ways=ALONE)
    result.stdout.fnmatch_lines(["24 histories written to *"])
    first = texts(scopes)
    assert sorted(first) == sorted(f"{node}/{name}" for node in NODES.values() for name in ORDERS)
    owners = {"module": "of_module/test_scope.py", "class": "of_class/test_scope.py::TestShop"}
    for scope, node in NODES.items():
        recording = json.loads(first[f"{node}/own-1.json"])
        assert recording["test"] == owners.get(scope, f"of_{scope}") + "::shop"
        assert recording["scope"] == scope
    for path in (scopes.path / "histories").rglob("*.json"):
        path.unlink()
    scopes.ini("pythonpath = .", "markers = xdist_group")
    scopes.file("conftest.py", APART)
    result = scopes.passes(*SCRUB, "-v", passed=8, ways=(*TWO, "--dist=loadgroup"))
    for scope in NODES:
        result.stdout.fnmatch_lines_random([f"[[]gw{n}[]] * PASSED of_{scope}/*" for n in (0, 1)])
    result.stdout.fnmatch_lines(["24 histories written to *"])
    result.stdout.no_fnmatch_line("*recordings of scopes*")
    assert texts(scopes) == first
    (scopes.path / "conftest.py").unlink()
    scopes.passes(*FROM, passed=24)
    change(scopes, "asyncio.sleep(0.02)", "workflow.execute_activity(pay, 2, **SHORT)")
    result = scopes.run(*FROM)
    result.assert_outcomes(passed=12, failed=12)
    for node in NODES.values():
        result.stdout.fnmatch_lines_random([f"FAILED histories/{node}/order-1.json*"])


def test_unused_recordings_of_a_scope(scopes: Suite) -> None:
    """They are reported if all tests of the scope have run in one process and passed, and not otherwise."""
    scopes.file("flows.py", SHORT_ORDER)
    scopes.file("test_other.py", "def test_other():\n    pass\n")
    scopes.passes(*SCRUB, passed=9)
    change_scoped(scopes, "[1, 2]", "[1]")
    folder = scopes.path / "histories"
    unused = sorted(str(folder / node / "own-2.json") for node in NODES.values())
    head = "4 recordings no longer belong to a test; delete them:"
    nodes = [f"of_{scope}/test_scope.py::TestShop" for scope in NODES]
    for partly in (("-k", "order"), ("test_other.py",), nodes):
        scopes.run(*SCRUB, *partly).stdout.no_fnmatch_line("*longer belong to a test*")
    scopes.passes(*SCRUB, passed=5).stdout.fnmatch_lines([head, *(f"  {name}" for name in unused)])
    for fault in ("pytest.skip()", "assert False"):
        change_scoped(scopes, "assert shop", f"{fault}; shop")
        scopes.run(*SCRUB).stdout.no_fnmatch_line("*longer belong to a test*")
    for scope in NODES:
        scopes.file(f"of_{scope}/conftest.py", "")
        scopes.file(f"of_{scope}/test_scope.py", "def test_plain():\n    pass\n")
    scopes.passes(*SCRUB, passed=5).stdout.fnmatch_lines(["12 recordings no longer belong to a test; delete them:"])


def test_unused_recordings_of_a_partial_run(shop: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run of one file, or in a folder, does not report recordings of other files or of the session."""
    tests = SCOPES.replace("SCOPE", "session").replace(", autouse=True", "")
    shop.file("conftest.py", tests.partition("class TestShop")[0])
    shop.file("test_shop.py", TESTS + "\n\ndef test_session(prepared):\n    pass\n")
    shop.file("other/test_other.py", "def test_other():\n    pass\n")
    shop.passes(*SCRUB, passed=5)
    shop.passes(*SCRUB, "other/test_other.py", passed=1).stdout.no_fnmatch_line("*longer belong to a test*")
    monkeypatch.chdir(shop.path / "other")
    here = ("--temporal-record", "../histories")
    shop.passes(*here, passed=1).stdout.no_fnmatch_line("*longer belong to a test*")
    shop.file("test_shop.py", "")
    shop.passes(*here, passed=1).stdout.no_fnmatch_line("*longer belong to a test*")
    monkeypatch.chdir(shop.path)
    unused = shop.passes(*SCRUB, passed=1)
    unused.stdout.fnmatch_lines(
        ["9 recordings no longer belong to a test; delete them:", "  */histories/shop/order-1.json"]
    )


def test_a_scope_in_two_workers(shop: Suite) -> None:
    """If two xdist workers run different workflows under one name, the run says so, and always records the same one."""
    shop.file(
        "test_shop.py",
        SCOPES.replace("SCOPE", "module")
        .replace('id=f"own-{amount}"', "")
        .replace("run, 1, )", "run, amount)")
        .replace("    shop.execute(Order.run, 1)\n", ""),
    )
    folder = shop.path / "histories" / "test_shop.py-shop"
    shop.passes(*SCRUB, passed=2)
    assert (folder / "order-2.json").exists()
    result = shop.passes(*SCRUB, passed=2, ways=TWO)
    result.stdout.fnmatch_lines(["? recordings have the name of several workflows, *", f"  {folder}/order-1.json"])
    result.stdout.no_fnmatch_line("*longer belong to a test*")
    first = texts(shop)
    shop.passes(*SCRUB, passed=2, ways=TWO)
    assert texts(shop) == first
    result = shop.passes(*SCRUB, "--dist", "loadscope", passed=2, ways=TWO)
    result.stdout.no_fnmatch_line("*have the name of several workflows*")


def test_failed_scopes_are_not_recorded(shop: Suite) -> None:
    """Nothing of a scope is recorded if one of its tests has failed or one of its histories does not replay."""
    tests = SCOPES.replace("SCOPE", "module")
    shop.file("test_shop.py", tests.replace('== "paid"', '== "paid" and amount == 2'))
    shop.run(*RECORD).stdout.fnmatch_lines(["0 histories written to *"])
    change(shop, "asyncio.sleep(0.02)", "asyncio.sleep(uuid.uuid1().int % 2 and 0.01 or 0.02)")
    assert files(shop) == []


def test_two_fixtures_of_a_scope(shop: Suite) -> None:
    """Recordings of two fixtures of one scope, and of a test, are separate."""
    shop.file(
        "test_shop.py",
        """
        from flows import Child, Order, pay
        from temporaltest import factories

        one = factories.temporal(scope="module")
        two = factories.temporal(scope="module")
        own = factories.temporal(scope="function")

        def test_orders(one, two, own, temporal):
            for each in (one, two, own, temporal):
                each.worker(workflows=[Order, Child], activities=[pay])
                each.execute(Order.run, 1)
        """,
    )
    shop.passes(*RECORD, passed=1)
    folders = ["shop.py-one", "shop.py-test_orders", "shop.py-test_orders-own", "shop.py-two"]
    orders = ["child-of-order-1.json", "order-1.json"]
    assert files(shop) == sorted(f"test_{folder}/{name}" for folder in folders for name in orders)


CODED = """
import dataclasses

from temporalio.api.common.v1 import Payload
from temporalio.converter import DataConverter, PayloadCodec


class Reversed(PayloadCodec):
    async def encode(self, payloads):
        return [Payload(metadata={"encoding": b"reversed"}, data=each.SerializeToString()[::-1]) for each in payloads]

    async def decode(self, payloads):
        return [Payload.FromString(each.data[::-1]) for each in payloads]


def options():
    return {"data_converter": dataclasses.replace(DataConverter.default, payload_codec=Reversed())}
"""
ORDERS_CODED = """
import pytest
from codec import options
from flows import Child, Order, pay


def test_order(temporal):
    temporal.worker(workflows=[Order, Child], activities=[pay])
    assert temporal.execute(Order.run, 1) == "paid"
"""
OVERRIDE = """
import pytest
from codec import options


@pytest.fixture(scope="{scope}")
def coded():
    return options()


@pytest.fixture(scope="{scope}")
def temporal_client_options(temporal_client_options, coded):
    return {{**temporal_client_options, **coded}}
"""
UNREADABLE = "*histories/checks.test_coded.py-test_order/order-1.json: *does not replay*"


@pytest.fixture
def coded(shop: Suite) -> Suite:
    """A suite with a folder whose tests have their own codec."""
    (shop.path / "test_shop.py").unlink()
    shop.file("codec.py", CODED)
    shop.file("checks/test_coded.py", ORDERS_CODED)
    shop.file("other/test_plain.py", ORDERS_CODED)
    return shop


def test_client_options_of_a_replay(shop: Suite) -> None:
    """A stored history is replayed with its test's client options, from the folder's conftest or the module."""
    (shop.path / "test_shop.py").unlink()
    shop.file("flows.py", SHORT_ORDER)
    shop.file("codec.py", CODED)
    shop.file("other/test_plain.py", ORDERS_CODED)
    for scope in ("function", "module", "session"):
        override = OVERRIDE.format(scope=scope)
        shop.file(f"conftest_{scope}/conftest.py", override)
        shop.file(f"conftest_{scope}/test_conftest_{scope}.py", ORDERS_CODED)
        shop.file(f"itself_{scope}/test_itself_{scope}.py", override + ORDERS_CODED)
    shop.passes(*RECORD, passed=7)
    for ways in (ALONE, TWO):
        shop.passes(*FROM, passed=7, ways=ways)
        shop.passes(*FROM, ".", passed=14, ways=ways)


def test_client_options_of_a_class_and_a_scope(coded: Suite) -> None:
    """A class's options also apply to histories of its tests and of its fixtures of a wider scope."""
    coded.file(
        "checks/test_coded.py",
        ORDERS_CODED
        + """

from temporaltest import factories

shop = factories.temporal(scope="class")


class TestCoded:
    @pytest.fixture(scope="class")
    @classmethod
    def temporal_client_options(cls):
        return options()

    @pytest.mark.parametrize("name", ["a::b"])
    def test_order(self, temporal, shop, name):
        for each in (temporal, shop):
            each.worker(workflows=[Order, Child], activities=[pay])
            assert each.execute(Order.run, 1) == "paid"
""",
    )
    coded.passes(*RECORD, passed=3)
    coded.passes(*FROM, passed=8)


def test_client_options_of_the_recordings_folder(coded: Suite) -> None:
    """Client options of the recordings' own folder apply to all recordings, instead of those of the tests."""
    coded.file("checks/conftest.py", OVERRIDE.format(scope="session"))
    coded.passes(*RECORD, passed=2)
    coded.file("checks/conftest.py", "import pytest\n\n\n@pytest.fixture\ndef temporal_client_options():\n    1 / 0\n")
    coded.run(*FROM).assert_outcomes(passed=2, errors=2)
    coded.file("histories/conftest.py", OVERRIDE.format(scope="session"))
    coded.run(*FROM, "-k", "coded").assert_outcomes(passed=2, deselected=2)


def test_unavailable_client_options(coded: Suite) -> None:
    """If a history fails to replay and its test is gone or cannot be imported, the error says so, as options may be
    missing."""
    coded.file("checks/test_coded.py", OVERRIDE.format(scope="session") + ORDERS_CODED)
    coded.passes(*RECORD, passed=2)
    coded.file("checks/test_coded.py", "import nothing_like_it")
    result = coded.run(*FROM)
    result.assert_outcomes(passed=3, failed=1)
    note = "(temporal_client_options may differ from the one this was recorded with: checks/test_coded.py "
    result.stdout.fnmatch_lines(
        [UNREADABLE, f"{note}cannot be imported: ModuleNotFoundError: No module named 'nothing_like_it')"]
    )
    (coded.path / "checks" / "test_coded.py").unlink()
    result = coded.run(*FROM)
    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines([f"{note}no longer exists)"])


@pytest.mark.parametrize("ways", [ALONE, TWO], ids=["no-xdist", "n2"])
def test_stored_histories_are_items(recorded: Suite, ways: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """Every stored history passes or fails as its own item, without a server and without the tests that recorded it."""
    monkeypatch.setenv(HOME_VARIABLE, str(recorded.path / "untouched"))
    result = recorded.passes(*FROM, "-v", passed=7, ways=ways)
    result.stdout.fnmatch_lines_random([f"*histories/{name}::replay*" for name in (*FILES, *OWN)])
    change(recorded, "asyncio.sleep(0.02)", "workflow.execute_activity(pay, 2, **SHORT)")
    result = recorded.run(*FROM, ways=ways)
    result.assert_outcomes(passed=4, failed=3)
    result.stdout.fnmatch_lines(
        [
            f"histories/{FILES[1]}: the workflow order-1 (Order) does not replay: *",
            "  nearest event: 5, timer started (1)",
            "  the code was at",
            "    flows.py:* in run: await workflow.execute_activity(pay, 2, **SHORT)",
            "the code changed in a way that does not match its past: *",
        ]
    )
    assert not (recorded.path / "untouched").exists(), "a server was started"


def test_stored_histories_next_to_tests(recorded: Suite) -> None:
    """With paths, or with the folder in the ini file, both histories and tests run."""
    recorded.passes(*FROM, "test_shop.py", passed=10)
    recorded.ini("pythonpath = .", "temporal_replay_from = histories")
    recorded.passes(passed=10)
    recorded.passes("test_shop.py::test_own_id", passed=1)


def test_code_in_test_modules(suite: Suite) -> None:
    """Workflows in test modules of a folder without packages are found when only histories are collected."""
    suite.file("checks/deep/test_deep.py", WORKFLOWS + TESTS.replace("from flows import Child, Lucky, Order, pay", ""))
    suite.passes(*RECORD, passed=3)
    suite.passes(*FROM, passed=7)


def test_nothing_to_replay(suite: Suite) -> None:
    """A missing or empty folder is a usage error, because a replay of nothing proves nothing."""
    result = suite.run("--temporal-replay-from", "nowhere")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --temporal-replay-from: there is no folder *nowhere to replay from; *"])
    (suite.path / "empty").mkdir()
    for ways in (ALONE, TWO):
        result = suite.run("--temporal-replay-from", "empty", ways=ways)
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        result.stderr.fnmatch_lines(["ERROR: --temporal-replay-from: *empty has no recordings (*.json, *.json.gz); *"])


def test_bad_recordings(recorded: Suite) -> None:
    """An unreadable file, a missing class and another class of the same name fail, each with its reason."""
    folder = recorded.path / "histories"
    good = json.loads((folder / FILES[1]).read_text())
    for old in (*FILES, *OWN):
        (folder / old).unlink()
    bad: dict[str, Any] = {
        "a": {**good, "qualname": "Gone"},
        "b": {**good, "module": "nothing_like_it"},
        "c": {**good, "qualname": "Lucky"},
        "d": {**good, "history": {"events": []}},
        "e": {**good, "format": 99},
        "f": good["history"],
        "g": [],
    }
    for name, content in bad.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    (folder / "h.json").write_text('{"half')
    result = recorded.run(*FROM)
    result.assert_outcomes(failed=8)
    result.stdout.fnmatch_lines(
        [
            "histories/a.json has the workflow type 'Order', whose class flows:Gone cannot be imported: Attr*",
            "if it has moved, record again; if it no longer exists, delete the recording",
            "*b.json * whose class nothing_like_it:Order cannot be imported: ModuleNotFoundError: *",
            "*c.json has the workflow type 'Order', which flows:Lucky no longer has",
            "*d.json has no events",
            "*e.json was recorded by a newer version of temporal-devserver",
            "*f.json * does not say where its code is; use --temporal-replay-module MODULE, or *workflows=[[]...[]])",
            "*g.json has no events",
            "*h.json is not JSON: line 1, column 2: *",
        ]
    )
    result.stdout.no_fnmatch_line("*Traceback*")


def test_plain_downloads_replay_against_a_module(recorded: Suite) -> None:
    """Downloads of any form replay against `--temporal-replay-module`; none is skipped, and changed code is found."""
    history = json.loads((recorded.path / "histories" / FILES[1]).read_text())["history"]
    folder = recorded.path / "downloaded"
    folder.mkdir()
    (folder / "a.json").write_text(json.dumps(history))
    (folder / "b.json.gz").write_bytes(gzip.compress(json.dumps(history["events"]).encode()))
    (folder / "c.json").write_bytes(json.dumps({"history": history}).encode("utf-8-sig"))
    recorded.ini("pythonpath = .")
    words = ("--temporal-replay-from", "downloaded", "--temporal-replay-module")
    recorded.passes(*words, "flows", passed=3)
    missing = recorded.run(*words, "nothing_like_it")
    missing.assert_outcomes(failed=3)
    missing.stdout.fnmatch_lines(["--temporal-replay-module nothing_like_it: *"])
    change(recorded, "asyncio.sleep(0.02)", "asyncio.sleep(0.02); await workflow.execute_activity(pay, 2, **SHORT)")
    recorded.run(*words, "flows").assert_outcomes(failed=3)


def test_fixture_replays_a_folder(recorded: Suite) -> None:
    """`temporal_replay` replays a folder's histories against given classes or their own; a bad history fails the
    test."""
    histories = recorded.path / "histories"
    history = json.loads((histories / FILES[1]).read_text())["history"]
    recorded.file("downloaded/from-the-ui.json", json.dumps(history))
    (recorded.path / "empty").mkdir()
    recorded.file(
        "test_shop.py",
        """
        import pytest
        from flows import Child, Lucky, Order
        from temporaltest import ReplayFailed, SetupError


        def test_given(temporal_replay):
            assert len(temporal_replay("histories", workflows=[Order, Child])) == 7


        def test_own(temporal_replay):
            temporal_replay("histories/test_shop.py-test_own_id")


        async def test_async(temporal_replay):
            temporal_replay("histories/test_shop.py-test_own_id")


        def test_downloaded(temporal_replay):
            temporal_replay("downloaded", workflows=[Order])


        def test_unknown(temporal_replay):
            with pytest.raises(SetupError, match="histories/.* none of the given classes has: Lucky\\nadd its class"):
                temporal_replay("histories", workflows=[Lucky])


        def test_empty(temporal_replay):
            with pytest.raises(SetupError, match="has no recordings"):
                temporal_replay("empty", workflows=[Order])
        """,
    )
    recorded.ini("pythonpath = .", "asyncio_mode = auto")
    recorded.passes(passed=6)
    change(recorded, "asyncio.sleep(0.02)", "asyncio.sleep(0.02); await workflow.execute_activity(pay, 2, **SHORT)")
    result = recorded.run("-k", "given")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            f"E * histories/{FILES[1]}: the workflow order-1 (Order) does not replay: *",
            f"E * histories/{FILES[3]}: the workflow order-1 (Order) does not replay: *",
            "E * flows.py:* in run: await asyncio.sleep(0.02); await workflow.execute_activity(pay, 2, **SHORT)",
        ]
    )
    result.stdout.no_fnmatch_line("*temporaltest/*.py*")


def test_an_unusable_recordings_folder(shop: Suite) -> None:
    """If the folder cannot be created, the run ends at its start; a recording that cannot be written fails its test."""
    shop.file("taken", "a file")
    result = shop.run("--temporal-record", "taken")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --temporal-record: *taken: *"])
    shop.file("histories/test_shop.py-test_order-1", "a file in the place of a folder")
    result = shop.run(*RECORD)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["5 histories written to *", "*order-1.json cannot be written: *"])


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("tests/a/test_x.py::TestY::test_z", "tests.a.test_x.py-TestY-test_z"),
        ("test_x.py::test_z[1-b]", "test_x.py-test_z-1-b"),
        ("order-1", "order-1"),
    ],
)
def test_names_are_readable(text: str, name: str) -> None:
    """Ordinary names of tests and workflows are used as file names."""
    assert names.file_name(text) == name


@pytest.mark.parametrize("text", ["order:1", "order 1", "ä" * 10, "x" * 500, "..", "", "a/../../etc", "test[a][b]"])
def test_names_are_safe_and_unique(text: str) -> None:
    """A file name stays in its folder, is short enough and does not clash with another."""
    name = names.file_name(text)
    assert Path(name).name == name
    assert len(name) < 200
    assert name not in (".", "..", "order-1")
    assert name == names.file_name(text)
    assert name != names.file_name(text + ":")


def test_xdist_groups_are_not_in_names() -> None:
    """A test has the same name with and without --dist=loadgroup."""
    assert names.test_id("test_x.py::test_y@group") == "test_x.py::test_y"
    assert names.test_id("test_x.py::test_y[a@b]") == "test_x.py::test_y[a@b]"
    assert names.test_id("test_x.py::test_y[a@b]@group") == "test_x.py::test_y[a@b]"


def test_scrubbing_keeps_payloads() -> None:
    """Data, memo fields and headers of users are unchanged, whatever their names are."""
    payload = {"metadata": {"encoding": "anNvbi9wbGFpbg=="}, "data": "MDAwMDAwMDAwMDAw"}
    event = {
        "eventId": "1",
        "taskId": "77",
        "attributes": {
            "identity": "1@host",
            "memo": {"fields": {"identity": payload, "links": payload}},
            "id": "a-1b4e28ba-2fa1-11d2-883f-0016d3cca427-1b4e28ba2fa111d2883f0016d3cca427",
        },
    }
    [scrubbed] = Scrubber({}).history({"events": [event]})["events"]
    assert scrubbed == {
        "eventId": "1",
        "eventTime": "2000-01-01T00:00:00Z",
        "attributes": {
            "identity": "",
            "memo": {"fields": {"identity": payload, "links": payload}},
            "id": "a-00000000-0000-4000-8000-000000000001-00000000000040008000000000000001",
        },
    }


def test_skipped_time_is_recorded_reproducibly(shop: Suite) -> None:
    """A recording with skipped time, also of a child, does not depend on the machine's speed, and replays."""
    shop.file(
        "test_shop.py",
        """
        import pytest
        from flows import Child, pay
        from temporalio import workflow
        from datetime import timedelta


        @workflow.defn
        class Slow:
            @workflow.run
            async def run(self) -> None:
                await workflow.sleep(timedelta(days=1))
                await workflow.execute_child_workflow(Child.run, id="child")


        @pytest.mark.temporal(time_skipping=True)
        def test_slow(temporal):
            temporal.worker(workflows=[Slow, Child], activities=[pay])
            temporal.execute(Slow.run)
        """,
    )
    shop.passes("--temporal-record", "one", "--temporal-record-scrub", "on", "test_shop.py", passed=1)
    shop.passes("--temporal-record", "two", "--temporal-record-scrub", "on", "test_shop.py", passed=1)
    one, two = ({path.name: path.read_text() for path in (shop.path / name).rglob("*.json")} for name in ("one", "two"))
    assert len(one) == 2
    assert one == two
    assert any("TIME_SKIPPING_TRANSITIONED" in text for text in one.values())
    shop.passes("--temporal-replay-from", "one", passed=2)
