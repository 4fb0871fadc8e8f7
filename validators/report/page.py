"""A report as one HTML page that needs nothing else: no script, no font, no request to anywhere.

Every value is escaped by the template engine. The rules that were broken are explained at the end
of the page, so that it says all it has to say on a laptop without a network.
"""

import base64
import hashlib
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from validators.report.outcome import Report, standard_named
from validators.report.prose import identity, outcome_of, remarks, sections
from validators.standard import Standard

_TITLES = {
    "accepted": "Accepted",
    "accepted-in-part": "Accepted in part",
    "rejected": "Rejected",
}


def render_html(report: Report, *, gateway: str = "") -> str:
    """Return the report as a page; `gateway` is the address that publishes the standard, if any."""
    standard = standard_named(report.standard)
    return (
        _templates()
        .get_template("report.html")
        .render(
            report=report,
            title=_TITLES[report.verdict],
            outcome=outcome_of(report).partition(". ")[2],
            identity=identity(report),
            sections=sections(report),
            remarks=remarks(report),
            rules=_explained(report, standard),
            gateway=gateway,
            standard=standard,
        )
    )


def content_policy() -> str:
    """Return the Content-Security-Policy of a page: its own style sheet and nothing else."""
    style = _templates().get_template("report.css").render()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; frame-ancestors 'none'"


def _explained(report: Report, standard: Standard) -> list[object]:
    # Of a later version there may be rules that are not carried here.
    return [standard.rules[code] for code in sorted(report.totals) if code in standard.rules]


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("validators.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
