"""The SDK's default data converter, imported only when a value or a failure needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from temporalio.converter import DataConverter


class _PlainValues:
    """Most values are shown as they are, so that a codec is all that reading asks for: there is none."""

    payload_codec = None

    def __getattr__(self, name: str) -> Any:
        from temporalio.converter import DataConverter

        return getattr(DataConverter.default, name)


def plain_values() -> DataConverter:
    """A stand-in for `DataConverter.default`."""
    return cast("DataConverter", _PlainValues())
