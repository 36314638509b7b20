"""`devserver workflow start|signal|query|update`: your workflows on a real server, called from a shell."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from temporalio.client import Client

from devserver.cli.main import run as run_command
from devserver.client.calls import ServiceCalls
from devserver.introspection.results import has_poller
from tests.conftest import Run, command
from tests.helpers.trouble import worker_process
from tests.helpers.user_code import Write, user_code
from tests.helpers.waiting import eventually
from tests.helpers.worker_run import running

Call = Callable[..., tuple[int, str, str]]
ORDERS = """
from datetime import timedelta
from temporalio.exceptions import ApplicationError

@dataclass
class Purchase:
    '''What somebody buys.'''
    name: str
    amount: int = 1

@activity.defn
async def charge(purchase: Purchase) -> str:
    if purchase.name == "Mallory":
        raise ApplicationError("card declined", type="CardDeclined", non_retryable=True)
    if purchase.name == "Trudy":
        raise ApplicationError("x" * 500_000, type="Chatty", non_retryable=True)
    return f"paid by {purchase.name}"

@workflow.defn
class Order:
    def __init__(self) -> None:
        self.by = self.note = ""

    @workflow.run
    async def run(self, purchase: Purchase) -> dict[str, str]:
        '''Carries out a purchase.'''
        if purchase.amount > 100:
            await workflow.wait_condition(lambda: bool(self.by))
        paid = await workflow.execute_activity(charge, purchase, start_to_close_timeout=timedelta(seconds=10))
        return {"paid": paid, "by": self.by}

    @workflow.signal
    def approve(self, by: str) -> None:
        self.by = by

    @workflow.query
    def state(self, loud: bool = False) -> str:
        if not self.by and loud:
            raise ApplicationError("nothing to shout")
        return "approved" if self.by else "waits → ü"

    @workflow.update
    def annotate(self, note: str) -> str:
        if note == "boom":
            raise ApplicationError("it broke", type="Broken")
        before, self.note = self.note, note
        return before

    @annotate.validator
    def check(self, note: str) -> None:
        if not note:
            raise ApplicationError("an empty note", type="Empty")

@workflow.defn
class Other:
    @workflow.run
    async def run(self) -> None: ...
"""

SEALED = """
from temporalio.api.common.v1 import Payload
from temporalio.converter import DataConverter, PayloadCodec

class Codec(PayloadCodec):
    async def encode(self, payloads):
        return [Payload(metadata={"encoding": b"binary/sealed"}, data=each.data[::-1]) for each in payloads]

    async def decode(self, payloads):
        return [Payload(metadata={"encoding": b"json/plain"}, data=each.data[::-1]) for each in payloads]

data_converter = DataConverter(payload_codec=Codec())

@workflow.defn
class Tell:
    @workflow.run
    async def run(self) -> str:
        return "secret"
