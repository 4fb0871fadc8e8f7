"""The report on one submission as facts (`outcome`), and as people read it.

`prose` is plain text, `page` HTML, `sheet` CSV, `machine` JSON, `marked` the sender's workbook with
marks in it, `givenback` such a workbook of whatever files were sent.
"""

from validators.report.outcome import FileCount, Report
from validators.report.prose import render_text

__all__ = ["FileCount", "Report", "render_text"]
