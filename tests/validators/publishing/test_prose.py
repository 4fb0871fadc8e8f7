"""Prose and inline text: links where something is named, and nothing that a browser would obey."""

import pytest

from validators.publishing.links import Links
from validators.publishing.lists import headings_of, note_of, title_of
from validators.publishing.prose import render_page, sections_of
from validators.standard import load_standard

STANDARD = load_standard()
LINKS = Links(STANDARD)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a < b & c", "a &lt; b &amp; c"),
        ("CL_SEX or TOTAL", '<a href="../codelists/CL_SEX.html">CL_SEX</a> or TOTAL'),
        ("see CT-031", 'see <a href="../rules.html#CT-031">CT-031</a>'),
        ("CL_NONE, CT-999", "CL_NONE, CT-999"),
        ("`CL_SEX`", '<a href="../codelists/CL_SEX.html"><code>CL_SEX</code></a>'),
        ("`<b>`", "<code>&lt;b&gt;</code>"),
        ("typeOfSex*, typeOfLabour*", "typeOfSex*, typeOfLabour*"),
    ],
)
def test_inline_text(text: str, shown: str) -> None:
    assert LINKS.inline(text, "../") == shown


def test_html_of_the_text_is_shown_and_not_obeyed() -> None:
    page = render_page("# T\n\n<script>x</script> `<i>` [a](javascript:x)\n", LINKS)
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "<code>&lt;i&gt;</code>" in page
    assert "href" not in page


def test_table_gets_a_caption_and_scopes_and_escapes_its_heading() -> None:
    page = render_page("# T\n\n## A & B\n\n| x | y |\n|---|---|\n| 1 | 2 |\n", LINKS)
    assert '<h2 id="a-b">A &amp; B</h2>' in page
    assert "<caption>A &amp; B</caption>" in page
    assert page.count('<th scope="col">') == 2


def test_sections_are_those_of_the_text() -> None:
    found = sections_of("# T\n\n## 1. One\n\na\n\n## 2. Two\n\n### 2.1 b\n")
    assert [(each.number, each.title) for each in found.values()] == [(1, "One"), (2, "Two")]
    assert found[1].text.strip() == "a"


def test_columns_of_a_list_are_called_what_its_title_says() -> None:
    means = STANDARD.codelists["CL_MEANS"]
    assert title_of(means) == "Means of control"
    assert [each.title for each in headings_of(means)] == ["Code", "Label", "HTCDS", "CTDC 2024"]
    ethnicity = STANDARD.codelists["CL_ETHNICITY"]
    assert title_of(ethnicity) == "Ethnic group"
    assert note_of(ethnicity) == "Code: DfE census code + ARAB."
    assert title_of(STANDARD.codelists["CL_REGION"]) == "Region of England (aggregate only)"
    assert note_of(STANDARD.codelists["CL_REGION"]) == ""
