"""Values as the receiver will get them: built and tried with the data converter before anything is sent."""

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
    """A value does not fit; `problems` has where (JSON keys and indexes) and why."""

    def __init__(self, *problems: tuple[Path, str]) -> None:
        super().__init__(*problems)
        self.problems = problems


class InputConverter:
    """One data converter, as a worker with the same module has it."""

    def __init__(self, converter: DataConverter | None) -> None:
        from temporalio.converter import DataConverter

        self.converter = converter or DataConverter.default
        self._plain = DataConverter.default.payload_converter
        self._own = self.converter.payload_converter

    def value(self, form: Any, hint: Any) -> Any:
        """The value that a JSON form is for that type, once the converter has carried it there and back.

        Raises:
            InvalidValue: It is none, or the converter cannot carry it.
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

    def takes(self, value: Any, hint: Any) -> bool:
        """Whether the converter carries a value there and back."""
        try:
            self._own.from_payloads(self._own.to_payloads([value]), _hints(hint))
        except Exception:  # noqa: BLE001 - converters are the user's, and may fail in any way
            return False
        return True

    def nested(self, form: Any, hint: Any) -> Any:
        """The JSON form as it stands inside another: converters differ in what they make of bytes."""
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
            except KeyError:  # how a converter says that it does not know an encoding
                continue
            except Exception as error:
                raise InvalidValue(*_problems(error, hint)) from error
        raise InvalidValue(((), "the data converter does not read JSON"))


def check_form(form: Any, hint: Any, at: Path = ()) -> None:
    """See that a JSON form has the keys and plain types that a type says: converters are lenient there.

    Raises:
        InvalidValue: It has not.
    """
    kinds = alternatives(hint)
    if len(kinds) != 1 or (form is None and takes_none(hint)):
        return
    kind, fields, element = kinds[0], fields_of(hint), element_of(hint)
    if fields is not None:
        _check_fields(form, kind, at)
    elif element is not MISSING and isinstance(form, list):
        for index, each in enumerate(form):
            check_form(each, element, (*at, index))
    elif kind in _NUMBERS and not _is(form, kind):
        raise InvalidValue((at, f"{json.dumps(form)} is not {_NUMBERS[kind]}"))


def _check_fields(form: Any, kind: Any, at: Path) -> None:
    fields = fields_of(kind) or ()
    if not isinstance(form, dict):
        raise InvalidValue((at, f"{json.dumps(form)} is no JSON object, which {text_of(kind)} is"))
    known = {name: each for each in fields for name in (each.key, each.name)}
    problems = (
        _dropped(form, kind, at) if is_model(kind) else [(at, _has_no(kind, key)) for key in form if key not in known]
    )
    for key, value in form.items():
        if key in known and not is_model(kind):
            try:
                check_form(value, known[key].hint, (*at, key))
            except InvalidValue as unfit:
                problems += unfit.problems
    given = {known[key].name for key in form if key in known}
    missing = [each.key for each in fields if each.required and each.name not in given]
    problems += [((*at, key), "is missing") for key in missing]
    if problems:
        raise InvalidValue(*problems)


def _dropped(form: Any, hint: Any, at: Path) -> list[tuple[Path, str]]:
    """The keys that a model would drop, however deep; all else of a value is for the model itself to judge."""
    kinds = alternatives(hint)
    if len(kinds) != 1:
        return []
    fields, element = fields_of(kinds[0]), element_of(hint)
    if isinstance(form, list) and element is not MISSING:
        return [found for index, each in enumerate(form) for found in _dropped(each, element, (*at, index))]
    if not isinstance(form, dict) or fields is None or (at and _reads_other_forms(kinds[0])):
        return []
    known = {name: each for each in fields for name in (each.key, each.name)}
    takes_all = is_model(kinds[0]) and kinds[0].model_config.get("extra") in ("allow", "forbid")
    found = [] if takes_all else [(at, _has_no(kinds[0], key)) for key in form if key not in known]
    for key, value in form.items():
        if key in known:
            found += _dropped(value, known[key].hint, (*at, key))
    return found


def _reads_other_forms(kind: Any) -> bool:
    """Whether a model takes what does not look like it: its only value alone, or what a validator makes of it first."""
    if not is_model(kind):
        return False
    validators = kind.__pydantic_decorators__.model_validators.values()
    return bool(kind.__pydantic_root_model__) or any(each.info.mode != "after" for each in validators)


def _has_no(kind: Any, key: str) -> str:
    return f"{text_of(kind)} has no {key!r}: {nearest(key, (each.key for each in fields_of(kind) or ()))}"


def _is(form: Any, kind: Any) -> bool:
    if kind is float:
        return isinstance(form, (int, float)) and not isinstance(form, bool)
    return type(form) is kind


def _hints(hint: Any) -> list[Any] | None:
    return None if hint is MISSING or hint is Any else [hint]


def _problems(error: Exception, hint: Any) -> Sequence[tuple[Path, str]]:
    """What the converter said, where that is known: a model tells each field."""
    told = getattr(error, "errors", None)
    if callable(told) and type(error).__name__ == "ValidationError":
        return [(tuple(each["loc"]), _sentence(each)) for each in told(include_url=False)]
    said = innermost(error)
    if "Unserializable type" in said or "not JSON serializable" in said:
        said = f"{CANNOT_CARRY} {text_of(hint)}: {said}"
    return [((), said)]


def _sentence(told: Any) -> str:
    given = told.get("input")
    shown = f" (was {given!r})" if isinstance(given, (str, int, float, bool)) else ""
    return f"{told['msg']}{shown}"


def innermost(error: BaseException) -> str:
    """What the first of a chain of errors says."""
    while error.__cause__ is not None:
        error = error.__cause__
    return str(error) or type(error).__name__
