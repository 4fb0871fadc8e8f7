"""The project's pages as tests read them."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def pages() -> list[Path]:
    """Every page that people read."""
    return sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *DOCS.rglob("*.md")])


def first_column(page: str) -> list[str]:
    """What stands in backticks at the start of each table row of a page."""
    text = (DOCS / page).read_text()
    return re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE)


def section(page: str, title: str) -> str:
    """The text under one heading, up to the next heading of any level."""
    text = (DOCS / page).read_text()
    found = re.search(rf"^#+ {re.escape(title)}\n(.*?)(?=^#|\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"{page} has no section {title}"
    return found[1]


def anchor(title: str) -> str:
    """The fragment that GitHub and most renderers give a heading."""
    plain = re.sub(r"[`*]|\[([^]]*)]\([^)]*\)", lambda match: match[1] or "", title)
    kept = re.sub(r"[^\w\- ]", "", plain.strip().lower())
    return kept.replace(" ", "-")
