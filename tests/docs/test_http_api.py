"""docs/http-api.md names every path of the API with the scope that it asks for."""

import re
from typing import cast

from gateway.records import SCOPES
from gateway.web import create_app
from gateway.web.application import MAX_JSON
from gateway.web.server import HEADER_BYTES, HEADERS
from gateway.wiring.web import WebServices
from tests.docs.pages import DOCS, ROOT

VARIABLE = re.compile(r"<[^>]+>")
PAGE = (DOCS / "http-api.md").read_text()


class _Anything:
    """Stands in for services that no route asks while it is being registered."""

    public_url = "https://gateway.example.org"
    certificate = b""
    certificate_text = log_verifier = ""
    checker_folder = None

    def __getattr__(self, name: str) -> object:
        return self


def test_every_path_is_on_the_page_and_none_else() -> None:
    app = create_app(cast("WebServices", _Anything()))
    served = {
        f"{method} {VARIABLE.sub('{name}', rule.rule)}"
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/v1")
    }
    written = re.findall(r"^\| `([A-Z]+ /v1[^`]*)` \|", PAGE, re.MULTILINE)
    assert {re.sub(r"\{[a-z_]+\}", "{name}", path) for path in written} == served


def test_scopes_are_those_of_the_code() -> None:
    written: dict[str, set[str]] = {}
    for path, scope in re.findall(r"^\| `[A-Z]+ (/v1[^`]*)` \| `([a-z:]+)`", PAGE, re.MULTILINE):
        written.setdefault(path.split("/")[2], set()).add(scope)
    guarded = {
        name: set(re.findall(r"guard\.needs\(Scope\.(\w+)\)", _source(name))) for name in written
    }
    assert {name: len(scopes) for name, scopes in guarded.items()} == {
        name: len(scopes) for name, scopes in written.items()
    }


def test_roles_have_the_scopes_that_the_page_gives_them() -> None:
    for role, scopes in SCOPES.items():
        (row,) = re.findall(rf"^\| {role} \| (.*) \|$", PAGE, re.MULTILINE)
        assert set(re.findall(r"`([a-z:]+)`", row)) == set(scopes)


def test_limits_are_those_of_the_code() -> None:
    assert f"not uploads: {MAX_JSON >> 10} KiB" in PAGE
    assert f"Headers: {HEADERS}, of {HEADER_BYTES:,} bytes each" in PAGE


def _source(name: str) -> str:
    module = name.replace("-", "_")
    return (ROOT / "gateway" / "web" / "api" / f"{module}.py").read_text()
