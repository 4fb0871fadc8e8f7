"""The text of the standard as HTML, section by section.

CommonMark with tables; HTML within the text is shown, never obeyed. Tables get what readers of
screens need: a caption, and the scope of each heading; those that are wide scroll by themselves.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup, escape

from validators.publishing.links import Links

_SECTION = re.compile(r"^## ([0-9]+)\. (.+)$", re.MULTILINE)
_TITLE = re.compile(r"^# .+\n")


@dataclass(frozen=True, slots=True)
class Section:
    """One numbered section of the text, without its heading."""

    number: int
    title: str
    text: str


def sections_of(text: str) -> dict[int, Section]:
    """Return the numbered sections of STANDARD.md."""
    heads = list(_SECTION.finditer(text))
    ends = [head.start() for head in heads[1:]] + [len(text)]
    return {
        int(head[1]): Section(int(head[1]), head[2], text[head.end() : end])
        for head, end in zip(heads, ends, strict=True)
    }


def render_section(section: Section, links: Links) -> Markup:
    """Return a section; its headings of the third level become those of the second."""
    return _rendered(section.text, links, caption=section.title, up=1)


def render_page(text: str, links: Links) -> Markup:
    """Return a whole page, without its title."""
    return _rendered(_TITLE.sub("", text), links, caption="", up=0)


def _rendered(text: str, links: Links, *, caption: str, up: int) -> Markup:
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = list(_accessible(reader.parse(text), links, caption=caption, up=up))
    return Markup(reader.renderer.render(tokens, reader.options, {}))  # noqa: S704 - html is off


def _accessible(tokens: list[Token], links: Links, *, caption: str, up: int) -> Iterator[Token]:
    for at, token in enumerate(tokens):
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{int(token.tag[1]) - up}"
        if token.type == "heading_open":
            caption = tokens[at + 1].content
            token.attrSet("id", _anchor(caption))
        if token.type == "th_open":
            token.attrSet("scope", "col")
        if token.type == "inline":
            token.children = [_linked(each, links) for each in token.children or ()]
        yield from _wrapped(token, caption)


def _wrapped(token: Token, caption: str) -> Iterator[Token]:
    if token.type == "table_open":
        label = escape(caption)
        yield _html(f'<div class="wide" role="region" aria-label="{label}" tabindex="0">')
        yield token
        yield _html(f"<caption>{label}</caption>")
    elif token.type == "table_close":
        yield token
        yield _html("</div>")
    else:
        yield token


def _linked(token: Token, links: Links) -> Token:
    if token.type == "text":
        return Token("html_inline", "", 0, content=str(links.inline(token.content, "")))
    if token.type == "code_inline":
        return Token("html_inline", "", 0, content=str(links.code(token.content, "")))
    return token


def _html(content: str) -> Token:
    return Token("html_block", "", 0, content=f"{content}\n")


def _anchor(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
