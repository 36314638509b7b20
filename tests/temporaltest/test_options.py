"""Every option works as a flag, as an environment variable and as an ini key."""

from __future__ import annotations

from typing import Any

import pytest

from temporaltest.config import PluginConfig, read
from temporaltest.options import OPTIONS, Option

SAID = {
    "backend": ("external", "external"),
    "version": ("1.8.3", "1.8.3"),
    "tuning": ("stock", "stock"),
    "ephemeral-size": ("1GiB", "1GiB"),
    "dynamic-config": ("limit.maxIDLength=255", {"limit.maxIDLength": 255}),
    "time-skipping": ("on", True),
    "adopt": ("on", "on"),
    "instance": ("shop", "shop"),
    "image": ("mine:1", "mine:1"),
    "address": ("a:1", "a:1"),
    "client-profile": ("cloud", "cloud"),
    "namespace": ("team", "team"),
    "api-key": ("secret", "secret"),
    "tls": ("on", True),
    "tls-server-name": ("server", "server"),
    "tls-server-ca-cert-path": ("ca.pem", "ca.pem"),
    "tls-client-cert-path": ("cert.pem", "cert.pem"),
    "tls-client-key-path": ("key.pem", "key.pem"),
    "ui": ("on", True),
    "keep": ("yes", True),
    "linger": ("7", 7.0),
    "namespaces-per-server": ("7", 7),
    "timeout": ("7", 7.0),
    "replay": ("off", False),
    "record": ("histories", "histories"),
    "record-scrub": ("on", True),
    "replay-from": ("histories", "histories"),
    "replay-module": ("shop,late/flows.py", ("shop", "late/flows.py")),
    "report": ("reports", "reports"),
    "summary": ("summary.md", "summary.md"),
}


def read_one(option: Option, pytester: pytest.Pytester, config: PluginConfig) -> Any:
    """Return the value of an option; a path is relative to the tests' folder."""
    value = getattr(config, option.key)
    return value.relative_to(pytester.path).as_posix() if hasattr(value, "relative_to") else value


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_flag_variable_and_ini_key(option: Option, pytester: pytest.Pytester) -> None:
    """All three set the same value, which differs from the default."""
    word, value = SAID[option.name]
    key = option.name.replace("-", "_")
    assert option.default != value
    assert read_one(option, pytester, read(pytester.parseconfig(f"--temporal-{option.name}", word), {})) == value
    assert read_one(option, pytester, read(pytester.parseconfig(), {f"TEMPORAL_TEST_{key.upper()}": word})) == value
    pytester.makeini(f"[pytest]\ntemporal_{key} = {word}\n")
    assert read_one(option, pytester, read(pytester.parseconfig(), {})) == value
