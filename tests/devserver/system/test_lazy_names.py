"""Public names that a package loads when they are first used."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

PACKAGE = """
from devserver.system.lazy_names import lazy_names
eager = 1
__getattr__, __dir__ = lazy_names(__name__, {"cart": ("Cart", "pay")}, modules={"till": "desk.till"})
"""


def test_names_and_modules_of_a_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is loaded before a name is used; a name may be a module; an unknown name is an AttributeError."""
    package = tmp_path / "lazyshop"
    (package / "desk").mkdir(parents=True)
    (package / "__init__.py").write_text(PACKAGE)
    (package / "cart.py").write_text("class Cart: pass\ndef pay(): return 'paid'\n")
    (package / "desk" / "__init__.py").touch()
    (package / "desk" / "till.py").write_text("OPEN = True\n")
    monkeypatch.syspath_prepend(tmp_path)
    shop = importlib.import_module("lazyshop")
    try:
        assert {"lazyshop.cart", "lazyshop.desk"} & set(sys.modules) == set()
        assert {"eager", "Cart", "pay", "till"} <= set(dir(shop))
        assert shop.pay() == "paid"
        assert shop.till is sys.modules["lazyshop.desk.till"]
        with pytest.raises(AttributeError, match="module 'lazyshop' has no attribute 'nothing'"):
            _ = shop.nothing
    finally:
        for name in [name for name in sys.modules if name.split(".")[0] == "lazyshop"]:
            del sys.modules[name]
