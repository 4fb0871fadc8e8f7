"""What is published: whole, as carried, the same each time, and pages that anyone can read."""

import csv
import itertools
import json
import re
import tomllib
from configparser import ConfigParser
from functools import cache
from importlib.resources import files
from io import StringIO
from pathlib import Path, PurePosixPath
from posixpath import normpath
from typing import Any
from xml.etree.ElementTree import Element

import html5lib
import pytest

from validators.publishing import publish, published
from validators.publishing.site import AS_CARRIED
from validators.standard import data_folder, load_standard

STANDARD = load_standard()
FOLDER = Path(str(files("validators"))) / "data/ctds-1.0"
PAGES = sorted(path for path in published() if path.endswith(".html"))
ALL_FIELDS = [(code, each.name) for code, kind in STANDARD.records.items() for each in kind.fields]


@cache
def page(path: str) -> Element:
    """A page, parsed as a browser does; any error of its HTML fails."""
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    root: Element = parser.parse(published()[path].decode())
    return root


def ids(path: str) -> list[str]:
    return [each.attrib["id"] for each in page(path).iter() if "id" in each.attrib]


def text_of(element: Element) -> str:
    return " ".join("".join(element.itertext()).split())


def test_everything_has_its_place() -> None:
    assert {path for path in published() if "/" not in path} == {"index.html"}
    wanted = {
        *("index.html", "scope.html", "package.html", "agencies.html", "linkage.html"),
        *("sources.html", "rules.html", "manifest.html", "mappings.html", "changelog.html"),
        *("standard.css", "csv-metadata.json", "schemas/manifest.schema.json"),
        *("codelists/index.html", *AS_CARRIED),
        *(f"records/{code}.html" for code in STANDARD.records),
        *(f"schemas/{code}.schema.json" for code in STANDARD.records),
        *(f"example/{code}.csv" for code in STANDARD.records),
        *(f"codelists/{code}.{end}" for code in STANDARD.codelists for end in _LIST_ENDS),
    }
    assert {path.removeprefix("1.0/") for path in published() if "/" in path} == wanted


_LIST_ENDS = ("html", "csv", "json")


def test_data_is_published_byte_for_byte() -> None:
    lists = (f"codelists/{code}.csv" for code in STANDARD.codelists)
    example = (f"example/{code}.csv" for code in STANDARD.records)
    for name in (*AS_CARRIED, *lists, *example):
        assert published()[f"1.0/{name}"] == (FOLDER / name).read_bytes()


def test_it_is_the_same_each_time() -> None:
    again = publish(STANDARD, data_folder(STANDARD))
    assert {f"1.0/{path}": data for path, data in again.items()} == {
        path: data for path, data in published().items() if path.startswith("1.0/")
    }


@pytest.mark.parametrize(("code", "name"), ALL_FIELDS, ids=lambda each: each)
def test_field_has_its_anchor(code: str, name: str) -> None:
    assert ids(f"1.0/records/{code}.html").count(f"field-{name}") == 1


@pytest.mark.parametrize("code", STANDARD.records)
def test_record_page_tells_the_fields_in_order_and_what_they_take(code: str) -> None:
    record = STANDARD.records[code]
    table = next(page(f"1.0/records/{code}.html").iter("table"))
    rows = [[text_of(cell) for cell in row] for row in table.iter("tr")][1:]
    assert tuple(row[0] for row in rows) == record.header
    for field, row in zip(record.fields, rows, strict=True):
        assert row[2][0] == field.required
        assert row[5] == field.note.replace("`", "")
        assert "as above" not in row[3]
        assert ("missing-value code" in row[3]) == field.sentinels
        assert all(name in row[3] for name in field.codelists)


@pytest.mark.parametrize("code", STANDARD.rules)
def test_rule_has_its_anchor_and_says_all(code: str) -> None:
    rule = STANDARD.rules[code]
    (section,) = [each for each in page("1.0/rules.html").iter() if each.get("id") == code]
    said = text_of(section)
    test = rule.test.replace("`", "")
    for part in (rule.severity.capitalize(), test, rule.message, rule.mend.replace("`", "")):
        assert part in said
    for part in (rule.applies, rule.level.capitalize(), f"CTDS 1.0, section {rule.clause}"):
        assert part in said


def test_reports_link_to_where_a_rule_is() -> None:
    assert STANDARD.rule_path("CT-030") == "/standard/1.0/rules#CT-030"


@pytest.mark.parametrize("code", STANDARD.codelists)
def test_list_has_a_page_and_a_document_with_every_code(code: str) -> None:
    codelist = STANDARD.codelists[code]
    anchors = [each for each in ids(f"1.0/codelists/{code}.html") if each.startswith("code-")]
    assert anchors == [f"code-{each}" for each in codelist.items]
    document: dict[str, Any] = json.loads(published()[f"1.0/codelists/{code}.json"])
    table = csv.DictReader(StringIO(published()[f"1.0/codelists/{code}.csv"].decode()))
    assert document["rows"] == list(table)
    assert [each["name"] for each in document["columns"]] == list(table.fieldnames or ())


