"""Options become the workflow's arguments; every problem is reported."""

from __future__ import annotations

import json
from typing import Any

import pytest

from devserver.introspection.errors import InvalidInput, NotInModule
from devserver.introspection.hints import MISSING
from devserver.introspection.schema import schema_of
from devserver.introspection.targets import CallTarget, find_handler, find_workflow
from devserver.introspection.validation import InputConverter
from tests.helpers.user_code import Write

TYPES = """
import decimal, enum, uuid
from datetime import date, datetime, time, timedelta
from dataclasses import field
from typing import Annotated, Any, Literal, NewType, Optional, TypedDict

Id = NewType("Id", str)

class Colour(enum.Enum):
    RED = 1
    BLUE = 2

class Size(str, enum.Enum):
    SMALL = "small"
    LARGE = "large"

@dataclass
class Address:
    '''Where somebody lives.

    Attributes:
        city: Its name,
            as on maps.
    '''
    city: str
    zip_code: int = 0

@dataclass
class Parcel:
    who: Annotated[str, "Who gets it."]
    size: Size
    to: Address
    id: Id = Id("x")
    at: datetime | None = None
    key: uuid.UUID | None = None
    gift: bool = False
    level: Literal["low", "high"] = "low"
    parts: list[int] = field(default_factory=list)
    more: dict[str, int] = field(default_factory=dict)
    homes: list[Address] = field(default_factory=list)
    raw: bytes = b""
    anything: Any = None
    either: int | str | None = None
    inner: Optional["Parcel"] = None

@workflow.defn
class Send:
    @workflow.run
    async def run(self, parcel: Parcel) -> Parcel: ...
"""
MODELS = """
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from pydantic import BaseModel, Field, HttpUrl, RootModel, model_validator

class Item(BaseModel):
    name: str = Field(alias="itemName")
    price: Decimal = Field(gt=0, description="What it costs.")

class Tags(RootModel[dict[str, int]]):
    pass

class Place(BaseModel):
    town: str

    @model_validator(mode="before")
    @classmethod
    def of_old(cls, value):
        return {"town": value["city"]} if "city" in value else value

class Order(BaseModel):
    tags: Tags = Tags({})
    place: Place | None = None
    items: list[Item] = []
    first: Item
    due: date
    patience: timedelta = timedelta(hours=1)
    blob: bytes = b""
    home: HttpUrl | None = None
    file: Path | None = None

@workflow.defn
class Buy:
    @workflow.run
    async def run(self, order: Order) -> None: ...
"""

PICKLED = """
import pickle
from temporalio.api.common.v1 import Payload
from temporalio.converter import CompositePayloadConverter, DataConverter, EncodingPayloadConverter

class Pickled(EncodingPayloadConverter):
    encoding = "python/pickle"

    def to_payload(self, value):
        return Payload(metadata={"encoding": self.encoding.encode()}, data=pickle.dumps(value))

    def from_payload(self, payload, type_hint=None):
        return pickle.loads(payload.data)

class Converter(CompositePayloadConverter):
    def __init__(self):
        super().__init__(Pickled())

DATA_CONVERTER = DataConverter(payload_converter_class=Converter)

@workflow.defn
class Count:
    @workflow.run
    async def run(self, number: int) -> None: ...
"""


def arguments_of(called: CallTarget, given: dict[str, Any], whole: Any = MISSING) -> list[Any]:
    """Return the arguments."""
    return called.inputs.arguments_from(given, whole, InputConverter(called.module.data_converter))


def errors_of(called: CallTarget, given: dict[str, Any], whole: Any = MISSING) -> list[str]:
    """Return the errors."""
    with pytest.raises(InvalidInput) as caught:
        arguments_of(called, given, whole)
    return [caught.value.message, *caught.value.details]


