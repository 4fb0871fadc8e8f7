"""A finding: which rule, where, what is wrong and how to mend it.

Owns the two forms of the sentence. The full one repeats what the agency sent and goes only to that
agency, encrypted; the redacted one keeps the place, the names of the standard, limits and counts,
and nothing else, so that it may be stored and shown. Which values a redacted finding keeps stands
with each rule in the data (`redacted.json`): a value is kept by decision, never by default.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from validators.filenames import (
    ATTACHMENTS,
    MANIFEST_NAME,
    is_workbook,
    record_type_of,
    sheet_address,
    sheet_of,
)
from validators.standard import RuleText, Standard, load_standard, load_standards

_LONGEST_VALUE = 80
_MOST_CODES = 12
_OURS = frozenset({"detail"})  # a clause of our own words, never text of the sender
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Finding:
    """One breach of one rule; `row` is what a spreadsheet shows, where the header is row 1.

    `file` is a file of the package, or the address of a sheet in it. Sentences, severity and level
    are those of one version of the standard.
    """

    rule: str
    severity: str
    level: str
    file: str | None
    row: int | None
    column: str | None
    record_type: str | None
    values: Mapping[str, str]
    standard: Standard = field(default_factory=load_standard, compare=False, repr=False)

    def under(self, standard: Standard) -> "Finding":
        """Return the finding as this version of the standard tells it, which must have the rule."""
        if standard is self.standard:
            return self
        rule = standard.rules[self.rule]
        return replace(
            self,
            severity=rule.severity,
            level=rule.level,
            values={**_named(rule, self.column), **self.values},
            standard=standard,
        )

    def message(self) -> str:
        """Return the whole sentence, with the values if the finding still has them."""
        rule = self.standard.rules[self.rule]
        if "detail" in self.values and "{detail}" not in rule.message:
            return self._explained(self.values["detail"])
        full = _placeholders(rule.message) <= self.values.keys()
        return _filled(rule.message if full else rule.redacted, self.values)

    @property
    def where(self) -> tuple[str | None, str | None]:
        """The file, and its sheet where it is a workbook."""
        return (None, None) if self.file is None else sheet_of(self.file)

    @property
    def mend(self) -> str:
        """How to mend it, in one sentence, which fits the column where there is one for it."""
        rule = self.standard.rules[self.rule]
        record = self.standard.records.get(self.record_type or "")
        if not rule.mends or record is None or self.column not in record.header:
            return rule.mend
        column = record.field(self.column)
        allowed = self.standard.allowed_codes(column)
        if "few" in rule.mends and 0 < len(allowed) <= _MOST_CODES:
            return rule.mends["few"].format(codes=_one_of(sorted(allowed)))
        absent = self.standard.absent_in(column)
        if "absent" in rule.mends and absent:
            told = [f"{code} ({why[:1].lower()}{why[1:]})" for code, why in absent.items()]
            return rule.mends["absent"].format(codes=_one_of(told))
        return rule.mends.get(column.type, rule.mend)

    @property
    def link(self) -> str:
        """Where a gateway explains the rule."""
        return self.standard.rule_path(self.rule)

    def redacted(self) -> "Finding":
        """Return the finding without anything that the sender wrote."""
        keep = _placeholders(self.standard.rules[self.rule].redacted) | _OURS
        public = _public_names(self.standard)
        values = {name: text for name, text in self.values.items() if name in keep}
        if "name" in values:
            values["name"] = _public_file(values["name"]) or "…"
        for name in ("field", "column"):
            if values.get(name, "record_id") not in public:
                del values[name]
        return replace(
            self,
            file=_public_file(self.file),
            column=self.column if self.column in public else None,
            values=values,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-able facts, with both sentences for readers without the standard."""
        return {
            "rule": self.rule,
            "severity": self.severity,
            "level": self.level,
            "file": self.where[0],
            "sheet": self.where[1],
            "row": self.row,
            "column": self.column,
            "record_type": self.record_type,
            "values": dict(self.values),
            "message": self.message(),
            "mend": self.mend,
            "link": self.link,
        }

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any], standard: Standard) -> "Finding":
        """Return the finding that `to_dict` described, under the version of its report.

        A rule that is not known here, as the report is of a later version, keeps the words told.
        """
        if raw["rule"] not in standard.rules:
            standard = replace(standard, rules={**standard.rules, raw["rule"]: _as_told(raw)})
        facts = {name: raw[name] for name in cls.__slots__ if name != "standard"}
        if raw.get("sheet"):
            facts["file"] = sheet_address(raw["file"], raw["sheet"])
        return cls(**facts, standard=standard)

    def _explained(self, detail: str) -> str:
        place = self.column or self.values.get("name") or self.file
        sentence = f"{place}: {detail}." if place else f"{detail[:1].upper()}{detail[1:]}."
        given = self.values.get("given")
        return f"{sentence[:-1]} ({given})." if given else sentence