def test_manifest_keys_have_anchors() -> None:
    assert {f"key-{key.name}" for key in STANDARD.manifest_keys} <= set(ids("1.0/manifest.html"))


@pytest.mark.parametrize("path", PAGES)
def test_links_lead_somewhere(path: str) -> None:
    for element in page(path).iter():
        target = element.get("href")
        if target is None:
            continue
        assert not re.match(r"[a-z]+:|/", target), target
        address, _, fragment = target.partition("#")
        folder = PurePosixPath(path).parent
        there = normpath((folder / address).as_posix()) if address else path
        assert there in published(), target
        if fragment:
            assert fragment in ids(there), target


@pytest.mark.parametrize("path", PAGES)
def test_page_is_for_everyone(path: str) -> None:
    """WCAG 2.2: 1.3.1, 2.4.1, 2.4.2, 2.4.6, 3.1.1, 4.1.2, as far as markup can show."""
    root = page(path)
    found = ids(path)
    assert root.get("lang") == "en-GB"
    assert text_of(next(root.iter("title")))
    assert len(found) == len(set(found))
    for landmark in ("main", "header", "footer"):
        assert len(list(root.iter(landmark))) == 1
    assert all(each.get("aria-label") for each in root.iter("nav"))
    first = next(root.iter("a"))
    assert (first.get("class"), first.get("href")) == ("skip", "#main")
    levels = [int(each.tag[1]) for each in root.iter() if re.fullmatch("h[1-6]", str(each.tag))]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    for table in root.iter("table"):
        assert text_of(next(table.iter("caption")))
        assert all(each.get("scope") in ("col", "row") for each in table.iter("th"))
    for region in root.iter("div"):
        if region.get("role") == "region":
            assert region.get("aria-label")
            assert region.get("tabindex") == "0"


@pytest.mark.parametrize("path", PAGES)
def test_page_needs_nothing_else_and_runs_nothing(path: str) -> None:
    for element in page(path).iter():
        assert element.tag not in ("script", "style", "iframe", "img", "form", "object", "embed")
        assert not [name for name in element.attrib if name.startswith("on") or name == "style"]
        if element.tag == "link":
            assert element.get("rel") == "stylesheet"
    css = published()["1.0/standard.css"].decode()
    assert "url(" not in css
    assert "@import" not in css


def test_titles_tell_pages_apart() -> None:
    titles = [text_of(next(page(path).iter("title"))) for path in PAGES]
    assert len(titles) == len(set(titles))


def test_nothing_is_lost_of_the_text() -> None:
    """Each sentence of the sections that are pages stands on one of them."""
    shown = " ".join(text_of(page(path)) for path in PAGES if path.startswith("1.0/"))
    text = (FOLDER / "STANDARD.md").read_text(encoding="utf-8")
    for number in (1, 2, 5, 6, 9, 10):
        body = re.split(r"^## \d+\. .+$", text, flags=re.MULTILINE)[number]
        for line in filter(None, re.split(r"\n|\| ", body)):
            words = re.sub(r"[`*\\]|^#+ |^\d\. |^\* |\|$|^\| ?", "", line).strip()
            if len(words) > 20 and not set(words) <= set("|-"):
                assert words[:60].strip() in re.sub(r"[*\\]", "", shown), words


def test_a_wheel_carries_the_templates_and_the_data() -> None:
    """Every file is matched by a pattern of package_data, so that none is left behind."""
    config = ConfigParser(inline_comment_prefixes=("#",))
    root = Path(__file__).parents[3]
    config.read(root / "setup.cfg")
    assert (
        "setuptools"
        in tomllib.loads((root / "pyproject.toml").read_text())["build-system"]["build-backend"]
    )
    patterns = config["options.package_data"]["validators"].split(", ")
    package = Path(str(files("validators")))
    carried = {file for pattern in patterns for file in package.glob(pattern)}
    for folder in ("data", "publishing/templates"):
        assert {file for file in (package / folder).rglob("*") if file.is_file()} <= carried


def test_css_keeps_to_colours_that_can_be_read() -> None:
    """WCAG 2.2, 1.4.3: text has a contrast of at least 4.5 to 1 with what it stands on."""
    css = published()["1.0/standard.css"].decode()
    colour = dict(re.findall(r"--(\w+): (#[0-9a-f]{3,6});", css))
    pairs = [(text, ground) for text in ("ink", "quiet", "link") for ground in ("paper", "shade")]
    pairs += [("error", "paper"), ("warning", "paper"), ("paper", "deep"), ("ink", "focus")]
    for text, ground in pairs:
        assert _contrast(colour[text], colour[ground]) >= 4.5, (text, ground)
    for text in ("error", "warning", "link", "quiet"):
        assert _contrast(colour[text], "#fff6dd") >= 4.5, text


def _contrast(one: str, other: str) -> float:
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(each * 2 for each in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
