"""Text for people: that of others without what a terminal or a page would act on, and numbers with their nouns."""

from __future__ import annotations

import unicodedata

ACTS = ("Cc", "Cf", "Cs")  # control characters, changes of direction and invisible ones, lone surrogates


def visible(text: str, keep: str = "") -> str:
    """`text` with a question mark for each control or invisible character, except those of `keep`."""
    if text.isascii() and text.isprintable():  # nearly all that is written
        return text
    return "".join("?" if unicodedata.category(item) in ACTS and item not in keep else item for item in text)


def counted(number: int, one: str, many: str | None = None) -> str:
    """`1 attempt`, `1,200 attempts`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
