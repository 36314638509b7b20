"""Reads what a metrics endpoint answers, and calls each metric by one name, however the endpoint spells it."""

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
    """What an endpoint answered is no Prometheus text."""


@dataclass(frozen=True)
class MetricSpelling:
    """How an endpoint spells one metric.

    Args:
        name: In its text.
        kind: `counter`, `gauge` or `histogram`.
        suffix: What was taken off to get the name that it has everywhere.
        scale: What its durations are multiplied with to be seconds; 1 where it has none.
    """

    name: str
    kind: str
    suffix: str = ""
    scale: float = 1.0


@dataclass(frozen=True)
class ParsedMetrics:
    """One look at an endpoint.

    Args:
        spellings: By the metric's name without `_total`, `_seconds` and `_milliseconds`, as Temporal's docs have it.
        series: The values by name; a histogram's by its name with `_bucket`, `_count` and `_sum`. Durations are in
            seconds.
    """

    spellings: Mapping[str, MetricSpelling]
    series: Mapping[str, Series]

    def all(self, name: str, **wanted: str) -> Iterator[tuple[dict[str, str], float]]:
        """The labels and the value of each series of that name whose labels have the `wanted` values."""
        for labels, value in self.series.get(name, {}).items():
            found = dict(labels)
            if all(found.get(key) == text for key, text in wanted.items()):
                yield found, value

    def total(self, name: str, **wanted: str) -> float:
        """The sum over those series; 0 where there is none."""
        return sum(value for _, value in self.all(name, **wanted))


def canonical_name(name: str, kind: str) -> tuple[str, str]:
    """A metric's name in docs, and the suffix that a counter or a histogram has besides at some endpoints."""
    suffixes = {"counter": ("_total",), "histogram": (MILLISECONDS, SECONDS)}
    for suffix in suffixes.get(kind, ()):
        if name.endswith(suffix):
            return name[: -len(suffix)], suffix
    return name, ""


def parse_spellings(text: str) -> dict[str, MetricSpelling]:
    """Every metric that the text declares, by its name in docs."""
    found = {}
    for name, kind in TYPE_LINE.findall(text):
        known, suffix = canonical_name(name, kind)
        found[known] = MetricSpelling(name, kind, suffix)
    return found


def parse_metrics(text: str, wanted: Collection[str] | None = None) -> ParsedMetrics:
    """The metrics of an endpoint's answer; with `wanted` those of these names only, which takes a tenth of the time.

    Raises:
        NotMetrics: It is no Prometheus text.
    """
    from prometheus_client.parser import text_string_to_metric_families

    known = parse_spellings(text)
    if not known and text.strip():
        raise NotMetrics("what was answered has no metric in it")
    kept = {name: each for name, each in known.items() if wanted is None or name in wanted}
    series: dict[str, dict[Labels, float]] = {}
    try:
        for family in text_string_to_metric_families("\n".join(_lines(text, kept.values())) + "\n"):
            name, suffix = canonical_name(family.name, family.type)
            scale = 0.001 if _in_milliseconds(name, suffix, family.type, family.samples) else 1.0
            kept[name] = replace(kept[name], scale=scale)
            for sample in family.samples:
                _keep(series, sample, family.name, name, scale)
    except (ValueError, IndexError, KeyError) as error:
        raise NotMetrics(f"what was answered is no Prometheus text: {error}") from None
    return ParsedMetrics(kept, series)


def _lines(text: str, kept: Iterable[MetricSpelling]) -> Iterator[str]:
    names = {each.name for each in kept}
    names |= {each.name + part for each in kept if each.kind == "histogram" for part in PARTS}
    for line in text.splitlines():
        match = NAME.match(line)
        if match and match.group(1) in names:
            yield line


def _keep(series: dict[str, dict[Labels, float]], sample: Sample, family: str, name: str, scale: float) -> None:
    if not math.isfinite(sample.value):
        return  # nothing is known, and sums must stay numbers
    part = sample.name[len(family) :].removesuffix("_total")
    labels = dict(sample.labels)
    value = sample.value * (scale if part == "_sum" else 1.0)
    if part == "_bucket":
        labels["le"] = str(float(labels["le"]) * scale)
    key = tuple(sorted(labels.items()))
    kept = series.setdefault(name + part, {})
    kept[key] = kept.get(key, 0.0) + value


def _in_milliseconds(name: str, suffix: str, kind: str, samples: Iterable[Sample]) -> bool:
    """SDKs give milliseconds unless told otherwise, and do not say so; their buckets in seconds begin below 1."""
    if suffix or kind != "histogram":
        return suffix == MILLISECONDS
    if not (name.startswith("temporal_") and name.endswith("_latency")):
        return False
    bounds = [float(sample.labels["le"]) for sample in samples if sample.name.endswith("_bucket")]
    return bool(bounds) and min(bounds) >= 1
