"""The rules by level (CTDS section 8).

field             the schemas built from the field table; CT-023 in `completeness`
record            RECORD_RULES here, a module for each record type
cross-record      `uniqueness` (CT-024), `attachments` (CT-100), and the group rules of `family`,
                  `decisions`, `child`, `tokens`, `investigation` and `activity`; CT-025 and CT-026
                  in `validators.crossrecord`, which puts the groups together
cross-submission  `linked` (CT-104 to CT-106)
submission        `submission` (CT-003 to CT-010, CT-013); CT-011 and CT-012 in the readers
"""

from validators.rules import actv, care, case, decn, expl, guar, just, miss, narr
from validators.rules.rule import Record, RecordContext, Rule, Violation

__all__ = ["RECORD_RULES", "Record", "RecordContext", "Rule", "Violation", "rules_for"]

RECORD_RULES: tuple[Rule, ...] = (
    *(*case.RULES, *expl.RULES, *decn.RULES, *miss.RULES, *guar.RULES),
    *(*care.RULES, *just.RULES, *actv.RULES, *narr.RULES),
)

_BY_TYPE = {
    record_type: tuple(rule for rule in RECORD_RULES if record_type in rule.applies)
    for rule in RECORD_RULES
    for record_type in rule.applies
}


def rules_for(record_type: str) -> tuple[Rule, ...]:
    """Return the record rules of a record type, in order of their codes."""
    return _BY_TYPE.get(record_type, ())
