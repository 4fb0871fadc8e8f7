"""A report as one JSON document for machines."""

import json

from validators.report.outcome import Report


def render_json(report: Report) -> str:
    """Return the report as text: the same facts give the same octets."""
    return f"{json.dumps(report.to_dict(), indent=2, sort_keys=True, ensure_ascii=False)}\n"
