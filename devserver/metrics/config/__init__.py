"""Ready configuration for monitoring, in the spelling of real endpoints, and which of their metrics it needs."""

from __future__ import annotations

from .datadog import for_datadog
from .files import ConfigThere, write
from .model import Config, Coverage, Source
from .names import Use
from .prometheus import for_prometheus

__all__ = ["Config", "ConfigThere", "Coverage", "Source", "Use", "for_datadog", "for_prometheus", "write"]
