"""The path of this checkout, and the address of its repository."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
_PYPROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
SOURCE: str = re.findall(r'(?m)^Source = "(.*)"$', _PYPROJECT)[0]
VERSION: str = re.findall(r'(?m)^version = "(.*)"$', _PYPROJECT)[0]