def finding(
    code: str,
    /,
    *,
    file: str | None = None,
    row: int | None = None,
    column: str | None = None,
    **values: object,
) -> Finding:
    """Return a finding of this rule, under the newest version that has it.

    Whoever collects it puts it under the version that is judged by (`validators.collected`).
    `values` fill the rule's message. `detail` replaces the sentence by a clause of our own.
    """
    standard = _newest_with(code)
    rule = standard.rules[code]
    shown = {name: _shown(name, value) for name, value in values.items()}
    return Finding(
        rule=code,
        severity=rule.severity,
        level=rule.level,
        file=None if file is None else _shown("file", file),
        row=row,
        column=column,
        record_type=_record_type(file),
        values=_named(rule, column) | shown,
        standard=standard,
    )


def _as_told(raw: Mapping[str, Any]) -> RuleText:
    """A rule as far as a finding of it says; its sentence is whole, so nothing is filled in."""
    message = _PLACEHOLDER.sub(r"\1", raw["message"])
    return RuleText(
        code=raw["rule"],
        severity=raw["severity"],
        level=raw["level"],
        applies="",
        test="",
        message=message,
        mend=raw["mend"],
        redacted=message,
    )


def _newest_with(code: str) -> Standard:
    newest = load_standard()
    if code in newest.rules:
        return newest
    versions = list(load_standards().values())[::-1]
    return next((each for each in versions if code in each.rules), newest)


def _one_of(words: Sequence[str]) -> str:
    """Words as one chooses from them: "YES, NO or UNK"."""
    *rest, last = words
    return f"{', '.join(rest)} or {last}" if rest else last


def _named(rule: RuleText, column: str | None) -> dict[str, str]:
    """The column under the name that the message has for it."""
    if column is None:
        return {}
    return {name: column for name in ("field", "column") if name in _placeholders(rule.message)}


def _shown(name: str, value: object) -> str:
    """Text fit for a report: of bounded length, and with nothing that a terminal obeys."""
    text = str(value)
    if name not in _OURS and len(text) > _LONGEST_VALUE:
        text = f"{text[:_LONGEST_VALUE]}…"
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in text)


def _record_type(file: str | None) -> str | None:
    return None if file is None else record_type_of(file)


def _is_public_file(file: str) -> bool:
    is_fixed = file == MANIFEST_NAME or is_workbook(file)
    return is_fixed or record_type_of(file) is not None


def _public_file(file: str | None) -> str | None:
    # Whoever names an attachment may name a child in it.
    if file is None or _is_public_file(file):
        return file
    return f"{ATTACHMENTS}…" if file.startswith(ATTACHMENTS) else None


@cache
def _public_names(standard: Standard) -> frozenset[str]:
    fields = {name for kind in standard.records.values() for name in kind.header}
    keys = {key.name for key in standard.manifest_keys}
    return frozenset(fields | keys | set(standard.prohibited))


@cache
def _placeholders(template: str) -> frozenset[str]:
    return frozenset(_PLACEHOLDER.findall(template))


def _filled(template: str, values: Mapping[str, str]) -> str:
    # Not str.format: a value must stay text, whatever braces it holds.
    return _PLACEHOLDER.sub(lambda match: values.get(match[1], "the value"), template)
