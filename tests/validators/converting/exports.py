"""Exports as agencies' systems write them, about invented children."""

import csv
import io
from collections.abc import Mapping, Sequence

from tests.validators import samples
from validators.building import GivenFile
from validators.checking import Facts, check_files
from validators.converting.cases import Cases
from validators.converting.children import Children, read_children
from validators.converting.cin import NUMBER as CIN_NUMBER
from validators.converting.cin import convert_cin
from validators.converting.htcds import convert_htcds
from validators.converting.made import Conversion, Notes
from validators.converting.problems import Problems
from validators.converting.sender import Sender
from validators.converting.sent import read_sent
from validators.converting.ssda903 import NUMBER, convert_ssda903
from validators.converting.tables import Source
from validators.profile import quarter, stand_in
from validators.report import Report
from validators.standard import load_standard

STANDARD = load_standard()
LEEDS = STANDARD.agencies["LA-E08000035"]
UPN = "H801200001001"
LOCAL_ID = "MOSAIC-778120"
HTCDS_NUMBER = "case_ref"

HEADER = {
    "CHILD": LOCAL_ID,
    "SEX": "1",
    "DOB": "07/03/2009",
    "ETHNIC": "AOTH",
    "UPN": UPN,
    "MOTHER": "",
    "MC_DOB": "",
}
EPISODE = {
    "CHILD": LOCAL_ID,
    "DECOM": "09/01/2026",
    "RNE": "S",
    "LS": "V2",
    "CIN": "N5",
    "PLACE": "U6",
    "PLACE_PROVIDER": "PR1",
    "DEC": "",
    "REC": "",
    "REASON_PLACE_CHANGE": "",
    "HOME_POST": "LS1 4AP",
    "PL_POST": "LS2 8JS",
    "URN": "SC000001",
}
MISSING = {
    "CHILD": LOCAL_ID,
    "DOB": "07/03/2009",
    "MISSING": "M",
    "MIS_START": "20/01/2026",
    "MIS_END": "22/01/2026",
}
UASC = {"CHILD": LOCAL_ID, "SEX": "1", "DOB": "07/03/2009", "DUC": ""}
LISTED = {
    "CHILD": LOCAL_ID,
    "identification_date": "08/01/2026",
    "forename": "V\u0103n \u0110\u1ee9c",
    "surname": "Nguy\u1ec5n",
    "nationality_1": "VNM",
    "notes": "Seen by Pat Example at 4 Harbour Row",
}
HTCDS = {
    HTCDS_NUMBER: LOCAL_ID,
    "prs_FirstName": "Marsela",
    "prs_MiddleName": "Ana",
    "prs_SecondName": "Hoxha",
    "prs_Birthdate": "2008-11-21",
    "prs_Gender": "Feminine",
    "prs_Citizenship": "AL",
    "prs_MailingPostalCode": "LS1 4AP",
    "vic_AgeWhenTrafficked": "16",
    "vic_TraffickingStatus": "PossibleVictimOfTrafficking",
    "vic_TypeOfExploitation": "SexualExploitation;ForcedLabour",
    "vic_TypeOfSexExploitation": "Prostitution",
    "vic_MethodsOfControl": "DebtBondage;PhysicalThreats",
    "vic_MethodOfRecruitment": "ThroughOnlineSocialNetworks",
    "cas_IncomingReferralDate": "2026-02-09",
    "cas_IncomingReferralDetails": "Marsela told Pat Example all of it",
}

Rows = Sequence[Mapping[str, str]]


def sender(period: str = "2026Q1", scheme: str = "CTL1-2026", salt: bytes = bytes(32)) -> Sender:
    return Sender(
        STANDARD, LEEDS, quarter(period), samples.RECEIVED_ON, bytes(range(1, 33)), salt, scheme
    )


