"""Seeds, by which what a rehearsal leaves to chance can be had again."""

from __future__ import annotations

import random

SEEDS = 2**32  # a seed is 0 or more, and less


def any_seed() -> int:
    """One that nobody has chosen."""
    return random.SystemRandom().randrange(SEEDS)
