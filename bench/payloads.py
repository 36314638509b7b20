"""Large payloads: peak memory and time of a round trip with our driver and with a driver of twenty lines, each in its
own process.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from devserver import DevServer

from .table import Row

SIZES = {5: 1.0, 50: 0.6, 200: 0.5}  # MB: the most memory, as a part of the naive driver's


def measure(executable: Path, repeat: int) -> Iterator[Row]:
    """Peak memory, then time, of each size."""
    with DevServer.start(binary=executable, ui=False, ephemeral=True) as server:
        for size, at_most in SIZES.items():
            both = [
                (_child("ours", size, server.address), _child("naive", size, server.address)) for _ in range(repeat)
            ]
            what = f"{size} MB through a workflow and an activity"
            peaks = ([ours[0] for ours, _ in both], [naive[0] for _, naive in both])
            times = ([ours[1] for ours, _ in both], [naive[1] for _, naive in both])
            yield Row(f"{what}: peak memory", peaks[0], peaks[1], "a naive driver", at_most=at_most, unit="MB")
            yield Row(f"{what}: time", times[0], times[1], "a naive driver", aim=1)


def _child(kind: str, size: int, address: str) -> tuple[float, float]:
    words = [sys.executable, "-m", "bench.payload_trip", kind, str(size), address]
    said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    peak, seconds = said.splitlines()[-1].split()
    return float(peak), float(seconds)