def table(rows: Rows, *, encoding: str = "utf-8") -> bytes:
    """A CSV file with a column for each key of any row."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(dict.fromkeys(name for row in rows for name in row)))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode(encoding)


def source(name: str, content: bytes) -> Source:
    return Source(name, io.BytesIO(content))


def cases(
    listed: Rows,
    number: str,
    *,
    by: Sender | None = None,
    sent: Mapping[str, bytes] | None = None,
) -> Cases:
    """What a conversion begins with: the list of children, and what was sent before."""
    by, problems, notes = by or sender(), Problems(), Notes()
    children: Children = {}
    if listed:
        file = source("children.csv", table(listed))
        children = read_children(file, by, number=number, problems=problems, notes=notes)
    earlier = [source(name, each) for name, each in (sent or {}).items()]
    return Cases(by, children, read_sent(earlier, STANDARD, problems), problems, notes)


def ssda903(
    files: Mapping[str, bytes],
    listed: Rows = (LISTED,),
    *,
    by: Sender | None = None,
    sent: Mapping[str, bytes] | None = None,
) -> Conversion:
    """Convert the files of a return."""
    sources = [source(name, each) for name, each in files.items()]
    return convert_ssda903(sources, cases(listed, NUMBER, by=by, sent=sent))


def whole_903(**changed: bytes) -> dict[str, bytes]:
    """The four files that are used, about one child."""
    files = {
        "Header.csv": table([HEADER]),
        "Episodes.csv": table([EPISODE]),
        "Missing.csv": table([MISSING]),
        "UASC.csv": table([UASC]),
    }
    return files | {f"{name}.csv": content for name, content in changed.items()}


CHILD = f"""<Child>
  <ChildIdentifiers>
    <LAchildID>{LOCAL_ID}</LAchildID><UPN>{UPN}</UPN>
    <PersonBirthDate>2009-03-07</PersonBirthDate><GenderCurrent>1</GenderCurrent>
  </ChildIdentifiers>
  <ChildCharacteristics><Ethnicity>AOTH</Ethnicity>
    <Disabilities><Disability>LD</Disability><Disability>AUT</Disability></Disabilities>
  </ChildCharacteristics>
  <CINdetails>
    <CINreferralDate>2026-01-05</CINreferralDate><ReferralSource>6</ReferralSource>
    <PrimaryNeedCode>N5</PrimaryNeedCode><DateOfInitialCPC>2026-02-10</DateOfInitialCPC>
    <ReferralNFA>0</ReferralNFA>
    <Assessments>
      <AssessmentActualStartDate>2026-01-06</AssessmentActualStartDate>
      <AssessmentAuthorisationDate>2026-01-20</AssessmentAuthorisationDate>
      <FactorsIdentifiedAtAssessment>
        <AssessmentFactors>9A</AssessmentFactors><AssessmentFactors>12A</AssessmentFactors>
      </FactorsIdentifiedAtAssessment>
    </Assessments>
    <CINPlanDates><CINPlanStartDate>2026-01-21</CINPlanStartDate>
      <CINPlanEndDate>2026-02-20</CINPlanEndDate></CINPlanDates>
    <Section47><S47ActualStartDate>2026-01-22</S47ActualStartDate>
      <DateOfInitialCPC>2026-02-10</DateOfInitialCPC></Section47>
    <ChildProtectionPlans><CPPstartDate>2026-02-21</CPPstartDate></ChildProtectionPlans>
  </CINdetails>
</Child>"""


def census(*children: str, prolog: str = '<?xml version="1.0" encoding="utf-8"?>') -> bytes:
    """A census of these children."""
    header = (
        "<Header><CollectionDetails><Collection>CIN</Collection><Year>2026</Year>"
        "<ReferenceDate>2026-03-31</ReferenceDate></CollectionDetails></Header>"
    )
    body = "".join(children)
    return f"{prolog}<Message>{header}<Children>{body}</Children></Message>".encode()


def cin(content: bytes, listed: Rows = ()) -> Conversion:
    """Convert a census."""
    return convert_cin(source("cin.xml", content), cases(listed, CIN_NUMBER))


def htcds(rows: Rows, listed: Rows = ()) -> Conversion:
    """Convert a table of cases."""
    begun = cases(listed, HTCDS_NUMBER)
    return convert_htcds(source("cases.csv", table(rows)), begun, number=HTCDS_NUMBER)


def judged(made: Conversion, period: str = "2026Q1") -> Report:
    """What the gateway would say of a conversion."""
    files = [GivenFile(name, data) for name, data in made.files(STANDARD).items()]
    profile = {**stand_in(LEEDS.agency_id, standard=STANDARD), "link_scheme": "CTL1-2026"}
    facts = Facts(profile, quarter(period), further={})
    submission_id = samples.uuid4(samples.rng(3))
    return check_files(files, facts, now=samples.NOW, submission_id=submission_id)
