"""Rows of every record type about one invented child, to be changed one at a time."""

import hashlib
import mimetypes
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from tests.validators import samples
from validators.standard import load_standard

STANDARD = load_standard()
CASE_ID = "0f6d0b4e-6a3c-4c1e-9f55-1d2f6a1b0c01"
OTHER_CASE = "0f6d0b4e-6a3c-4c1e-9f55-1d2f6a1b0c02"
REFERRED = "2026-02-10"

_source = samples.rng(41)


def fresh_id() -> str:
    """A record id that no other row has."""
    return str(samples.uuid4(_source))


def token(digit: int) -> str:
    """A linkage token that looks like one, the same for the same number."""
    return f"{samples.rng(digit).getrandbits(256):064x}"


def case(record_id: str = CASE_ID, **changed: Any) -> dict[str, Any]:
    """A case, referred on a Tuesday, of a child born in June 2010."""
    row = dict(samples.children(1)["CASE"][0])
    row |= {
        "record_id": record_id,
        "person_ref": f"P-{record_id[-8:]}",
        "lt_name_dob": token(int(record_id[-8:], 16)),
        "lt_nrm": "",
        "birth_year_month": "2010-06",
        "age_at_referral": "15",
        "identification_date": "2026-02-09",
        "la_notified_date": "2026-02-09",
        "nrm_referral_date": REFERRED,
    }
    return row | changed


def expl(**changed: Any) -> dict[str, Any]:
    """Its primary situation."""
    row = dict(samples.children(1)["EXPL"][0])
    return row | {"record_id": fresh_id(), "case_id": CASE_ID} | changed


def decn(**changed: Any) -> dict[str, Any]:
    """A positive decision on reasonable grounds, three days after the referral."""
    row = dict(samples.children(1)["DECN"][0])
    row |= {"record_id": fresh_id(), "case_id": CASE_ID, "decision_date": "2026-02-13"}
    return row | changed


def conclusive(**changed: Any) -> dict[str, Any]:
    """A positive decision on conclusive grounds, after the recovery period."""
    return decn(**{"decision_type": "CG", "decision_date": "2026-03-20", **changed})


def miss(**changed: Any) -> dict[str, Any]:
    """An episode of two days."""
    row = {
        "record_id": fresh_id(),
        "record_action": "NEW",
        "case_id": CASE_ID,
        "missing_type": "M",
        "missing_from": _first("CL_MISSING_FROM"),
        "start_date": "2026-02-20",
        "end_date": "2026-02-22",
        "return_interview": _first("CL_RHI"),
        "found_in_exploitation": "NO",
        "outcome": "RETURNED",
    }
    return row | changed


def guar(**changed: Any) -> dict[str, Any]:
    """A referral to a guardian that waits."""
    row = {
        "record_id": fresh_id(),
        "record_action": "NEW",
        "case_id": CASE_ID,
        "guardian_service": "ICTG_EW",
        "service_available": "YES",
        "referral_date": REFERRED,
        "referral_outcome": "WAITING",
    }
    return row | changed


def care(**changed: Any) -> dict[str, Any]:
    """A placement that lasts."""
    row = {
        "record_id": fresh_id(),
        "record_action": "NEW",
        "case_id": CASE_ID,
        "spell_type": "PLACEMENT",
        "placement_type": "FOSTER",
        "start_date": REFERRED,
        "placed_out_of_area": "NO",
        "placed_in_hotel": "NO",
        "responsible_la": "E10000019",
    }
    return row | changed


def legal(status: str) -> dict[str, Any]:
    """A legal status."""
    return care(
        spell_type="LEGAL_STATUS",
        placement_type="",
        care_status=status,
        placed_out_of_area="",
        placed_in_hotel="",
    )


def just(**changed: Any) -> dict[str, Any]:
    """A charge against a suspected exploiter."""
    row = {
        "record_id": fresh_id(),
        "record_action": "NEW",
        "investigation_ref": "INV-00000001",
        "subject_role": "EXPLOITER",
        "subject_ref": "SUS-00000001",
        "event_type": "CHARGE",
        "event_date": "2026-03-02",
        "offence": "MSA_S2",
        "force": "E23000020",
    }
    return row | changed


def actv(**changed: Any) -> dict[str, Any]:
    """A total of one referral."""
    row = {
        "record_id": fresh_id(),
        "record_action": "NEW",
        "measure": "NRM_REFERRALS",
        "period_start": "2026-01-01",
        "period_end": "2026-03-31",
        "area": "E23000020",
        **dict.fromkeys(("age_band", "sex", "exploitation_type", "nationality"), "TOTAL"),
        "county_lines": "TOTAL",
        "count": "1",
        "count_status": "ACTUAL",
        "unit": "CHILDREN",
    }
    return row | changed


def narr(**changed: Any) -> dict[str, Any]:
    """A reflection on a barrier."""
    row = {
        "record_id": fresh_id(),
        "record_action": "NEW",
        "narrative_type": "BARRIER",
        "theme": _first("CL_THEME"),
        "title": "Interpreters are late",
        "body": "late " * 20,
        "redaction_confirmed": "true",
        "publishable": "ANON_ONLY",
    }
    return row | changed


def attached(name: str, document: bytes, media_type: str | None = None) -> dict[str, str | None]:
    """What a NARR says of its attachment; the type is that of the name, unless another is said."""
    return {
        "attachment_name": name,
        "attachment_sha256": hashlib.sha256(document).hexdigest(),
        "attachment_media_type": media_type or mimetypes.guess_type(name)[0],
    }


def write_narratives(folder: Path, documents: Mapping[str, bytes]) -> None:
    """NARR.csv, a row for each document, and the documents where a package has its attachments."""
    rows = [narr(**attached(name, data)) for name, data in documents.items()]
    built = samples.package_of({"NARR": rows}, samples.manifest_fields(STANDARD))
    with ZipFile(BytesIO(built.data)) as package:
        package.extract("NARR.csv", folder)
    (folder / "attachments").mkdir()
    for name, data in documents.items():
        (folder / "attachments" / name).write_bytes(data)


def story(**rows: list[dict[str, Any]]) -> Mapping[str, list[dict[str, Any]]]:
    """One whole case with a situation and a decision; types named here stand instead or besides."""
    return {"CASE": [case()], "EXPL": [expl()], "DECN": [decn()], **rows}


def _first(codelist: str) -> str:
    return next(iter(STANDARD.codelists[codelist].items))
