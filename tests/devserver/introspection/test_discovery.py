"""Discovery of workflows and activities in a user's module, and errors of unusable modules."""

from __future__ import annotations

from pathlib import Path

import pytest

from devserver.introspection import (
    DuplicateName,
    IntrospectionError,
    Module,
    ModuleFailed,
    ModuleUnknown,
    NotInModule,
    find,
)
from devserver.introspection.errors import ImportInterrupted
from tests.helpers.user_code import ORDER, Write

PAYMENTS = """
class Payments:
    def __init__(self, account: str) -> None:
        self.account = account

    @activity.defn
    async def charge(self, amount: int) -> str:
        return self.account

    @activity.defn(name="refund-it")
    def refund(self) -> None: ...

    @staticmethod
    @activity.defn
    def check() -> None: ...
"""


def names(module: Module) -> tuple[list[str], list[str], list[str]]:
    """Return the names of workflows, activities and services."""
    found = (module.workflows, module.activities, module.nexus_services)
    one, two, three = ([definition.label for definition in kind] for kind in found)
    return one, two, three


def test_a_file_and_a_module(write: Write) -> None:
    """Both find the same; the task queue is the module's name, or the one it sets."""
    file = write("order_desk.py", ORDER + "\n@activity.defn\nasync def charge() -> None: ...\n")
    for spec in ("order_desk.py", str(file), "order_desk"):
        module = find(spec)
        assert names(module) == (["Order"], ["charge"], [])
        assert (module.name, module.file, module.task_queue) == ("order_desk", file, "order-desk")
    write("desk.py", "TASK_QUEUE = 'orders'\n" + ORDER)
    assert find("desk").task_queue == "orders"


def test_methods_need_an_instance(write: Write) -> None:
    """A factory, an instance in the module or a constructor without arguments provides it; otherwise a note says
    how."""
    write("bare.py", PAYMENTS)
    module = find("bare")
    assert names(module) == ([], ["check"], [])
    (note,) = module.notes
    assert note.startswith("Payments (")
    assert "is left out because it needs account: write a function activities()" in note
    everything = ["check", "charge", "refund-it"]
    for name, more in (
        ("by_factory", "def activities():\n    return [Payments('a')]"),
        ("by_list", "activities = [Payments('a')]"),
        ("by_instance", "payments = Payments('a')"),
        ("by_default", "class Mine(Payments):\n    def __init__(self): self.account = 'a'"),
    ):
        write(f"{name}.py", PAYMENTS + more)
        module = find(name)
        assert sorted(names(module)[1]) == sorted(everything), name
        assert (module.notes, {activity.bound for activity in module.activities}) == ((), {True}), name
    write("by_name.py", ORDER + PAYMENTS + "def build(account='x'):\n    return Payments(account)")
    assert (len(find("by_name:build").activities), names(find("by_name:build"))[0]) == (3, ["Order"])
    unmade = find("by_name", make=False)
    assert [(activity.name, activity.bound) for activity in unmade.activities][1:] == [
        ("charge", False),
        ("refund-it", False),
    ]


def test_a_package_with_its_imports(write: Write) -> None:
    """Submodules are included, except tests and __main__; third-party code is only included by a factory."""
    write("app/__init__.py", "")
    write("app/work.py", ORDER)
    write("app/__main__.py", "raise SystemExit('ran')")
    write("app/deep/__init__.py", "")
    write("app/deep/more.py", "@activity.defn\nasync def deep() -> None: ...")
    write("app/test_work.py", "raise RuntimeError('a test')")
    write("vendor/site-packages/theirs.py", "@activity.defn\nasync def foreign() -> None: ...")
    write("ours.py", "@activity.defn\nasync def local() -> None: ...")
    write(
        "app/main.py",
        "import sys\nsys.path.append('vendor/site-packages')\nfrom theirs import foreign\n"
        "from ours import local\nfrom .work import Order\n",
    )
    assert names(find("app")) == (["Order"], ["deep", "local"], [])
    assert names(find("app.main")) == (["Order"], ["local"], [])
    assert {find(spec).task_queue for spec in ("app", "app.main", "app/work.py")} == {"app"}
    write("more.py", "from theirs import foreign\ndef activities(): return [foreign]")
    assert names(find("more")) == ([], ["foreign"], [])


