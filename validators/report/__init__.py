"""The report on one submission, as facts (`outcome`) and as plain text for people (`prose`)."""

from validators.report.outcome import FileCount, Report
from validators.report.prose import render_text

__all__ = ["FileCount", "Report", "render_text"]
