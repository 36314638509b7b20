"""The report of rehearsals: one self-contained HTML file, and the same data as JSON."""

from .data import ReportStatus, combined, data, result_data
from .page import html
from .write import HTML_FILE, JSON_FILE, ReportNotWritten, write, write_data

__all__ = [
    "HTML_FILE",
    "JSON_FILE",
    "ReportNotWritten",
    "ReportStatus",
    "combined",
    "data",
    "html",
    "result_data",
    "write",
    "write_data",
]
