"""The command-line options for the parameters of a signature, and the arguments made from their values."""

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
RESERVED = ("help", "input")  # options of every command
Given = str | bool | Sequence[str]


@dataclass(frozen=True)
class InputField:
    """The option of a parameter or field.

    Attributes:
        flag: Its name without dashes; empty for an argument that has options for its fields only.
        field: The parameter or field.
        parts: The options of its own fields.
    """

    flag: str
    field: Field
    parts: tuple[InputField, ...] = ()

    @property
    def is_flag(self) -> bool:
        """Whether it has no value: `--x` or `--no-x`."""
        return is_flag(self.field.hint)

    @property
    def is_many(self) -> bool:
        """Whether it can be repeated."""
        return is_many(self.field.hint)

    @property
    def kind(self) -> str:
        """Its metavar in help texts."""
        return "JSON" if self.parts else kind_of(element_of(self.field.hint) if self.is_many else self.field.hint)


class InputOptions:
    """The options for one signature, and the arguments from their values."""

    def __init__(self, signature: Signature) -> None:
        self.raw = signature.raw
        fields = signature.parameters
        alone = len(fields) == 1 and fields_of(fields[0].hint) is not None
        self.arguments = tuple(_input(field, "", ()) if alone else _named(field, "", ()) for field in fields)

    def options(self) -> Iterator[InputField]:
        """Every option, each before those of its fields."""
        for argument in self.arguments:
            yield from _options(argument)

    def arguments_from(self, given: Mapping[str, Given], whole: Any, converter: InputConverter) -> list[Any]:
        """The arguments to send.

        Args:
            given: The text of each option by its flag; a list of texts for one that can be repeated.
            whole: The JSON form of all arguments: of the only one, or a list, or an object by name; or MISSING.
            converter: Makes the values.

        Raises:
            InvalidInput: An argument is missing, unknown, or has the wrong type.
        """
        if self.raw:
            return [] if whole is MISSING else whole if isinstance(whole, list) else [whole]
        forms = self._split(whole)
        reader = _InputReader(given, converter)
        arguments = [reader.argument(option, form) for option, form in zip(self.arguments, forms, strict=True)]
        if reader.problems:
            first, *others = reader.problems
            uncarried = any(CANNOT_CARRY in problem for problem in reader.problems)
            raise InvalidInput(first, details=others, hint=OTHER_CONVERTER if uncarried else None)
        return self._with_defaults(arguments, converter)

    def _with_defaults(self, arguments: list[Any], converter: InputConverter) -> list[Any]:
        """Add defaults if any argument was given: a worker that receives too few arguments ignores the types of all."""
        if all(value is MISSING for value in arguments):
            return []
        pairs = list(zip(self.arguments, arguments, strict=True))
        while pairs[-1][1] is MISSING and not converter.carries(pairs[-1][0].field.default, pairs[-1][0].field.hint):
            pairs.pop()
        return [option.field.default if value is MISSING else value for option, value in pairs]

    def _split(self, whole: Any) -> list[Any]:
        """The JSON form of each argument."""
        count = len(self.arguments)
        if whole is MISSING:
            return [MISSING] * count
        if count == 1:
            return [whole]
        if not count:
            if whole in ([], {}, None):
                return []
            raise InvalidInput("it has no parameters, so it accepts no input")
        if isinstance(whole, list) and len(whole) <= count:
            return [*whole, *[MISSING] * (count - len(whole))]
        names = [option.field.name for option in self.arguments]
        if isinstance(whole, dict) and set(whole) <= set(names):
            return [whole.get(name, MISSING) for name in names]
        raise InvalidInput(
            f"the input must be a JSON list of at most {count} arguments, or an object with {', '.join(names)}"
        )


class _InputReader:
    """Makes the arguments from one command line; collects all problems, so that they are reported together."""

    def __init__(self, given: Mapping[str, Given], converter: InputConverter) -> None:
        self._given = given
        self._converter = converter
        self.problems: list[str] = []

    def argument(self, top: InputField, whole: Any) -> Any:
        before = len(self.problems)
        form = self._form(top, whole, needed=top.field.required)
        if form is MISSING or len(self.problems) > before:
            return MISSING
        try:
            return self._converter.convert(form, top.field.hint)
        except InvalidValue as error:
            self.problems += [_located(top, at, reason) for at, reason in error.problems]
            return MISSING

    def _form(self, option: InputField, base: Any, *, needed: bool) -> Any:
        """The JSON form of an option with its parts; MISSING if none was given."""
        form = base
        if option.flag in self._given:
            form = self._read(option, self._given[option.flag])
        if not option.parts:
            if form is MISSING and needed:
                self.problems.append(f"missing: --{option.flag}")
            return form
        below = tuple(_options(option))[1 if option.flag else 0 :]
        any_part = any(part.flag in self._given for part in below)
        if form is MISSING and not any_part and not needed:
            return MISSING
        if form is not MISSING and not any_part:
            return form
        start = dict(form) if isinstance(form, dict) else {}
        for part in option.parts:
            key = part.field.key if part.field.key in start else part.field.name
            value = self._form(part, start.get(key, MISSING), needed=part.field.required)
            if value is not MISSING:
                start.pop(key, None)
                start[part.field.key] = value
        return start

    def _read(self, option: InputField, given: Given) -> Any:
        hint = option.field.hint
        try:
            if isinstance(given, bool):
                return given
            if not isinstance(given, str):
                return [self._converter.nested_form(form, element_of(hint)) for form in read_many(given, hint)]
            return read_json(given) if option.parts else self._checked(read(given, hint), hint)
        except ValueError as error:
            self.problems.append(f"--{option.flag}: {error}")
        except InvalidValue as invalid:
            self.problems += [_located(option, at, reason) for at, reason in invalid.problems]
        return None

    def _checked(self, form: Any, hint: Any) -> Any:
        """The form, after converting it alone, so that a problem is reported with its flag."""
        if len(alternatives(hint)) == 1:
            self._converter.convert(form, hint)
        return self._converter.nested_form(form, hint)


def _located(top: InputField, at: Path, reason: str) -> str:
    """A problem with the flag of the option that it is about."""
    here, rest = top, list(at)
    while rest:
        part = next((item for item in here.parts if rest[0] in (item.field.key, item.field.name)), None)
        if part is None:
            break
        here, rest = part, rest[1:]
    if reason == "is missing":
        return f"missing: --{here.flag}{''.join(f'.{key}' for key in rest)}"
    where = f"--{here.flag}" if here.flag else "the input"
    return f"{where}{''.join(f'[{key!r}]' for key in rest)}: {reason}"


def _named(field: Field, above: str, seen: tuple[Any, ...]) -> InputField:
    name = field.name.strip("_").replace("_", "-") or field.name
    flag = f"{above}.{name}" if above else name
    return _input(field, f"input.{flag}" if flag in RESERVED else flag, seen)


def _input(field: Field, flag: str, seen: tuple[Any, ...]) -> InputField:
    """An option with those of its fields; a type inside itself is not expanded again."""
    kinds = alternatives(field.hint)
    fields = fields_of(field.hint)
    if fields is None or kinds[0] in seen:
        return InputField(flag, field)
    return InputField(flag, field, tuple(_named(part, flag, (*seen, kinds[0])) for part in fields))


def _options(option: InputField) -> Iterator[InputField]:
    if option.flag:
        yield option
    for part in option.parts:
        yield from _options(part)