"""


@pytest.fixture
def write(tmp_path: Path) -> Iterator[Write]:
    """Write a file of a user's project into the current folder."""
    with user_code(tmp_path) as run:
        yield run


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    """Run a command in this process, which has imported the SDK already; return exit code, stdout and stderr."""

    def run(*args: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run_command(args)
        out, err = capsys.readouterr()
        return code, out, err

    return run


@contextmanager
def worker(spec: str) -> Iterator[None]:
    """Run `devserver run` until the end of the block."""
    words = command("run", spec, "--no-reload")
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.terminate()


def test_the_life_of_an_order(quick_up: Run, write: Write, call: Call) -> None:
    """A workflow is started with options, queried, updated, signaled and awaited; stdout has only the result as
    JSON."""
    quick_up()
    write("orders.py", ORDERS)
    with worker("orders.py"):
        code, out, _ = call(
            "workflow", "start", "orders.py:Order", "--name", "Ada", "--amount", "101", "--workflow-id", "o 1"
        )
        assert (code, out.splitlines()[:2]) == (0, ["started Order", "  workflow id  o 1"])
        assert out.splitlines()[-1] == "  see it       devserver trace 'o 1'"
        eventually(lambda: call("workflow", "query", "orders.py:Order.state", "o 1")[0] == 0)
        assert call("workflow", "query", "orders.py:Order.state", "o 1") == (0, '"waits → ü"\n', "")
        code, out, err = call("workflow", "query", "orders.py:state", "o 1", "--loud")
        assert (code, out) == (1, "")
        assert err.startswith("error: the query state of o 1 failed: nothing to shout")
        assert call("workflow", "update", "orders.py:Order.annotate", "o 1", "--note", "quick") == (0, '""\n', "")
        code, out, _ = call(
            "workflow", "update", "orders.py:annotate", "o 1", "--note", "a", "--wait-for-stage", "accepted"
        )
        assert (code, out.startswith("o 1 has accepted annotate (")) == (0, True)
        for note, message in (("", "Empty: an empty note"), ("boom", "Broken: it broke")):
            code, out, err = call("workflow", "update", "orders.py:Order.annotate", "o 1", "--note", note)
            assert (code, out) == (1, "")
            assert err.splitlines()[0] == f"annotate of o 1 was rejected or failed: {message}"
        refused = call(
            "workflow", "update", "orders.py:annotate", "o 1", "--note", "", "--wait-for-stage", "accepted", "--json"
        )
        assert (refused[0], json.loads(refused[1])["failure"][0]) == (1, "Empty: an empty note")
        there = (
            "workflow",
            "start",
            "orders.py:Order",
            "--name",
            "x",
            "--workflow-id",
            "o 1",
            "--id-conflict-policy",
            "UseExisting",
        )
        assert call(*there)[1].startswith("found a running Order\n")
        assert json.loads(call(*there, "--json")[1])["existing"] is True
        assert call("workflow", "signal", "orders.py:Order.approve", "o 1", "--by", "Bob") == (
            0,
            "sent approve to o 1\n",
            "",
        )
        eventually(
            lambda: call("workflow", "signal", "orders.py:approve", "o 1", "--by", "x")[2].startswith(
                "error: o 1 is closed"
            )
        )
        answer = json.loads(call("workflow", "query", "orders.py:Order.state", "o 1", "--json")[1])
        assert answer == {"form": 1, "workflow_id": "o 1", "query": "state", "answer": "approved"}
        code, out, err = call(*there, "--wait")
        assert (code, json.loads(out)) == (0, {"paid": "paid by x", "by": ""})
        assert err.startswith("started Order\n")
        code, out, err = call(
            "workflow", "start", "orders.py:Order", "--name", "Mallory", "--wait", "--workflow-id", "o2"
        )
        assert (code, out) == (1, "")
        assert err.splitlines()[-2:] == [
            "o2 did not complete: CardDeclined: card declined",
            "  activity charge: Activity task failed",
        ]
        _, _, err = call("workflow", "start", "orders.py:Order", "--name", "Trudy", "--wait")
        assert len(err) < 1000
        assert "Chatty: xxx" in err
        assert " characters)" in err
        code, out, _ = call("workflow", "start", "orders.py:Order", "--name", "Mallory", "--wait", "--json")
        report = json.loads(out)
        assert (code, report["workflow_type"], report["polled"], report["result"]) == (1, "Order", True, None)
        assert report["failure"][0] == "activity charge: Activity task failed"


def test_values_of_all_sizes_and_encodings(quick_up: Run, write: Write, call: Call, tmp_path: Path) -> None:
    """A large value passes in both directions with `devserver run`; a value that cannot be decoded is shown as such."""
    quick_up()
    write("orders.py", ORDERS)
    (tmp_path / "big.json").write_text(json.dumps({"name": "x" * 400_000}))
    with worker("orders.py"):
        code, out, _ = call(
            "workflow",
            "start",
            "orders.py:Order",
            "--input",
            "@big.json",
            "--amount",
            "2",
            "--wait",
            "--workflow-id",
            "big",
        )
        assert (code, len(json.loads(out)["paid"])) == (0, 400_008)
    write("sealed.py", SEALED)
    with worker("sealed.py"):
        code, out, err = call(
            "workflow", "start", "sealed.py", "--wait", "--workflow-id", "sealed", "--task-queue", "sealed"
        )
        assert (code, json.loads(out)) == (0, "secret"), err
        write("unsealed.py", SEALED.replace("data_converter", "nothing"))
        keys = ["--workflow-id", "sealed", "--id-conflict-policy", "UseExisting", "--wait", "--task-queue", "sealed"]
        code, out, err = call("workflow", "start", "unsealed.py", *keys)
        assert (code, json.loads(out)) == (0, "(8 bytes of binary/sealed, which this client cannot read)"), err
        write("broken.py", SEALED.replace("data=each.data[::-1]", "data=bytes(1 // 0)"))
        code, out, err = call("workflow", "start", "broken.py", *keys)
        assert (code, out) == (1, "")
        assert "cannot decode the answer: ZeroDivisionError" in err


SEALING = (
    SEALED.partition("data_converter")[0]
    + """
import dataclasses
from temporalio.plugin import SimplePlugin

def seal(given):
    return dataclasses.replace(given or DataConverter.default, payload_codec=Codec())

plugin = SimplePlugin("sealing", data_converter=seal)
converter = seal(None)
"""
)


def test_a_converter_and_a_plugin_of_another_module(quick_up: Run, write: Write, call: Call, tmp_path: Path) -> None:
    """The worker and the caller name the same converter and plugin, which encrypt values in both directions, large
    ones too."""
    quick_up()
    write("orders.py", ORDERS)
    write("sealing.py", SEALING)
    (tmp_path / "big.json").write_text(json.dumps({"name": "x" * 400_000}))
    with running("orders.py", "--no-reload", "--plugin", "sealing:plugin") as run:
        assert "  plugins     sealing" in run.lines
        plugin, converter = ["--plugin", "sealing:plugin"], ["--data-converter", "sealing:converter"]
        code, out, err = call("workflow", "start", "orders.py:Order", "--input", "@big.json", "--wait", *plugin)
        assert (code, len(json.loads(out)["paid"])) == (0, 400_008), err
        words = ["workflow", "start", "orders.py:Order", "--name", "Ada", "--workflow-id", "o1"]
        assert call(*words, "--amount", "101", *converter)[0] == 0
        assert call("workflow", "update", "orders.py:annotate", "o1", "--note", "a", *plugin) == (0, '""\n', "")
        assert call("workflow", "query", "orders.py:state", "o1", *converter) == (0, '"waits → ü"\n', "")
        code, out, err = call("workflow", "query", "orders.py:state", "o1")
        assert json.loads(out).endswith(" bytes of binary/sealed, which this client cannot read)"), err
        assert call("workflow", "signal", "orders.py:approve", "o1", "--by", "Bob", *plugin)[0] == 0
        code, out, err = call(*words, "--id-conflict-policy", "UseExisting", "--wait", *plugin)
        assert json.loads(out)["paid"] == "paid by Ada", err
        assert "paid by Ada" in call("trace", "o1", *plugin)[1]
        assert "(encoded: binary/sealed, " in call("trace", "o1")[1]
    for words in (["workflow", "start", "orders.py:Order", "--name", "a"], ["run", "orders.py"], ["trace", "o1"]):
        code, out, err = call(*words, "--data-converter", "sealing:Codec")
        assert (code, out) == (2, "")
        assert err.startswith("error: sealing:Codec is not a data converter, but <sealing.Codec")


async def polled(address: str, queue: str) -> None:
    """Wait until a worker polls the task queue."""
    client = await Client.connect(address)
    while not await has_poller(ServiceCalls(client), queue):
        await asyncio.sleep(0.05)


def test_without_a_worker(quick_up: Run, devserver: Run, write: Write, call: Call) -> None:
    """A start says at once that no worker polls; a query and an update time out with the reason, also after the worker
    was killed; invalid input is not sent."""
    quick_up("--search-attribute", "Customer=Keyword")
    write("orders.py", ORDERS)
    extras = [
        "--search-attribute",
        "Customer=Ada",
        "--memo",
        "note=1",
        "--execution-timeout",
        "1h",
        "--id-reuse-policy",
        "RejectDuplicate",
    ]
    code, out, err = call(
        "workflow", "start", "orders.py:Order", "--name", "Ada", "--workflow-id", "o1", "--json", *extras
    )
    assert code == 0, err
    report = json.loads(out)
    assert (code, report["workflow_id"], report["task_queue"], report["polled"]) == (0, "o1", "orders", False)
    assert err == "note: no worker polls the task queue orders; start a worker: devserver run orders.py\n"
    _, _, err = call(
        "workflow", "start", "orders.py:Order", "--name", "Ada", "--devserver-name", "default", "-t", "rare ones"
    )
    assert err.endswith("devserver run orders.py --task-queue 'rare ones' --name default\n")
    for words, code, message in (
        (
            ["workflow", "query", "orders.py:Order.state", "o1", "--timeout", "1s"],
            4,
            "the query state was not answered: no w",
        ),
        (
            ["workflow", "update", "orders.py:annotate", "o1", "--note", "a", "--timeout", "1s"],
            4,
            "the update annotate was not",
        ),
        (
            ["workflow", "signal", "orders.py:approve", "nix", "--by", "a"],
            4,
            "there is no workflow nix in the namespace default",
        ),
        (["workflow", "signal", "orders.py:approve", "", "--by", "a"], 4, "the Temporal server at"),
        (["workflow", "query", "orders.py:state", "o1", "--run-id", "17"], 2, "17 is not a run id"),
        (["workflow", "update", "orders.py", "o1"], 2, "orders.py names no update"),
        (
            ["workflow", "signal", "orders.py:approve", "o1", "--by", "a", "--namespace", "nix"],
            4,
            "there is no namespace nix at ",
        ),
        (
            ["workflow", "start", "orders.py:Order", "--name", "a", "--workflow-id", "o1"],
            1,
            "the workflow o1 is already running (run ",
        ),
        (["workflow", "start", "orders.py:Other", "--search-attribute", "Nix=1"], 1, "cannot start Other: "),
        (["workflow", "start", "orders.py:Other", "--address", "127.0.0.1:1"], 4, "cannot connect to 127.0.0.1:1: "),
    ):
        got, out, err = call(*words)
        assert (got, out) == (code, ""), err
        assert err.startswith(f"error: {message}")
        assert "API key" not in err or "cannot" in message
        assert ("start a worker: devserver run orders.py\n" in err) == ("was not" in message)
    write("payments.py", ORDERS.replace("class Order", "class Payment"))
    code, _, err = call("workflow", "signal", "payments.py:approve", "o1", "--by", "a")
    assert (code, err.splitlines()[0]) == (1, "error: o1 has the type Order, not Payment")
    address = json.loads(devserver("status", "--json").stdout)["address"]
    with worker_process(address, queue="killed"):
        asyncio.run(polled(address, "killed"))
    assert call("workflow", "start", "orders.py:Order", "--name", "Ada", "-w", "o2", "-t", "killed")[0] == 0
    code, _, err = call("workflow", "query", "orders.py:Order.state", "o2", "--timeout", "1s")
    assert (code, "a worker polled the task queue killed in the last 90 s\n" in err) == (4, True), err
    assert "check whether it was killed, is frozen or busy" in err
    devserver("temporal", "workflow", "terminate", "-w", "o1")
    again = ["workflow", "start", "orders.py:Order", "--name", "a", "-w", "o1", "--id-reuse-policy", "RejectDuplicate"]
    code, _, err = call(*again)
    assert (code, err.partition(" (run ")[0]) == (1, "error: the workflow id o1 was used before")
    assert err.splitlines()[0].endswith("), which --id-reuse-policy RejectDuplicate rejects")
    assert err.endswith("\nhint: choose another --workflow-id, or use --id-reuse-policy AllowDuplicate\n")


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["orders.py:Order"], 2, "missing: --name"),
        (["orders.py:Order", "--name", "a", "--amount", "x"], 2, "--amount: 'x' is not a whole number"),
        (["orders.py:Order", "--nam", "a"], 2, "No such option '--nam'"),
        (["orders.py:Order", "--input", "{"], 2, "--input: '{' is not JSON"),
        (["orders.py:Order", "--input", "@nix"], 2, "--input @nix: No such file"),
        (["orders.py:Order", "--input", '{"name": "a", "b": 1}'], 2, "the input: Purchase has no 'b'"),
        (["orders.py:Ordre", "--name", "a"], 2, "orders.py has no workflow Ordre"),
        (["orders.py", "--name", "a"], 2, "orders.py has several workflows: Order, Other"),
        (["--amount", "3", "orders.py:Order"], 2, "--amount comes before MODULE"),
        (["order.py:Order"], 2, "there is no file order.py"),
        (["broken.py:Order"], 1, "cannot import the module broken: ZeroDivisionError"),
        ([], 2, "Missing argument 'MODULE:WORKFLOW'"),
        (
            ["orders.py:Order", "--name", "a", "--execution-timeout", "soon"],
            2,
            "--execution-timeout 'soon' is not a duration",
        ),
        (
            ["orders.py:Order", "--name", "a", "--execution-timeout", "0s"],
            2,
            "--execution-timeout 0s is not longer than 0",
        ),
    ],
)
def test_wrong_usage(write: Write, call: Call, words: list[str], code: int, message: str) -> None:
    """Wrong usage is reported before any server is contacted."""
    write("orders.py", ORDERS)
    write("broken.py", "1 / 0")
    got, out, err = call("workflow", "start", *words)
    assert (got, out) == (code, "")
    assert message in err


