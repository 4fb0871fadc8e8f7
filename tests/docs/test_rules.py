"""docs/rules.md is what the code and the standard say, and every rule is tested by its code."""

from pathlib import Path

import pytest

from tests.docs.pages import DOCS
from tests.validators import rules_page
from validators.standard import load_standard

TESTS = "".join(
    path.read_text("utf-8") for path in (Path(__file__).parents[1] / "validators").glob("test_*.py")
)


def test_the_page_is_up_to_date() -> None:
    assert (DOCS / "rules.md").read_text("utf-8") == rules_page.page()


@pytest.mark.parametrize("code", load_standard().rules)
def test_every_rule_is_applied_somewhere_and_named_by_a_test(code: str) -> None:
    assert rules_page.places()[code]
    assert code in TESTS
