"""A report as an answer: JSON, or as text, HTML or CSV where the caller asks for that."""

from collections.abc import Callable, Mapping
from typing import Any

from flask import Request, Response, jsonify

from gateway.flow.judgement import refusal_text
from validators.report import Report, render_text
from validators.report.page import content_policy, render_html
from validators.report.sheet import render_csv

FORMS: dict[str, Callable[[Report], str]] = {
    "text/plain": render_text,
    "text/html": render_html,
    "text/csv": render_csv,
}
"""The forms of a report besides JSON, by the media type that asks for them."""


def report_answer(request: Request, content: Mapping[str, Any]) -> Response:
    """Answer with a report as it is kept, in the form that the caller likes best."""
    form = request.accept_mimetypes.best_match(["application/json", *FORMS])
    if form not in FORMS:
        return jsonify(content)
    refused = refusal_text(content)
    if refused is not None:
        return Response(refused, content_type="text/plain; charset=utf-8")
    text = FORMS[form](Report.from_dict(content))
    shown = Response(text, content_type=f"{form}; charset=utf-8")
    if form == "text/html":
        shown.headers["Content-Security-Policy"] = content_policy()
    return shown
