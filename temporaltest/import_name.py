"""The error for a module `devserver` that is not the one this plugin is built on."""

from __future__ import annotations

import sys


def not_ours() -> ImportError:
    """Says where the other module is and what to do. It imports nothing of ours: there may be nothing."""
    other = sys.modules.get("devserver")
    place = getattr(other, "__file__", None) or ", ".join(getattr(other, "__path__", ())) or "unknown"
    return ImportError(
        f"temporaltest needs the module devserver of temporal-devserver, but this one is imported: {place}\n"
        "hint: if a package such as django-devserver has it: pip uninstall django-devserver; "
        "pip install --force-reinstall --no-deps temporal-devserver\n"
        "hint: if it is a file or folder of yours, rename it or run pytest in another folder"
    )