def test_every_kind_of_field(write: Write) -> None:
    """Text, numbers, choices, times, lists, nested and recursive types become the declared type."""
    write("types_.py", TYPES)
    called = find_workflow("types_:Send")
    flags = {option.flag: option for option in called.inputs.options()}
    assert {"who", "to", "to.city", "to.zip-code", "inner"} <= set(flags)
    assert "inner.who" not in flags
    docs = {flag: option.field.doc for flag, option in flags.items() if option.field.doc}
    assert docs == {"who": "Who gets it.", "to.city": "Its name, as on maps."}
    given: dict[str, Any] = {
        "who": "Ada",
        "size": "large",
        "to.city": "Ulm",
        "at": "2026-01-02T03:04:05Z",
        "key": "12345678123456781234567812345678",
        "gift": True,
        "level": "high",
        "parts": ("1", "2"),
        "more": '{"a": 1}',
        "homes": ('{"city": "Bonn"}', '{"city": "Rome"}'),
        "raw": "hey",
        "anything": "[1]",
        "either": "null",
        "inner": json.dumps({"who": "Bob", "size": "small", "to": {"city": "Wien"}}),
    }
    (parcel,) = arguments_of(called, given)
    assert (parcel.who, parcel.size.value, parcel.to.city, parcel.to.zip_code) == ("Ada", "large", "Ulm", 0)
    assert (parcel.at.isoformat(), str(parcel.key)) == (
        "2026-01-02T03:04:05+00:00",
        "12345678-1234-5678-1234-567812345678",
    )
    assert (parcel.gift, parcel.level, parcel.parts, parcel.more) == (True, "high", [1, 2], {"a": 1})
    assert ([home.city for home in parcel.homes], parcel.raw) == (["Bonn", "Rome"], b"hey")
    assert (parcel.anything, parcel.either, parcel.inner.who, parcel.id) == ([1], None, "Bob", "x")
    assert arguments_of(called, {"parts": ("[3, 4]",), **{flag: given[flag] for flag in ("who", "size", "to.city")}})[
        0
    ].parts == [3, 4]


def test_all_problems_are_reported_at_once(write: Write) -> None:
    """Each problem names its option, also inside JSON."""
    write("types_.py", TYPES)
    called = find_workflow("types_:Send")
    assert errors_of(called, {}) == ["missing: --who", "missing: --size", "missing: --to.city"]
    wrong: dict[str, Any] = {"who": "Ada", "size": "SMALL", "to": '{"town": 1}', "level": "mid", "parts": ("1", "b")}
    assert errors_of(called, {**wrong, "at": "soon", "key": "k", "more": "{", "either": "x"}) == [
        "--size: 'SMALL' is not one of small, large",
        "--at: 'soon' does not have the form 2026-11-22T15:40:04+00:00",
        "--key: 'k' is not a UUID",
        "--level: 'mid' is not one of low, high",
        "--parts: 'b' is not a whole number",
        "--more: '{' is not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
    ]
    fits = {"who": "Ada", "size": "small"}
    assert errors_of(called, {**fits, "to": '{"town": 1}'}) == [
        "--to: Address has no 'town': it has city, zip_code",
        "missing: --to.city",
    ]
    assert errors_of(called, {**fits, "to": '{"city": 1, "zip_code": 1.5}'}) == [
        "--to.city: 1 is not a text",
        "--to.zip-code: 1.5 is not a whole number",
    ]
    assert errors_of(called, {**fits, "to.zip-code": "1"}) == ["missing: --to.city"]
    assert errors_of(called, {**fits, "to.city": "Ulm", "homes": ('{"city": 2}',)}) == [
        "--homes[0]['city']: 2 is not a text"
    ]


def test_input_as_json_with_options(write: Write) -> None:
    """The input is given as JSON, and an option overrides the same field."""
    write("types_.py", TYPES)
    called = find_workflow("types_:Send")
    whole = {"who": "Ada", "size": "small", "to": {"city": "Ulm", "zip_code": 5}}
    (parcel,) = arguments_of(called, {"who": "Bob", "to.city": "Bonn"}, whole)
    assert (parcel.who, parcel.to.city, parcel.to.zip_code) == ("Bob", "Bonn", 5)
    assert errors_of(called, {}, {**whole, "sise": 1}) == ["the input: Parcel has no 'sise': did you mean size?"]
    assert errors_of(called, {}, []) == ["the input: [] is not a JSON object, as Parcel is"]


def test_several_arguments(write: Write) -> None:
    """Each argument is an option; defaults are sent too, because a worker that gets fewer arguments ignores all
    types."""
    write(
        "several.py",
        """
        @dataclass
        class Point:
            x: int
            y: int = 0

        @workflow.defn
        class Draw:
            @workflow.run
            async def run(self, name: str, at: Point | None = None, times: int = 3, *, hidden: int = 1) -> None: ...

        @workflow.defn
        class Nothing:
            @workflow.run
            async def run(self) -> None: ...

        @workflow.defn
        class Later:
            @workflow.run
            async def run(self, name: str = "a", by: object = object()) -> None: ...
        """.replace("\n        ", "\n"),
    )
    called = find_workflow("several:Draw")
    assert [option.flag for option in called.inputs.options()] == ["name", "at", "at.x", "at.y", "times"]
    assert arguments_of(called, {"name": "a"}) == ["a", None, 3]
    assert arguments_of(called, {"name": "a", "times": "7"}) == ["a", None, 7]
    (_, point, _) = arguments_of(called, {"name": "a", "at.x": "4"})
    assert (point.x, point.y) == (4, 0)
    assert arguments_of(called, {}, ["a", None]) == ["a", None, 3]
    assert arguments_of(find_workflow("several:Later"), {}) == []
    assert arguments_of(find_workflow("several:Later"), {"name": "b"}) == ["b"]
    assert arguments_of(called, {"times": "1"}, {"name": "b"}) == ["b", None, 1]
    assert errors_of(called, {"at.y": "1"}) == ["missing: --name", "missing: --at.x"]
    assert errors_of(called, {}, 5) == [
        "the input must be a JSON list of at most 3 arguments, or an object with name, at, times"
    ]
    nothing = find_workflow("several:Nothing")
    assert arguments_of(nothing, {}) == arguments_of(nothing, {}, []) == []
    assert errors_of(nothing, {}, [1]) == ["it has no parameters, so it accepts no input"]