def test_dynamic_definitions_and_nexus_services(write: Write) -> None:
    """Dynamic definitions are found too; a Nexus contract is not a handler."""
    write(
        "nexus.py",
        """
        from collections.abc import Sequence
        import nexusrpc
        from nexusrpc.handler import StartOperationContext, service_handler, sync_operation
        from temporalio.common import RawValue

        @nexusrpc.service(name="bank")
        class Bank:
            pay: nexusrpc.Operation[int, str]

        @service_handler(service=Bank)
        class Handler:
            @sync_operation
            async def pay(self, ctx: StartOperationContext, input: int) -> str:
                return str(input)

        @activity.defn(dynamic=True)
        async def anything(args: Sequence[RawValue]) -> None: ...

        @workflow.defn(dynamic=True)
        class Any_:
            @workflow.run
            async def run(self, args: Sequence[RawValue]) -> None: ...
        """.replace("\n        ", "\n"),
    )
    module = find("nexus")
    assert names(module) == (["(dynamic)"], ["(dynamic)"], ["bank"])
    (service,) = module.nexus_services
    assert (service.bound, service.cls.__name__) == (True, "Handler")
    assert module.workflow("Whatever").name is None


def test_select_by_name(write: Write) -> None:
    """A workflow is selected by class or type, an activity by function or name."""
    write("two.py", ORDER.replace("defn", "defn(name='order.v2')") + "\n@activity.defn(name='x')\ndef y() -> None: ...")
    for spec, selected in (
        ("Order", (["order.v2"], [], [])),
        ("order.v2", (["order.v2"], [], [])),
        ("y", ([], ["x"], [])),
    ):
        assert names(find(f"two:{spec}")) == selected
    assert find("two").workflow("Order").name == "order.v2"
    with pytest.raises(NotInModule) as caught:
        find("two:order.v3")
    assert caught.value.hint == "did you mean order.v2?"
    with pytest.raises(NotInModule, match="two has no workflow Payment"):
        find("two").workflow("Payment")


def test_duplicate_names(write: Write) -> None:
    """The error shows both places."""
    write("one.py", ORDER)
    file = write("other.py", "import one\nfrom one import Order as First\n" + ORDER)
    with pytest.raises(DuplicateName, match="two workflows have the same name: Order") as caught:
        find("other")
    assert [Path(detail.rpartition(":")[0]).name for detail in caught.value.details] == ["one.py", "other.py"]
    assert caught.value.details[1].startswith(f"{file}:")
    write("twice.py", PAYMENTS + "a, b = Payments('a'), Payments('b')\n")
    with pytest.raises(DuplicateName, match="two activities have the same name: charge"):
        find("twice")


@pytest.mark.parametrize(
    ("text", "message", "details"),
    [
        ("import helper\nhelper.boom()", "ZeroDivisionError: division by zero", ["fails.py", "helper.py"]),
        ("def broken(:", "SyntaxError: ", ["fails.py"]),
        ("import sys\nsys.exit('bye')", "SystemExit('bye')", ["fails.py"]),
        ("class Odd(BaseException): ...\nraise Odd('odd')", "fails.Odd: odd", ["fails.py"]),
        ("raise ValueError('what\\nhow')", "ValueError: what", ["how"]),
        ("import nowhere_at_all", "ModuleNotFoundError: No module named 'nowhere_at_all'", ["fails.py"]),
    ],
)
def test_a_module_that_fails(write: Write, text: str, message: str, details: list[str]) -> None:
    """The error has frames of the user's code only, not of Python's import system or of ours."""
    write("helper.py", "def boom():\n    1 / 0\n")
    write("fails.py", text)
    with pytest.raises(ModuleFailed) as caught:
        find("fails")
    assert caught.value.message.startswith(f"cannot import the module fails: {message}")
    shown = "\n".join(caught.value.details)
    assert [detail for detail in details if detail not in shown] == []
    assert "importlib" not in shown
    assert "introspection" not in shown
    assert ("__main__" in (caught.value.hint or "")) == ("SystemExit" in message)


