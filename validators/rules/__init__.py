"""The rules by level (CTDS section 8).

field          the schemas built from the field table; CT-023 in `completeness`
record         RECORD_RULES here, from case, expl, decn and actv
cross-record   `uniqueness` (CT-024); others take their place beside it
submission     `submission` (CT-003 to CT-010, CT-013); CT-011 and CT-012 in the readers
"""

from validators.rules import actv, case, decn, expl
from validators.rules.rule import Record, RecordContext, Rule, Violation

__all__ = ["RECORD_RULES", "Record", "RecordContext", "Rule", "Violation", "rules_for"]

RECORD_RULES: tuple[Rule, ...] = (*case.RULES, *expl.RULES, *decn.RULES, *actv.RULES)

_BY_TYPE = {
    record_type: tuple(rule for rule in RECORD_RULES if record_type in rule.applies)
    for rule in RECORD_RULES
    for record_type in rule.applies
}


def rules_for(record_type: str) -> tuple[Rule, ...]:
    """Return the record rules of a record type, in order of their codes."""
    return _BY_TYPE.get(record_type, ())