def test_generics_and_typed_dicts(write: Write) -> None:
    """Type variables of a dataclass are resolved; Required works with `from __future__ import annotations`."""
    write(
        "shapes.py",
        """
from __future__ import annotations
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Generic, TypedDict, TypeVar
from temporalio import workflow
from temporalio.contrib.pydantic import pydantic_data_converter as data_converter
from typing_extensions import NotRequired, Required

T = TypeVar("T")

@dataclass
class Box(Generic[T]):
    item: T
    more: list[T] = field(default_factory=list)
    help: str = ""
    for_: timedelta = timedelta(seconds=90)
    of: frozenset[int] = frozenset({2, 1})

class Some(TypedDict, total=False):
    must: Required[int]
    may: str

@workflow.defn
class Keep:
    @workflow.run
    async def run(self, box: Box[int]) -> None: ...

    @workflow.signal
    def some(self, some: Some) -> None: ...
""",
        head="",
    )
    called = find_workflow("shapes:Keep")
    kinds = {option.flag: option.kind for option in called.inputs.options()}
    assert kinds == {"item": "INTEGER", "more": "INTEGER", "input.help": "TEXT", "for": "DURATION", "of": "INTEGER"}
    assert errors_of(called, {"item": "x", "input.help": "h"}) == ["--item: 'x' is not a whole number"]
    defaults = schema_of(called.signature.parameters[0].hint)["properties"]
    assert (defaults["for_"]["default"], defaults["of"]["default"]) == ("PT90S", [1, 2])
    required = {option.flag: option.field.required for option in find_handler("shapes:some", "signal").inputs.options()}
    assert required == {"must": True, "may": False}


def test_pydantic_models(write: Write) -> None:
    """Models are validated, with errors by option; dates and durations are converted, and keys are aliases."""
    write("models.py", MODELS)
    called = find_workflow("models:Buy")
    docs = {option.flag: option.field.doc for option in called.inputs.options()}
    assert docs["first.price"] == "What it costs."
    given: dict[str, Any] = {"first.name": "tea", "first.price": "1.50", "due": "2026-01-02", "patience": "90m"}
    (order,) = arguments_of(called, {**given, "blob": "raw", "items": ('{"itemName": "a", "price": "2"}',)})
    assert (order.first.name, str(order.first.price), str(order.due)) == ("tea", "1.50", "2026-01-02")
    assert (order.patience.total_seconds(), order.blob, order.items[0].name) == (5400, b"raw", "a")
    assert errors_of(called, {**given, "first.price": "-1"}) == [
        "--first.price: Input should be greater than 0 (was '-1')"
    ]
    assert errors_of(called, {}, {"first": {"itemName": "a", "price": 1}, "due": "2026-01-02", "dew": 1}) == [
        "the input: Order has no 'dew': did you mean due?"
    ]
    tea = {"itemName": "a", "price": 1}
    assert errors_of(
        called, {}, {"first": {**tea, "prize": 1}, "items": [tea, {**tea, "x": 1}], "due": "2026-01-02"}
    ) == [
        "--first: Item has no 'prize': did you mean price?",
        "--items[1]: Item has no 'x': it has itemName, price",
    ]
    (order,) = arguments_of(called, {**given, "home": "https://a.example/b", "file": "7"})
    assert (str(order.home), str(order.file)) == ("https://a.example/b", "7")
    assert errors_of(called, {**given, "home": "nix"}) == [
        "--home: Input should be a valid URL, relative URL without a base (was 'nix')"
    ]
    (order,) = arguments_of(called, given, {"tags": {"a": 1}, "place": {"city": "Ulm"}})
    assert (order.tags.root, order.place.town) == ({"a": 1}, "Ulm")


