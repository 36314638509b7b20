"""Fixtures for spans: a collector."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.helpers.collector import Collector, collector


@pytest.fixture
def otlp() -> Iterator[Collector]:
    """A collector for one test."""
    with collector() as otlp_collector:
        yield otlp_collector
