"""Values as the worker will receive them: built and encoded with its data converter before anything is sent.

Pydantic's TypeAdapter was tried for this and for the schemas, and does less. It drops unknown keys of dataclasses and
converts "5", 5.0 and true to int (strict mode refuses enum names and `1h30m`), has no schema for classes that only the
data converter knows, and cannot tell that the worker's converter does not carry a value. It would be a dependency, and
importing it takes a third of the time of importing the SDK.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .hints import MISSING, alternatives, fields_of, is_model, takes_none, text_of
from .module import nearest
from .value_parsing import element_of

if TYPE_CHECKING:
    from temporalio.converter import DataConverter

CANNOT_CARRY = "the data converter cannot carry"
Path = tuple[Any, ...]
_NUMBERS = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}


class InvalidValue(Exception):
    """A value does not match its type; `problems` are its places (JSON keys and indexes) and reasons."""

    def __init__(self, *problems: tuple[Path, str]) -> None:
        super().__init__(*problems)
        self.problems = problems


class InputConverter:
    """Converts JSON forms to values with the data converter that the worker of the module has."""

    def __init__(self, converter: DataConverter | None) -> None:
        from temporalio.converter import DataConverter

        self.converter = converter or DataConverter.default
        self._plain = DataConverter.default.payload_converter
        self._own = self.converter.payload_converter

    def convert(self, form: Any, hint: Any) -> Any:
        """The value of a type for a JSON form, after an encoding and decoding as a test.

        Raises:
            InvalidValue: It is no value of that type, or the data converter cannot carry it.
        """
        check_form(form, hint)
        if alternatives(hint) == (bytes,) and isinstance(form, str):
            value: Any = form.encode()
        else:
            value = self._built(form, hint)
        try:
            (payload,) = self._own.to_payloads([value])
            self._own.from_payloads([payload], _hints(hint))
        except Exception as error:
            raise InvalidValue(((), f"{CANNOT_CARRY} {text_of(hint)}: {innermost(error)}")) from error
        return value

    def carries(self, value: Any, hint: Any) -> bool:
        """Whether the data converter encodes a value and decodes it again."""
        try:
            self._own.from_payloads(self._own.to_payloads([value]), _hints(hint))
        except Exception:  # noqa: BLE001 - converters are the user's, and may fail in any way
            return False
        return True

    def nested_form(self, form: Any, hint: Any) -> Any:
        """The JSON form as a part of another form: converters encode bytes differently."""
        if alternatives(hint) != (bytes,) or not isinstance(form, str):
            return form
        (payload,) = self._own.to_payloads([[form.encode()]])
        return json.loads(payload.data)[0]

    def _built(self, form: Any, hint: Any) -> Any:
        from temporalio.api.common.v1 import Payload

        payload = Payload(metadata={"encoding": b"json/plain"}, data=json.dumps(form).encode())
        for converter in (self._own, self._plain):
            try:
                return converter.from_payloads([payload], _hints(hint))[0]
            except KeyError:  # a converter raises this for an encoding that it does not know
                continue
            except Exception as error:
                raise InvalidValue(*_problems(error, hint)) from error
        raise InvalidValue(((), "the data converter cannot decode JSON"))


def check_form(form: Any, hint: Any, at: Path = ()) -> None:
    """Check the keys and plain types of a JSON form, which data converters accept leniently.

    Raises:
        InvalidValue: They do not match the type.
    """
    kinds = alternatives(hint)
    if len(kinds) != 1 or (form is None and takes_none(hint)):
        return
    kind, fields, element = kinds[0], fields_of(hint), element_of(hint)
    if fields is not None:
        _check_fields(form, kind, at)
    elif element is not MISSING and isinstance(form, list):
        for index, item in enumerate(form):
            check_form(item, element, (*at, index))
    elif kind in _NUMBERS and not _is(form, kind):
        raise InvalidValue((at, f"{json.dumps(form)} is not {_NUMBERS[kind]}"))


def _check_fields(form: Any, kind: Any, at: Path) -> None:
    fields = fields_of(kind) or ()
    if not isinstance(form, dict):
        raise InvalidValue((at, f"{json.dumps(form)} is not a JSON object, as {text_of(kind)} is"))
    known = {name: field for field in fields for name in (field.key, field.name)}
    problems = (
        _ignored(form, kind, at) if is_model(kind) else [(at, _has_no(kind, key)) for key in form if key not in known]
    )
    for key, value in form.items():
        if key in known and not is_model(kind):
            try:
                check_form(value, known[key].hint, (*at, key))
            except InvalidValue as error:
                problems += error.problems
    given = {known[key].name for key in form if key in known}
    missing = [field.key for field in fields if field.required and field.name not in given]
    problems += [((*at, key), "is missing") for key in missing]
    if problems:
        raise InvalidValue(*problems)


def _ignored(form: Any, hint: Any, at: Path) -> list[tuple[Path, str]]:
    """The keys that a model would ignore, at any depth; it validates the rest itself."""
    kinds = alternatives(hint)
    if len(kinds) != 1:
        return []
    fields, element = fields_of(kinds[0]), element_of(hint)
    if isinstance(form, list) and element is not MISSING:
        return [problem for index, item in enumerate(form) for problem in _ignored(item, element, (*at, index))]
    if not isinstance(form, dict) or fields is None or (at and _accepts_other_forms(kinds[0])):
        return []
    known = {name: field for field in fields for name in (field.key, field.name)}
    accepts_all = is_model(kinds[0]) and kinds[0].model_config.get("extra") in ("allow", "forbid")
    found = [] if accepts_all else [(at, _has_no(kinds[0], key)) for key in form if key not in known]
    for key, value in form.items():
        if key in known:
            found += _ignored(value, known[key].hint, (*at, key))
    return found


def _accepts_other_forms(kind: Any) -> bool:
    """Whether a model accepts other forms than its fields: it is a root model, or has a validator that runs first."""
    if not is_model(kind):
        return False
    validators = kind.__pydantic_decorators__.model_validators.values()
    return bool(kind.__pydantic_root_model__) or any(validator.info.mode != "after" for validator in validators)


def _has_no(kind: Any, key: str) -> str:
    return f"{text_of(kind)} has no {key!r}: {nearest(key, (field.key for field in fields_of(kind) or ()))}"


def _is(form: Any, kind: Any) -> bool:
    if kind is float:
        return isinstance(form, (int, float)) and not isinstance(form, bool)
    return type(form) is kind


def _hints(hint: Any) -> list[Any] | None:
    return None if hint is MISSING or hint is Any else [hint]


def _problems(error: Exception, hint: Any) -> Sequence[tuple[Path, str]]:
    """The problems that the data converter reports, for each field if it is a model's."""
    errors = getattr(error, "errors", None)
    if callable(errors) and type(error).__name__ == "ValidationError":
        return [(tuple(item["loc"]), _sentence(item)) for item in errors(include_url=False)]
    reason = innermost(error)
    if "Unserializable type" in reason or "not JSON serializable" in reason:
        reason = f"{CANNOT_CARRY} {text_of(hint)}: {reason}"
    return [((), reason)]


def _sentence(problem: Any) -> str:
    value = problem.get("input")
    shown = f" (was {value!r})" if isinstance(value, (str, int, float, bool)) else ""
    return f"{problem['msg']}{shown}"


def innermost(error: BaseException) -> str:
    """The message of the first error of a chain."""
    while error.__cause__ is not None:
        error = error.__cause__
    return str(error) or type(error).__name__