def test_types_that_the_converter_cannot_encode(write: Write) -> None:
    """They are an error with a hint before anything is sent: the default converter has no dates and durations."""
    write(
        "dates.py",
        """
import enum
from datetime import date, timedelta

class Colour(enum.Enum):
    RED = 1

@workflow.defn
class Remind:
    @workflow.run
    async def run(self, day: date, before: timedelta, colour: Colour) -> None: ...
""",
    )
    given = {"day": "2026-01-02", "before": "2h", "colour": "RED"}
    called = find_workflow("dates:Remind")
    with pytest.raises(InvalidInput) as caught:
        arguments_of(called, given)
    messages = [caught.value.message, *caught.value.details]
    assert [message.partition(": Unser")[0] for message in messages] == [
        "--day: the data converter cannot carry date",
        "--before: the data converter cannot carry timedelta",
        "--colour: the data converter cannot carry Colour",
    ]
    assert "data_converter = pydantic_data_converter" in str(caught.value.hint)
    text = (called.module.file).read_text() if called.module.file else ""
    write("dated.py", "from temporalio.contrib.pydantic import pydantic_data_converter as data_converter\n" + text)
    day, before, colour = arguments_of(find_workflow("dated:Remind"), given)
    assert (str(day), before.total_seconds(), colour.name) == ("2026-01-02", 7200, "RED")


def test_a_converter_without_json(write: Write) -> None:
    """A custom converter that does not read JSON still encodes what is sent."""
    write("own.py", PICKLED)
    assert arguments_of(find_workflow("own"), {"number": "5"}) == [5]


def test_a_converter_that_cannot_decode(write: Write) -> None:
    """A value that the converter encodes and cannot decode is refused, because the worker has the same converter."""
    write("lossy.py", PICKLED.replace("return pickle.loads(payload.data)", "raise OSError('no key')"))
    assert errors_of(find_workflow("lossy"), {"number": "5"}) == [
        "--number: the data converter cannot carry int: no key"
    ]


def test_dynamic_workflows_take_any_input(write: Write) -> None:
    """A list is the list of arguments, any other value is the only one; any name is valid."""
    write(
        "dynamic.py",
        """
from collections.abc import Sequence
from temporalio.common import RawValue

@workflow.defn(dynamic=True)
class Anything:
    @workflow.run
    async def run(self, args: Sequence[RawValue]) -> None: ...

    @workflow.signal(dynamic=True)
    def take(self, name: str, args: Sequence[RawValue]) -> None: ...
""",
    )
    called = find_workflow("dynamic:Whatever")
    assert (called.type, arguments_of(called, {}, [1, 2]), arguments_of(called, {}, 7), arguments_of(called, {})) == (
        "Whatever",
        [1, 2],
        [7],
        [],
    )
    assert find_handler("dynamic:poke", "signal").name == "poke"


def test_find_handlers_by_name(write: Write) -> None:
    """A handler is found by workflow type or class, or alone if only one workflow has it; an unknown name lists the
    known ones."""
    write(
        "shop.py",
        """
@workflow.defn(name="shop.order")
class Order:
    @workflow.run
    async def run(self) -> None: ...
    @workflow.signal
    def approve(self, by: str) -> None: ...
    @workflow.signal(name="stop.now")
    def halt(self) -> None: ...
    @workflow.query(description="How far it is.")
    def state(self) -> str: ...

@workflow.defn
class Payment:
    @workflow.run
    async def run(self) -> None: ...
    @workflow.query
    def state(self) -> str: ...
""",
    )
    for name in ("shop.order.approve", "Order.approve", "approve"):
        called = find_handler(f"shop:{name}", "signal")
        assert (called.type, called.name, [option.flag for option in called.inputs.options()]) == (
            "shop.order",
            "approve",
            ["by"],
        )
    assert find_handler("shop:Order.halt", "signal").name == find_handler("shop:stop.now", "signal").name
    assert find_handler("shop:Order.state", "query").signature.doc == "How far it is."
    with pytest.raises(NotInModule, match="several workflows of shop have a query state") as caught:
        find_handler("shop:state", "query")
    assert caught.value.hint == "name one: shop:shop.order.state or shop:Payment.state"
    with pytest.raises(NotInModule, match=r"shop has no signal Order.aprove") as caught:
        find_handler("shop:Order.aprove", "signal")
    assert caught.value.hint == "did you mean shop.order.approve?"
    with pytest.raises(NotInModule, match=r"shop has several workflows: shop\.order, Payment"):
        find_workflow("shop")