def test_a_module_that_hangs(write: Write) -> None:
    """Ctrl-C shows which line of the module was running."""
    write("ends.py", "def forever():\n    raise KeyboardInterrupt\nforever()\n")
    with pytest.raises(ImportInterrupted, match="interrupted during the import of ends") as caught:
        find("ends")
    assert [detail for detail in caught.value.details if "ends.py" in detail and "in forever" in detail]
    assert caught.value.exit_code == 130


def test_factories_that_fail(write: Write) -> None:
    """The error names the factory and what it raised or returned."""
    write("raises.py", "def activities():\n    raise OSError('no database')\n")
    with pytest.raises(ModuleFailed, match=r"the factory activities \(.*raises.py:\d+\) raises OSError: no database"):
        find("raises")
    write("gives.py", "def activities():\n    return [7]\n")
    with pytest.raises(IntrospectionError, match="activities returns 7, which has no activities"):
        find("gives")
    write("later.py", "async def activities(): ...\n")
    with pytest.raises(IntrospectionError, match="cannot be called: it is async"):
        find("later")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("orderz", "there is no module orderz"),
        ("orders.nothing", "there is no module orders.nothing"),
        ("nope.py", "there is no file nope.py"),
        ("folder/", "the folder folder is not a package"),
        ("orders.txt/", "there is no file orders.txt"),
        (":Order", "':Order' does not name a module"),
        ("a b", "'a b' is not the name of a module"),
        ("json.py", "cannot import json.py: the module json is "),
    ],
)
def test_invalid_modules(write: Write, tmp_path: Path, spec: str, message: str) -> None:
    """An unknown or invalid module is wrong usage, with the available modules."""
    write("orders.py", ORDER)
    write("json.py", ORDER)
    (tmp_path / "folder").mkdir()
    with pytest.raises(ModuleUnknown) as caught:
        find(spec)
    assert caught.value.message.startswith(message)
    assert (caught.value.exit_code, bool(caught.value.hint)) == (2, True)


def test_output_of_a_module(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    """It goes to stderr, so that JSON on stdout stays valid."""
    write("loud.py", "print('hello')\n" + ORDER)
    find("loud")
    assert capsys.readouterr() == ("", "hello\n")


def test_the_data_converter(write: Write) -> None:
    """It is the module's own, Pydantic's if a signature contains a model at any depth, or else the SDK's."""
    from temporalio.contrib.pydantic import pydantic_data_converter
    from temporalio.converter import DataConverter

    write("plain.py", ORDER)
    assert find("plain").data_converter is None
    write("own.py", ORDER + "from temporalio.converter import DataConverter\ndata_converter = DataConverter()\n")
    assert isinstance(find("own").data_converter, DataConverter)
    write(
        "models.py",
        """
from pydantic import BaseModel

class Item(BaseModel):
    name: str

@dataclass
class Cart:
    items: list[Item]

@activity.defn
async def pay(cart: Cart | None) -> None: ...
""",
    )
    assert find("models").data_converter is pydantic_data_converter
    deep = "from typing import NewType, TypedDict\nfrom models import Item\n"
    for number, (more, hint) in enumerate(
        (("One = NewType('One', Item)", "One"), ("class Cart(TypedDict):\n    items: list[Item]", "Cart"))
    ):
        activity = f"@activity.defn\nasync def pay(given: {hint}) -> None: ...\n"
        write(f"deep{number}.py", f"{deep}{more}\n\n{activity}")
        assert find(f"deep{number}").data_converter is pydantic_data_converter
