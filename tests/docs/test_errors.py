"""docs/errors.md has every code that can reach a person and no other."""

import re

from gateway.web.problems import CODES, STATUS
from tests.docs.codes import error_classes, in_nginx, raised
from tests.docs.pages import DOCS, first_column
from validators.refusal import REASONS
from validators.standard import load_standard

CLASSES = (
    "crypto.refusals",
    "crypto.errors",
    "audit.errors",
    "validators.browser",
    "validators.errors",
    "validators.manifest",
    "validators.building",
    "validators.converting.problems",
    "validators.profile",
    "validators.report.givenback",
    "validators.strictjson",
    "validators.readers.row",
)


def in_the_code() -> set[str]:
    """Every code, from where it is defined."""
    return (
        raised("gateway")
        | raised("crypto")
        | error_classes(*CLASSES)
        | set(REASONS)
        | set(CODES.values())
        | in_nginx()
    )


def test_every_code_is_documented_and_none_else() -> None:
    assert set(first_column("errors.md")) == in_the_code()


def test_each_code_is_explained_once_in_a_section() -> None:
    text = (DOCS / "errors.md").read_text()
    for part in re.split(r"^## ", text, flags=re.MULTILINE):
        codes = re.findall(r"^\| `([^`]+)` \|", part, re.MULTILINE)
        assert len(codes) == len(set(codes)), part.splitlines()[0]


def test_statuses_are_those_that_are_answered() -> None:
    text = (DOCS / "errors.md").read_text()
    written = dict(re.findall(r"^\| `([^`]+)` \| (\d{3}) \|", text, re.MULTILINE))
    for status, code in CODES.items():
        assert written[code] == str(status)
    assert {int(status) for status in written.values()} <= {
        *(int(status) for status in STATUS.values()),
        *CODES,
        429,  # nginx
    }


def test_the_page_names_the_last_rule() -> None:
    assert f"CT-001 to {max(load_standard().rules)}" in (DOCS / "errors.md").read_text()
