"""The report of rehearsals: one HTML file that needs nothing else, and the same as JSON."""

from .about import About
from .page import html
from .shape import FORMAT, data
from .write import HTML_FILE, JSON_FILE, ReportNotWritten, write

__all__ = ["FORMAT", "HTML_FILE", "JSON_FILE", "About", "ReportNotWritten", "data", "html", "write"]
