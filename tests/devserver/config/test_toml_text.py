"""The line of a key in a TOML file."""

from __future__ import annotations

import pytest

from devserver.config.toml_text import line_of

TEXT = """# a = 1
a = 1
"b c" = 2
d.e = 3
[f]
a = [
  1,
  2,
]
[f.g]
h = { i = 1, j = '''
a = 2
''' }
[[k]]
a = 5
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("a",), 2),
        (("b c",), 3),
        (("d", "e"), 4),
        (("f",), 5),
        (("f", "a"), 6),
        (("f", "g"), 10),
        (("f", "g", "h"), 11),
        (("f", "g", "h", "j"), 11),
        (("k", "a"), 14),
        (("f", "nothing"), 5),
        (("nothing",), None),
    ],
)
def test_the_line_of_a_key(path: tuple[str, ...], line: int | None) -> None:
    """A value in several lines is on its first one; a key that is not there is where its table is."""
    assert line_of(TEXT, path) == line


def test_lines_of_a_file_from_windows() -> None:
    """Its lines end with two characters."""
    assert line_of(TEXT.replace("\n", "\r\n"), ("f", "g", "h")) == 11
