"""A report as a CSV file: one row a finding, to be sorted and ticked off in a spreadsheet.

What a sender wrote stands in the sentences, and a spreadsheet takes a cell that begins like a
formula for one. Such cells are given a leading apostrophe (OWASP, CSV Injection), which
spreadsheets do not show.
"""

import csv
from io import StringIO

from validators.findings import Finding
from validators.report.outcome import Report
from validators.report.prose import remarks

HEADER = (
    *("severity", "rule", "file", "sheet", "row", "column"),
    *("what is wrong", "how to mend it", "rule explained"),
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def render_csv(report: Report, *, gateway: str = "") -> str:
    """Return the findings as CSV text for a file in UTF-8 with byte order mark.

    `gateway` is the address that publishes the standard; without it no rule is linked.
    """
    text = StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(HEADER)
    for found in report.findings:
        told = found.to_dict()
        parts = [told[name] for name in ("severity", "rule", "file", "sheet", "row", "column")]
        parts += [told["message"], told["mend"], explained_at(found, gateway)]
        writer.writerow([harmless("" if part is None else str(part)) for part in parts])
    if rest := remarks(report):
        writer.writerow(["", "", "", "", "", "", rest, "", ""])
    return text.getvalue()


def explained_at(found: Finding, gateway: str) -> str:
    """Return where the rule is explained; "" where no gateway is known, as a path leads nowhere."""
    return f"{gateway}{found.link}" if gateway else ""


def harmless(text: str) -> str:
    """Return text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text