def test_options_named_like_fields(write: Write, call: Call) -> None:
    """A field takes precedence over our option of the same name, which is then --devserver-NAME; that form always
    works."""
    write(
        "clash.py",
        """
        @dataclass
        class Host:
            name: str
            help: str = "none"
            json: bool = False
            tls: bool = False
            no_tls: bool = False

        @workflow.defn
        class Add:
            @workflow.run
            async def run(self, host: Host) -> None: ...
        """.replace("\n        ", "\n"),
    )
    code, out, _ = call("workflow", "start", "clash.py:Add", "--help")
    assert code == 0
    for line in (
        "  --name TEXT             [required]",
        "  --input.help TEXT       [default: none]",
        "  --json / --no-json      [default: false]",
        "  --tls true|false        [default: false]",
        "  --devserver-json                Print JSON (see: devserver docs json).",
    ):
        assert line in out.splitlines()
    for words in (["--devserver-name", "nix"], ["--devserver-name=nix"]):
        assert call("workflow", "start", "clash.py:Add", "--name", "a", "--input.help", "b", *words)[2].startswith(
            "error: there is no instance nix"
        )
        assert call("inspect", "clash.py", *words)[0] == 2
    write("plain.py", "@workflow.defn\nclass W:\n    @workflow.run\n    async def run(self) -> None: ...\n")
    assert call("workflow", "start", "plain.py", "--devserver-name", "nix")[2].startswith(
        "error: there is no instance nix"
    )


