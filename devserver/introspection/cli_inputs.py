"""Options of a command line for what a signature takes, and the arguments that are made from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .errors import InvalidInput
from .hints import MISSING, Field, alternatives, fields_of
from .signature import Signature
from .validation import CANNOT_CARRY, InputConverter, InvalidValue, Path
from .value_parsing import element_of, is_flag, is_many, kind_of, read, read_json, read_many

OTHER_CONVERTER = (
    "the module may have a data_converter of its own, as temporalio.contrib.pydantic's: "
    "data_converter = pydantic_data_converter"
)
KEPT = ("help", "input")  # every command has these itself
Given = str | bool | Sequence[str]


@dataclass(frozen=True)
class InputField:
    """One option. `flag` is its name without dashes, empty for an argument whose fields are the options themselves.

    `parts` are the options of its fields.
    """

    flag: str
    field: Field
    parts: tuple[InputField, ...] = ()

    @property
    def is_flag(self) -> bool:
        """Whether it takes no value: `--x` or `--no-x`."""
        return is_flag(self.field.hint)

    @property
    def is_many(self) -> bool:
        """Whether it may be given several times."""
        return is_many(self.field.hint)

    @property
    def kind(self) -> str:
        """What is to be written after it."""
        return "JSON" if self.parts else kind_of(element_of(self.field.hint) if self.is_many else self.field.hint)


class InputOptions:
    """The options for one signature, and the way back from what was given to arguments."""

    def __init__(self, signature: Signature) -> None:
        self.raw = signature.raw
        fields = signature.parameters
        alone = len(fields) == 1 and fields_of(fields[0].hint) is not None
        self.arguments = tuple(_input(each, "", ()) if alone else _named(each, "", ()) for each in fields)

    def options(self) -> Iterator[InputField]:
        """Every option, each before those of its fields."""
        for argument in self.arguments:
            yield from _options(argument)

    def arguments_from(self, given: Mapping[str, Given], whole: Any, carrier: InputConverter) -> list[Any]:
        """The arguments to send.

        Args:
            given: What was written, by flag; of one that takes many, all of it.
            whole: The JSON form of all arguments: of the only one, or a list, or an object by name. MISSING: not given.
            carrier: Carries them.

        Raises:
            InvalidInput: Something is missing, unknown, or of another type.
        """
        if self.raw:
            return [] if whole is MISSING else whole if isinstance(whole, list) else [whole]
        forms = self._split(whole)
        reading = _Reading(given, carrier)
        arguments = [reading.argument(each, form) for each, form in zip(self.arguments, forms, strict=True)]
        if reading.problems:
            first, *others = reading.problems
            uncarried = any(CANNOT_CARRY in each for each in reading.problems)
            raise InvalidInput(first, details=others, hint=OTHER_CONVERTER if uncarried else None)
        return self._with_defaults(arguments, carrier)

    def _with_defaults(self, arguments: list[Any], carrier: InputConverter) -> list[Any]:
        """All of them once one was given: a worker that gets fewer than there are ignores the types of all."""
        if all(value is MISSING for value in arguments):
            return []
        pairs = list(zip(self.arguments, arguments, strict=True))
        while pairs[-1][1] is MISSING and not carrier.takes(pairs[-1][0].field.default, pairs[-1][0].field.hint):
            pairs.pop()
        return [each.field.default if value is MISSING else value for each, value in pairs]

    def _split(self, whole: Any) -> list[Any]:
        """The form of each argument."""
        count = len(self.arguments)
        if whole is MISSING:
            return [MISSING] * count
        if count == 1:
            return [whole]
        if not count:
            if whole in ([], {}, None):
                return []
            raise InvalidInput("it takes no input")
        if isinstance(whole, list) and len(whole) <= count:
            return [*whole, *[MISSING] * (count - len(whole))]
        names = [each.field.name for each in self.arguments]
        if isinstance(whole, dict) and set(whole) <= set(names):
            return [whole.get(name, MISSING) for name in names]
        raise InvalidInput(f"the input is a JSON list of at most {count} arguments, or an object of {', '.join(names)}")


class _Reading:
    """Makes arguments of one command line; what is wrong is gathered, so that it can be told at once."""

    def __init__(self, given: Mapping[str, Given], carrier: InputConverter) -> None:
        self._given = given
        self._carrier = carrier
        self.problems: list[str] = []

    def argument(self, top: InputField, whole: Any) -> Any:
        before = len(self.problems)
        form = self._form(top, whole, needed=top.field.required)
        if form is MISSING or len(self.problems) > before:
            return MISSING
        try:
            return self._carrier.value(form, top.field.hint)
        except InvalidValue as unfit:
            self.problems += [_located(top, at, why) for at, why in unfit.problems]
            return MISSING

    def _form(self, each: InputField, base: Any, *, needed: bool) -> Any:
        """The JSON form of an option with its parts; MISSING if nothing was given."""
        form = base
        if each.flag in self._given:
            form = self._read(each, self._given[each.flag])
        if not each.parts:
            if form is MISSING and needed:
                self.problems.append(f"missing: --{each.flag}")
            return form
        below = tuple(_options(each))[1 if each.flag else 0 :]
        engaged = any(part.flag in self._given for part in below)
        if form is MISSING and not engaged and not needed:
            return MISSING
        if form is not MISSING and not engaged:
            return form
        start = dict(form) if isinstance(form, dict) else {}
        for part in each.parts:
            key = part.field.key if part.field.key in start else part.field.name
            value = self._form(part, start.get(key, MISSING), needed=part.field.required)
            if value is not MISSING:
                start.pop(key, None)
                start[part.field.key] = value
        return start

    def _read(self, each: InputField, said: Given) -> Any:
        hint = each.field.hint
        try:
            if isinstance(said, bool):
                return said
            if not isinstance(said, str):
                return [self._carrier.nested(one, element_of(hint)) for one in read_many(said, hint)]
            return read_json(said) if each.parts else self._checked(read(said, hint), hint)
        except ValueError as error:
            self.problems.append(f"--{each.flag}: {error}")
        except InvalidValue as unfit:
            self.problems += [_located(each, at, why) for at, why in unfit.problems]
        return None

    def _checked(self, form: Any, hint: Any) -> Any:
        """The form, once the converter has carried it alone: so what fails is known by its flag."""
        if len(alternatives(hint)) == 1:
            self._carrier.value(form, hint)
        return self._carrier.nested(form, hint)


def _located(top: InputField, at: Path, why: str) -> str:
    """A problem by the flag that it is about, as far as there is one."""
    here, rest = top, list(at)
    while rest:
        part = next((each for each in here.parts if rest[0] in (each.field.key, each.field.name)), None)
        if part is None:
            break
        here, rest = part, rest[1:]
    if why == "is missing":
        return f"missing: --{here.flag}{''.join(f'.{each}' for each in rest)}"
    where = f"--{here.flag}" if here.flag else "the input"
    return f"{where}{''.join(f'[{each!r}]' for each in rest)}: {why}"


def _named(field: Field, above: str, seen: tuple[Any, ...]) -> InputField:
    name = field.name.strip("_").replace("_", "-") or field.name
    flag = f"{above}.{name}" if above else name
    return _input(field, f"input.{flag}" if flag in KEPT else flag, seen)


def _input(field: Field, flag: str, seen: tuple[Any, ...]) -> InputField:
    """An option with those of its fields; a type within itself is not followed again."""
    kinds = alternatives(field.hint)
    fields = fields_of(field.hint)
    if fields is None or kinds[0] in seen:
        return InputField(flag, field)
    return InputField(flag, field, tuple(_named(each, flag, (*seen, kinds[0])) for each in fields))


def _options(each: InputField) -> Iterator[InputField]:
    if each.flag:
        yield each
    for part in each.parts:
        yield from _options(part)
