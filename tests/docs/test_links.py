"""Every link between the project's pages leads somewhere, and every page can be reached."""

import re
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, ROOT, anchor, pages

LINK = re.compile(r"\[[^]]*]\(([^)\s]+)\)")
MODULE = re.compile(r"`((?:gateway|crypto|audit|validators)\.[\w.]+)`")
CODE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def links(page: Path) -> list[str]:
    """The targets on a page that are not elsewhere in the world."""
    found = LINK.findall(CODE.sub("", page.read_text()))
    return [target for target in found if not target.startswith(("https://", "http://"))]


def name(page: Path) -> str:
    """A page as a test's id."""
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", pages(), ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in links(page):
        path, _, fragment = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), target
        assert file.is_relative_to(ROOT), target
        if fragment:
            titles = re.findall(r"^#+ (.+)$", CODE.sub("", file.read_text()), re.MULTILINE)
            assert fragment in {anchor(title) for title in titles}, target


def test_every_page_can_be_reached_from_the_readme() -> None:
    seen: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in seen or page.suffix != ".md":
            continue
        seen.add(page)
        targets = (target.partition("#")[0] for target in links(page))
        waiting += [(page.parent / target).resolve() for target in targets if target]
    unreached = {page for page in pages() if page.is_relative_to(DOCS)} - seen
    assert not unreached


def test_paths_of_the_code_that_pages_name_exist() -> None:
    for page in pages():
        for path in re.findall(r"`((?:deploy|tests|docs)/[\w./*-]+)`", page.read_text()):
            assert list(ROOT.glob(path.rstrip("/"))), f"{page.name}: {path}"


def test_modules_that_pages_name_exist() -> None:
    for page in pages():
        for dotted in MODULE.findall(page.read_text()):
            assert _is_ours(dotted), f"{page.name}: {dotted}"


def test_the_readme_fits_two_screens() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 80


def _is_ours(dotted: str) -> bool:
    """Whether a dotted name is a module, or a name that stands in one."""
    parts = dotted.split(".")
    for size in range(len(parts), 0, -1):
        place = ROOT.joinpath(*parts[:size])
        file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
        if file.is_file():
            return size == len(parts) or parts[size] in file.read_text()
    return False
