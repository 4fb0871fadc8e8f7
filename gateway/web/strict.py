"""Request bodies as strict JSON (RFC 8259): one object, no key twice, no NaN, of little depth.

A key that stands twice is read differently by different readers; ten thousand brackets end the
interpreter's stack, not the caller's patience.
"""

from typing import Any

from flask import Request, abort
from flask_smorest import Blueprint
from webargs.flaskparser import FlaskParser

from validators.strictjson import JsonRefused, load_object


class _StrictParser(FlaskParser):
    """webargs' parser with the standard's own reader of JSON."""

    def _raw_load_json(self, req: Request) -> Any:
        if not req.is_json:
            abort(415)
        try:
            return load_object(req.get_data(cache=True).decode("utf-8"))
        except (JsonRefused, UnicodeDecodeError):
            abort(400)


class Routes(Blueprint):  # type: ignore[misc]  # flask-smorest ships no types
    """A blueprint whose bodies are read strictly."""

    ARGUMENTS_PARSER = _StrictParser()
