"""The parts of an ODS file that are the same whatever it says, and how its elements are made."""

from collections.abc import Iterable, Mapping
from typing import Any
from xml.etree import ElementTree

from validators.templates import looks

_INCHES = 0.08  # that a character takes

MIMETYPE = "application/vnd.oasis.opendocument.spreadsheet"

_OASIS = "urn:oasis:names:tc:opendocument:xmlns:"
_NAMES = {
    **{name: f"{_OASIS}{name}:1.0" for name in ("office", "table", "text", "style", "config")},
    "fo": f"{_OASIS}xsl-fo-compatible:1.0",
    "svg": f"{_OASIS}svg-compatible:1.0",
    "number": f"{_OASIS}datastyle:1.0",
    "of": f"{_OASIS}of:1.2",
    # LibreOffice knows its own settings by this name alone.
    "ooo": "http://openoffice.org/2004/office",
    "xlink": "http://www.w3.org/1999/xlink",
}

MANIFEST = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    f'<manifest:manifest xmlns:manifest="{_OASIS}manifest:1.0" manifest:version="1.3">'
    f'<manifest:file-entry manifest:full-path="/" manifest:version="1.3"'
    f' manifest:media-type="{MIMETYPE}"/>'
    '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/>'
    '<manifest:file-entry manifest:full-path="styles.xml" manifest:media-type="text/xml"/>'
    '<manifest:file-entry manifest:full-path="settings.xml" manifest:media-type="text/xml"/>'
    "</manifest:manifest>"
).encode()


def element(name: str, *children: Any, **attributes: str) -> Any:
    """An element, its name and those of its attributes with a prefix; a child may be its text."""
    made = ElementTree.Element(name, attributes)
    for child in children:
        if isinstance(child, str):
            made.text = child
        else:
            made.append(child)
    return made


def serialised(document: Any) -> bytes:
    """A part of the file; values name prefixes, too, so its root declares all of them."""
    document.attrib |= {f"xmlns:{prefix}": name for prefix, name in _NAMES.items()}
    return bytes(ElementTree.tostring(document, encoding="UTF-8", xml_declaration=True))


def width_style(width: int) -> str:
    """The name of the style of a column that is so many characters wide."""
    return f"width{width}"


def height_style(lines: int) -> str:
    """The name of the style of a row that holds so many lines of text."""
    return f"lines{lines}"


def styles_of(widths: Iterable[int]) -> Any:
    """The styles that the cells, columns and rows name."""
    return element(
        "office:automatic-styles",
        element("number:text-style", element("number:text-content"), **{"style:name": "as-text"}),
        *(_width(width) for width in sorted(widths)),
        *(_height(lines) for lines in range(1, looks.MOST_LINES + 1)),
        _cell("text"),
        _cell("wrapped", wraps="wrap"),
        _cell("bold", letters={"fo:font-weight": "bold"}),
        _cell("title", letters={"fo:font-weight": "bold", "fo:font-size": "16pt"}),
        _cell("link", letters={"fo:color": f"#{looks.LINK}"}),
        *(_head(required) for required in looks.HEADS),
    )


def _cell(
    name: str,
    *,
    wraps: str = "no-wrap",
    letters: Mapping[str, str] | None = None,
    ground: Mapping[str, str] | None = None,
) -> Any:
    properties = {"fo:wrap-option": wraps, "style:vertical-align": "top", **(ground or {})}
    return element(
        "style:style",
        element("style:table-cell-properties", **properties),
        element("style:text-properties", **(letters or {})),
        **{
            "style:name": name,
            "style:family": "table-cell",
            "style:parent-style-name": "Default",
            "style:data-style-name": "as-text",
        },
    )


def _head(required: str) -> Any:
    ground, letters = looks.HEADS[required]
    return _cell(
        f"head-{required}",
        letters={"fo:font-weight": "bold", "fo:color": f"#{letters}"},
        ground={"fo:background-color": f"#{ground}"},
    )


def _width(width: int) -> Any:
    wide = element(
        "style:table-column-properties", **{"style:column-width": f"{width * _INCHES:.3f}in"}
    )
    return element(
        "style:style",
        wide,
        **{"style:name": width_style(width), "style:family": "table-column"},
    )


def _height(lines: int) -> Any:
    high = element(
        "style:table-row-properties",
        **{
            "style:row-height": f"{looks.LINE_HEIGHT * lines}pt",
            "style:use-optimal-row-height": "false",
        },
    )
    return element(
        "style:style", high, **{"style:name": height_style(lines), "style:family": "table-row"}
    )


def _styles() -> bytes:
    default = element("style:style", **{"style:name": "Default", "style:family": "table-cell"})
    document = element(
        "office:document-styles",
        element("office:styles", default),
        **{"office:version": "1.3"},
    )
    return serialised(document)


STYLES = _styles()


def settings(active: str, frozen: Mapping[str, tuple[int, int]]) -> bytes:
    """The settings: the sheet in view, and the columns and rows of each that stay in view."""
    sheets = (_view(name, columns, rows) for name, (columns, rows) in frozen.items())
    view = element(
        "config:config-item-map-entry",
        _item("ViewId", "string", "view1"),
        element("config:config-item-map-named", *sheets, **{"config:name": "Tables"}),
        _item("ActiveTable", "string", active),
    )
    views = element("config:config-item-map-indexed", view, **{"config:name": "Views"})
    items = element("config:config-item-set", views, **{"config:name": "ooo:view-settings"})
    document = element(
        "office:document-settings",
        element("office:settings", items),
        **{"office:version": "1.3"},
    )
    return serialised(document)


def _view(name: str, columns: int, rows: int) -> Any:
    return element(
        "config:config-item-map-entry",
        _item("HorizontalSplitMode", "short", "2" if columns else "0"),
        _item("VerticalSplitMode", "short", "2" if rows else "0"),
        _item("HorizontalSplitPosition", "int", str(columns)),
        _item("VerticalSplitPosition", "int", str(rows)),
        _item("ActiveSplitRange", "short", "3" if columns else "2"),
        _item("PositionRight", "int", str(columns)),
        _item("PositionBottom", "int", str(rows)),
        **{"config:name": name},
    )


def _item(name: str, kind: str, text: str) -> Any:
    return element("config:config-item", text, **{"config:name": name, "config:type": kind})
