"""Record rules of NARR: CT-098 and CT-099, and CT-014 for attachments (CTDS section 8)."""

from collections.abc import Iterator

from validators.rules.rule import SENTINELS, Record, RecordContext, Rule, Violation, violation

_NEED_CONSENT = frozenset({"CHILD_VOICE", "CASE_STUDY"})
_MAY_BE_QUOTED = frozenset({"CHILD", "BOTH", "NOT_NEEDED"})


def has_redacted_content(record: Record, _ctx: RecordContext) -> Iterator[Violation]:
    """CT-098: there is a text or a document, and somebody has redacted it."""
    if record.get("body") is None and record.get("attachment_name") is None:
        yield violation("body")
    if record.get("redaction_confirmed") is not True:
        yield violation("redaction_confirmed")


def consent_allows_use(record: Record, _ctx: RecordContext) -> Iterator[Violation]:
    """CT-099: a child's own story has consent, and quoting has the child's.

    Consent that is declined, withheld or not known is none.
    """
    consent = record.get("child_consent")
    if record.get("narrative_type") in _NEED_CONSENT and consent in {None, "NO", *SENTINELS}:
        yield violation("child_consent")
    if record.get("publishable") == "YES" and consent not in _MAY_BE_QUOTED:
        yield violation("publishable")


def attachment_is_described(record: Record, _ctx: RecordContext) -> Iterator[Violation]:
    """CT-014: a named attachment has its checksum and its type (section 4.9)."""
    if record.get("attachment_name") is not None:
        for column in ("attachment_sha256", "attachment_media_type"):
            if record.get(column) is None:
                yield violation(column)


_NARR = frozenset({"NARR"})

RULES = (
    Rule("CT-014", _NARR, attachment_is_described),
    Rule("CT-098", _NARR, has_redacted_content),
    Rule("CT-099", _NARR, consent_allows_use),
)
