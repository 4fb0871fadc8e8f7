"""Links within the pages of one version: where a rule, a list, a record type or a field stands.

Every address is relative, so that the pages work on a gateway, on any other server and from a
folder. `root` is the way from the page that links to the folder of the version: "" or "../".
"""

import re
from dataclasses import dataclass

from markupsafe import Markup, escape

from validators.definitions import Standard

_TOKEN = re.compile(r"`([^`]+)`|\b(CL_[A-Z][A-Z0-9_]*[A-Z0-9]|CT-[0-9]{3})\b")


@dataclass(frozen=True, slots=True)
class Links:
    """Turns the standard's own plain text into HTML whose rules and lists are links."""

    standard: Standard

    def inline(self, text: str, root: str) -> Markup:
        """Return a text escaped, with `code` as code, and every rule and list it names linked."""
        parts, at = [], 0
        for match in _TOKEN.finditer(text):
            parts.append(escape(text[at : match.start()]))
            parts.append(self._marked(match, root))
            at = match.end()
        return Markup("").join([*parts, escape(text[at:])])

    def code(self, text: str, root: str) -> Markup:
        """Return a text as code, linked if it is a rule or a list."""
        shown = Markup("<code>{}</code>").format(text)
        address = self.address(text)
        return shown if address is None else _link(f"{root}{address}", shown)

    def address(self, name: str) -> str | None:
        """Return where a rule, a list or a record type stands, or None for another name."""
        if name in self.standard.rules:
            return f"rules.html#{name}"
        if name in self.standard.codelists:
            return f"codelists/{name}.html"
        if name in self.standard.records:
            return f"records/{name}.html"
        return None

    def _marked(self, match: re.Match[str], root: str) -> Markup:
        if match[1] is not None:
            return self.code(match[1], root)
        address = self.address(match[2])
        return escape(match[2]) if address is None else _link(f"{root}{address}", escape(match[2]))


def _link(address: str, shown: Markup) -> Markup:
    return Markup('<a href="{}">{}</a>').format(address, shown)