def test_help_of_a_workflow(write: Write, call: Call) -> None:
    """--help shows the docs and options of a workflow or handler without a server; without a name, those of the
    command."""
    write("orders.py", ORDERS)
    _, out, _ = call("workflow", "start", "orders.py:Order", "--help")
    assert "  Carries out a purchase.\n" in out
    assert out.startswith("Usage: devserver workflow start orders.py:Order [OPTIONS]\n")
    assert (
        "Try 'devserver workflow start orders.py:Order --help' for help."
        in call("workflow", "start", "orders.py:Order")[2]
    )
    assert call("workflow", "signal", "orders.py:approve", "--help")[1].startswith(
        "Usage: devserver workflow signal orders.py:approve [OPTIONS] WORKFLOW_ID\n"
    )
    assert "Input:\n  --name TEXT       [required]\n  --amount INTEGER  [default: 1]\n" in out
    text = ORDERS.replace("purchase: Purchase) -> dict", "purchase: Purchase, gift: Purchase | None = None) -> dict")
    write("gifts.py", text)
    _, out, _ = call("workflow", "start", "gifts.py:Order", "--help")
    assert "  --purchase.name TEXT       [required]\n" in out
    assert "  --gift.name TEXT           [required with other --gift.*]\n" in out
    assert "--loud / --no-loud  [default: false]" in call("workflow", "query", "orders.py:state", "--help")[1]
    assert "`devserver workflow start MODULE:WORKFLOW --help` lists them" in " ".join(
        call("workflow", "start", "--help")[1].split()
    )
