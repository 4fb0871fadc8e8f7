"""The pages that people read: HTML without scripts, fonts or anything from elsewhere.

Every value is escaped by the template engine. The addresses of anchors are part of the standard,
as reports and documents of agencies link to them: `records/CASE.html#field-sex`,
`rules.html#CT-030`, `codelists/CL_SEX.html#code-F`, `manifest.html#key-files`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from validators.definitions import RecordType, RuleText, Standard
from validators.publishing import lists
from validators.publishing.describing import values_of
from validators.publishing.links import Links
from validators.publishing.mappings import TARGETS
from validators.publishing.mappings import Mapping as FieldMapping
from validators.publishing.prose import Section, render_page, render_section, sections_of

TYPES = {
    "uuid": "UUID",
    "code": "Code",
    "code_list": "Codes",
    "string": "String",
    "text": "Text",
    "int": "Whole number",
    "decimal": "Decimal number",
    "bool": "True or false",
    "date": "Date",
    "partial_date": "Date or part of one",
    "yyyy-mm": "Month",
    "hex64": "Checksum or token",
    "base64": "Base64",
    "datetime": "Time",
    "object": "Object",
    "array": "List",
}
REQUIRED = {"R": "Required", "C": "Conditional", "O": "Optional"}
PRIVACY = {
    "N": "Not sensitive",
    "Q": "Quasi-identifier",
    "S": "Sensitive",
    "L": "Linkage token",
    "F": "Free text",
}
LEVELS = ("submission", "field", "record", "cross-record", "cross-submission")
"""What a rule looks at, from the order in which a package is checked."""

_PROSE = {1: "scope", 2: "package", 5: "agencies", 6: "linkage", 10: "sources"}
"""Sections that are a page of their own; the others are pages made from the data."""


@dataclass(frozen=True, slots=True)
class Texts:
    """What a version is published from besides its data."""

    standard: str
    changelog: str
    mappings: Sequence[FieldMapping]


class Pages:
    """Renders the pages of one version."""

    def __init__(self, standard: Standard, texts: Texts) -> None:
        self._standard, self._texts = standard, texts
        self._links = Links(standard)
        self._sections = sections_of(texts.standard)
        self._templates = _environment(self._links)

    def render(self) -> Iterator[tuple[str, str]]:
        """Yield the path of each page, in the folder of the version, and the page."""
        yield self._page("index.html", "index", sections=self._sections)
        yield from self._prose()
        yield from self._records()
        yield from self._codelists()
        yield self._page("rules.html", "rules", levels=_by_level(self._standard))
        yield self._page("manifest.html", "manifest")
        yield self._page("mappings.html", "mappings", **self._mapped())
        body = render_page(self._texts.changelog, self._links)
        yield self._page("changelog.html", "prose", title="Changes", body=body)

    def _prose(self) -> Iterator[tuple[str, str]]:
        for number, name in _PROSE.items():
            section = self._sections[number]
            body = self._body(section)
            yield self._page(f"{name}.html", "prose", title=section.title, body=body)

    def _records(self) -> Iterator[tuple[str, str]]:
        for record in self._standard.records.values():
            rules, values = list(rules_of(record, self._standard)), values_of(record)
            facts = {"record": record, "rules": rules, "values": values}
            yield self._page(f"records/{record.code}.html", "record", root="../", **facts)

    def _codelists(self) -> Iterator[tuple[str, str]]:
        yield self._page("codelists/index.html", "codelists", root="../")
        for codelist in self._standard.codelists.values():
            path = f"codelists/{codelist.code}.html"
            yield self._page(path, "codelist", root="../", codelist=codelist)

    def _mapped(self) -> dict[str, Any]:
        rows = self._texts.mappings
        by_record = {
            code: [row for row in rows if row.record_type == code]
            for code in self._standard.records
        }
        return {"mapped": by_record, "targets": TARGETS, "worked": self._body(self._sections[9])}

    def _body(self, section: Section) -> Markup:
        return render_section(section, self._links)

    def _page(self, path: str, template: str, *, root: str = "", **values: Any) -> tuple[str, str]:
        facts = {"standard": self._standard, "root": root, "path": path}
        return path, self._templates.get_template(f"{template}.html").render(**facts, **values)


def render_versions(standards: Sequence[Standard]) -> str:
    """Return the page that lists the versions, the newest first."""
    newest = standards[0]
    template = _environment(Links(newest)).get_template("versions.html")
    root = f"{newest.version}/"
    return template.render(standard=newest, standards=standards, root=root, path="")


def rules_of(record: RecordType, standard: Standard) -> Iterator[RuleText]:
    """Yield the rules that name a record type; those for all files and fields are not repeated."""
    for rule in standard.rules.values():
        if re.search(rf"\b{record.code}\b", rule.applies):
            yield rule


def _by_level(standard: Standard) -> Mapping[str, list[RuleText]]:
    return {
        level: [rule for rule in standard.rules.values() if rule.level == level] for level in LEVELS
    }


def _environment(links: Links) -> Environment:
    environment = Environment(
        loader=PackageLoader("validators.publishing"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )

    @pass_context
    def linked(context: Context, text: str) -> Markup:
        return links.inline(text, context["root"])

    environment.filters["linked"] = linked
    environment.globals.update(types=TYPES, required=REQUIRED, privacy=PRIVACY, lists=lists)
    return environment
