"""Parses the text of a metrics endpoint, and gives each metric one name, however the endpoint spells it.

The lines themselves are parsed by prometheus_client. The regular expressions here only select the lines of the metrics
that are needed: parsing everything takes ten times as long, and an endpoint may have thousands of series.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..errors import DevServerError

if TYPE_CHECKING:
    from prometheus_client.samples import Sample

Labels = tuple[tuple[str, str], ...]
Series = Mapping[Labels, float]

TYPE_LINE = re.compile(r"(?m)^# TYPE ([^\s{]+) (\w+)")
NAME = re.compile(r"^(?:# (?:TYPE|HELP) )?([^\s{]+)")
PARTS = ("_bucket", "_count", "_sum")
MILLISECONDS, SECONDS = "_milliseconds", "_seconds"


class NotMetrics(DevServerError):
    """The answer of an endpoint is not in Prometheus's text format."""


@dataclass(frozen=True)
class MetricSpelling:
    """How an endpoint spells a metric.

    Args:
        name: The name in its text.
        kind: `counter`, `gauge` or `histogram`.
        suffix: The suffix that the name in Temporal's documentation does not have.
        scale: The factor that turns its durations into seconds; 1 for a metric without durations.
    """

    name: str
    kind: str
    suffix: str = ""
    scale: float = 1.0


@dataclass(frozen=True)
class ParsedMetrics:
    """The metrics of an endpoint at one moment. Durations are in seconds.

    Args:
        spellings: The metrics by their names in Temporal's documentation: without `_total`, `_seconds` and
            `_milliseconds`.
        series: The series by these names; those of a histogram by its name with `_bucket`, `_count` and `_sum`.
    """

    spellings: Mapping[str, MetricSpelling]
    series: Mapping[str, Series]

    def all(self, name: str, **labels: str) -> Iterator[tuple[dict[str, str], float]]:
        """Labels and value of each series of a metric that has these `labels`."""
        for pairs, value in self.series.get(name, {}).items():
            found = dict(pairs)
            if all(found.get(key) == text for key, text in labels.items()):
                yield found, value

    def total(self, name: str, **labels: str) -> float:
        """The sum of these series; 0 without any."""
        return sum(value for _, value in self.all(name, **labels))


def canonical_name(name: str, kind: str) -> tuple[str, str]:
    """The name of a metric in Temporal's documentation, and the suffix that some endpoints add to it."""
    suffixes = {"counter": ("_total",), "histogram": (MILLISECONDS, SECONDS)}
    for suffix in suffixes.get(kind, ()):
        if name.endswith(suffix):
            return name[: -len(suffix)], suffix
    return name, ""


def parse_spellings(text: str) -> dict[str, MetricSpelling]:
    """The metrics that a text declares, by their names in Temporal's documentation."""
    found = {}
    for name, kind in TYPE_LINE.findall(text):
        canonical, suffix = canonical_name(name, kind)
        found[canonical] = MetricSpelling(name, kind, suffix)
    return found


def parse_metrics(text: str, names: Collection[str] | None = None) -> ParsedMetrics:
    """The metrics of an endpoint's answer; with `names` only these, in a tenth of the time.

    Raises:
        NotMetrics: The text is not in Prometheus's text format.
    """
    from prometheus_client.parser import text_string_to_metric_families

    declared = parse_spellings(text)
    if not declared and text.strip():
        raise NotMetrics("the answer has no metrics")
    spellings = {name: spelling for name, spelling in declared.items() if names is None or name in names}
    series: dict[str, dict[Labels, float]] = {}
    try:
        for family in text_string_to_metric_families("\n".join(_lines(text, spellings.values())) + "\n"):
            name, suffix = canonical_name(family.name, family.type)
            scale = 0.001 if _in_milliseconds(name, suffix, family.type, family.samples) else 1.0
            spellings[name] = replace(spellings[name], scale=scale)
            for sample in family.samples:
                _add(series, sample, family.name, name, scale)
    except (ValueError, IndexError, KeyError) as error:
        raise NotMetrics(f"the answer is not in Prometheus's text format: {error}") from None
    return ParsedMetrics(spellings, series)


def _lines(text: str, spellings: Iterable[MetricSpelling]) -> Iterator[str]:
    spellings = list(spellings)
    names = {spelling.name for spelling in spellings}
    names |= {spelling.name + part for spelling in spellings if spelling.kind == "histogram" for part in PARTS}
    for line in text.splitlines():
        match = NAME.match(line)
        if match and match.group(1) in names:
            yield line


def _add(series: dict[str, dict[Labels, float]], sample: Sample, family: str, name: str, scale: float) -> None:
    if not math.isfinite(sample.value):
        return  # the value is unknown, and sums must stay numbers
    part = sample.name[len(family) :].removesuffix("_total")
    labels = dict(sample.labels)
    value = sample.value * (scale if part == "_sum" else 1.0)
    if part == "_bucket":
        labels["le"] = str(float(labels["le"]) * scale)
    key = tuple(sorted(labels.items()))
    values = series.setdefault(name + part, {})
    values[key] = values.get(key, 0.0) + value


def _in_milliseconds(name: str, suffix: str, kind: str, samples: Iterable[Sample]) -> bool:
    """Whether durations are in milliseconds: the SDKs' default, which the name does not show.

    Buckets in seconds begin below 1.
    """
    if suffix or kind != "histogram":
        return suffix == MILLISECONDS
    if not (name.startswith("temporal_") and name.endswith("_latency")):
        return False
    bounds = [float(sample.labels["le"]) for sample in samples if sample.name.endswith("_bucket")]
    return bool(bounds) and min(bounds) >= 1
