"""The checks of a CASE row as SQL, for those we are measured against.

Every field: form, code lists, limits, whether it must be given. Of the rules between fields those
that SQL says shortly; what is left out (days between dates, areas within nations, identifiers that
hide in text) is work that we do and they do not.
"""

from collections.abc import Iterator

from tests.validators import samples
from validators.standard import Field, load_standard

_STANDARD = load_standard()
_PATTERNS = {
    "uuid": "^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$",
    "hex64": "^[0-9a-f]{64}$",
    "base64": "^[A-Za-z0-9+/]{171}=$",
    "string": "^[A-Za-z0-9_-]{8,64}$",
    "bool": "^(true|false)$",
    "date": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
    "yyyy-mm": "^[0-9]{4}-(0[1-9]|1[0-2])$",
    "int": "^(0|[1-9][0-9]{0,8})$",
}
_RULES = (
    "birth_date_status = 'NOT_KNOWN' OR age_at_referral <> ''",
    "birth_date_status <> 'NOT_KNOWN' OR birth_year_month = ''",
    "age_at_referral < '18' OR LENGTH(age_at_referral) < 2 OR age_at_exploitation_start <> ''",
    "age_at_exploitation_start = '' OR age_at_referral = ''"
    " OR TRY_CAST(age_at_exploitation_start AS INT) <= TRY_CAST(age_at_referral AS INT)",
    "age_dispute_status <> 'RESOLVED_ADULT' OR age_at_exploitation_start <> ''",
    "birth_date_status NOT IN ('ESTIMATED', 'ASSESSED') OR age_dispute_status <> 'NONE'"
    " OR uasc = 'YES'",
    "nrm_referral_date = '' OR identification_date <= nrm_referral_date",
    "(nrm_referred = 'YES') = (nrm_referral_date <> '')",
    "(nrm_referred = 'YES') = (nrm_first_responder <> '')",
    "(nrm_referred = 'YES') = (competent_authority <> '')",
    "(nrm_referred = 'NO') = (nrm_not_referred_reason <> '')",
    "la_notified_date = '' OR la_notified_date >= identification_date",
    "police_notified_date = '' OR police_notified_date >= identification_date",
    "immigration_status <> '' OR nationality_1 IN ('GBR', 'IRL')"
    " OR nationality_2 IN ('GBR', 'IRL')",
    "nationality_1 <> nationality_2",
    "uasc <> 'YES' OR (nationality_1 <> 'GBR' AND nationality_2 <> 'GBR')",
    "data_confidence NOT IN ('REASONABLE', 'CONFIRMED') OR nrm_referred = 'YES'",
    "link_scheme = 'NONE' OR lt_name_dob <> '' OR lt_nrm <> '' OR lt_upn <> '' OR lt_ho_ref <> ''",
)


def checks() -> list[str]:
    """Return conditions that hold for a good row; columns are text, blank where not given."""
    fields = _STANDARD.records["CASE"].fields
    return [*(_checked(each) for each in fields), *(f"({rule})" for rule in _RULES)]


def _checked(field: Field) -> str:
    holds = " AND ".join(_conditions(field)) or "TRUE"
    return f"({holds})" if field.required == "R" else f"({field.name} = '' OR ({holds}))"


def _conditions(field: Field) -> Iterator[str]:
    name = field.name
    if field.type in ("code", "code_list") and field.codelists:
        codes = sorted(_STANDARD.allowed_codes(field))
        if field.type == "code":
            quoted = ", ".join(f"'{code}'" for code in codes)
            yield f"{name} IN ({quoted})"
        else:
            some = "|".join(codes)
            yield f"REGEXP_LIKE({name}, '^({some})(;({some}))*$')"
        return
    pattern = _PATTERNS.get(field.type, field.pattern)
    if pattern:
        yield f"REGEXP_LIKE({name}, '{pattern}')"
    if field.type == "date":
        yield f"TRY_CAST({name} AS DATE) IS NOT NULL"
        yield f"{name} BETWEEN '1990-01-01' AND '{samples.RECEIVED_ON}'"
    if field.type == "int" and field.maximum is not None:
        yield f"TRY_CAST({name} AS INT) BETWEEN {field.minimum or 0} AND {field.maximum}"
