"""A children in need census becomes records of those whom an assessment found trafficked."""

import io
import tracemalloc
from collections.abc import Iterator
from typing import BinaryIO, cast

import pytest

from tests.validators.converting.exports import (
    CHILD,
    LOCAL_ID,
    cases,
    census,
    cin,
    judged,
    ssda903,
    whole_903,
)
from validators.converting.cin import NUMBER, convert_cin
from validators.converting.problems import SourceUnfit
from validators.converting.tables import Source

OTHER = CHILD.replace(LOCAL_ID, "MOSAIC-2").replace("12A", "10A")


def problems(content: bytes) -> list[str]:
    with pytest.raises(SourceUnfit) as refused:
        cin(content)
    return [each.sentence() for each in refused.value.problems.kept]


def test_the_gateway_accepts_what_comes_out() -> None:
    report = judged(cin(census(CHILD)))
    errors = [each.message() for each in report.findings if each.severity == "error"]
    assert (report.verdict, errors) == ("accepted", [])
    assert {file.record_type: file.rows for file in report.files} == {
        "CASE": 1,
        "EXPL": 1,
        "CARE": 4,
    }


def test_what_the_census_says_of_a_child() -> None:
    (case,) = cin(census(CHILD)).records["CASE"]
    said = {
        "birth_year_month": "2009-03",
        "age_at_referral": "16",
        "sex": "M",
        "ethnicity": "AOTH",
        "disability": "LD;AUT",
        "uasc": "YES",
        "identification_date": "2026-01-20",
        "identification_route": "SOC_CARE",
        "referral_source": "POLICE",
        "safeguarding_response": "S47;CIN;CP",
        "nationality_1": "UNK",
        "link_scheme": "CTL1-2026",
        "lt_name_dob": "",
    }
    assert {name: case[name] for name in said} == said
    assert case["lt_upn"]


def test_plans_are_spells_with_the_factors_of_their_referral() -> None:
    columns = ("plan_type", "start_date", "end_date", "cin_factors", "responsible_la")
    rows = cin(census(CHILD)).records["CARE"]
    assert sorted(tuple(row[name] for name in columns) for row in rows) == [
        ("CIN", "2026-01-21", "2026-02-20", "9A;12A", "E08000035"),
        ("CP", "2026-02-21", "", "9A;12A", "E08000035"),
        ("ICPC", "2026-02-10", "2026-02-10", "9A;12A", "E08000035"),
        ("S47", "2026-01-22", "", "9A;12A", "E08000035"),
    ]


PLAN = "<CINPlanDates><CINPlanStartDate>2026-01-21</CINPlanStartDate>"
DETAILS = CHILD[CHILD.index("<CINdetails>") : CHILD.index("</Child>")]


def test_a_referral_that_stands_twice_is_told_once() -> None:
    twice = CHILD.replace(DETAILS, DETAILS * 2)
    assert cin(census(twice)).records == cin(census(CHILD)).records


@pytest.mark.parametrize(
    "added",
    [
        DETAILS.replace("2026-02-20", "2026-03-01"),
        DETAILS.replace("12A", "10A"),
        f"<CINdetails>{PLAN}</CINPlanDates></CINdetails>",
    ],
)
def test_two_plans_that_would_be_one_record_are_named(added: str) -> None:
    found = problems(census(CHILD.replace(DETAILS, DETAILS + added)))
    assert found[0].startswith("cin.xml, row 1, CINdetails: two CIN begin on one day")


def test_children_without_the_factor_are_in_nothing_unless_the_list_has_them() -> None:
    made = cin(census(OTHER, CHILD))
    assert len(made.records["CASE"]) == 1
    listed = {"LAchildID": "MOSAIC-2", "identification_date": "2026-02-01"}
    both = cin(census(OTHER, CHILD), [listed])
    assert len(both.records["CASE"]) == 2
    assert {row.get("cin_factors", "") for row in both.records["CARE"]} == {"9A;12A", ""}
    assert judged(both).verdict == "accepted"


def test_the_list_knows_better_than_the_census() -> None:
    listed = {
        "LAchildID": LOCAL_ID,
        "identification_date": "07/01/2026",
        "forename": "Duc",
        "surname": "Nguyen",
        "exploitation_type": "SEX",
    }
    made = cin(census(CHILD), [listed])
    (case,), (expl,) = made.records["CASE"], made.records["EXPL"]
    assert case["identification_date"] == "2026-01-07"
    assert case["lt_name_dob"]
    assert expl["exploitation_type"] == "SEX"


def test_an_assessment_that_is_not_authorised_counts_from_its_start() -> None:
    begun = CHILD.replace(
        "<AssessmentAuthorisationDate>2026-01-20</AssessmentAuthorisationDate>", ""
    )
    assert cin(census(begun)).records["CASE"][0]["identification_date"] == "2026-01-06"


@pytest.mark.parametrize(
    ("element", "sex"),
    [
        ("<GenderCurrent>2</GenderCurrent>", "F"),
        ("<Sex>F</Sex>", "F"),
        ("<Sex>M</Sex>", "M"),
        ("<GenderCurrent>9</GenderCurrent>", "U"),
        ("", "U"),
    ],
)
def test_sex_is_read_as_each_year_of_the_census_wrote_it(element: str, sex: str) -> None:
    child = CHILD.replace("<GenderCurrent>1</GenderCurrent>", element)
    assert cin(census(child)).records["CASE"][0]["sex"] == sex


def test_a_child_has_the_same_ids_whether_in_the_census_or_in_the_903() -> None:
    one, other = cin(census(CHILD)).records, ssda903(whole_903()).records
    for column in ("record_id", "person_ref", "lt_upn"):
        assert one["CASE"][0][column] == other["CASE"][0][column]
    assert one["EXPL"][0]["record_id"] == other["EXPL"][0]["record_id"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("2009-03-07", "7 March", "cin.xml, row 1, PersonBirthDate"),
        ("<GenderCurrent>1<", "<GenderCurrent>boy<", "cin.xml, row 1, GenderCurrent"),
        ("AOTH", "Kinh", "cin.xml, row 1, Ethnicity"),
        (">AUT<", ">Pat Example<", "cin.xml, row 1, Disability"),
        (">9A<", ">Pat Example<", "cin.xml, row 1, AssessmentFactors"),
        ("2026-01-21", "soon", "cin.xml, row 1, CINPlanStartDate"),
        ("2026-02-20", "2026-01-02", "cin.xml, row 1, CINPlanEndDate: it is before"),
        ("2026-01-20", "soon", "cin.xml, row 1, AssessmentAuthorisationDate"),
        (f"<LAchildID>{LOCAL_ID}</LAchildID>", "", "cin.xml, row 1, LAchildID"),
    ],
)
def test_what_cannot_be_used_is_named_by_place_and_not_shown(old: str, new: str, said: str) -> None:
    assert old in CHILD
    found = problems(census(CHILD.replace(old, new)))
    assert any(each.startswith(said) for each in found), found
    assert not any(new in each for each in found if new)


def test_a_child_stands_in_a_census_once() -> None:
    assert problems(census(CHILD, OTHER, CHILD))[0].startswith("cin.xml, row 3, LAchildID")


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
HOSTILE = {
    "document type": (f'<!DOCTYPE Message [<!ENTITY l0 "ha">{LAUGHS}]>', "document type"),
    "outer entity": ('<!DOCTYPE Message SYSTEM "file:///etc/passwd">', "document type"),
}


@pytest.mark.parametrize("prolog", [each for each, _ in HOSTILE.values()], ids=list(HOSTILE))
def test_a_document_type_is_refused_before_it_is_read(prolog: str) -> None:
    assert "document type" in problems(census(CHILD, prolog=prolog))[0]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "well-formed"),
        (census(CHILD)[:-12], "well-formed"),
        (census(CHILD).decode().encode("utf-16"), "well-formed"),
        (census(CHILD).replace(b"AOTH", b"\xe9\xe9\xe9\xe9"), "well-formed"),
        (b"<CTDS><Child/></CTDS>", "outermost element is not Message"),
        (b"<Message><Header/></Message>", "no element Child"),
        (b"<Message>" + b"<a>" * 50, "deep"),
        (b"<Message><Child>" + b"<a/>" * 20_001, "more than 20,000 elements"),
        (b"<Message><Child>" + b"<a>" + b"x" * (1 << 20) + b"x", "longer than"),
        (b"<Message>" + b"".join(b"<n%d/>" % n for n in range(1_001)), "different names"),
        (b"<Message><Child><!--" + b"x" * 200_000, "tag or comment"),
        (b" " * 70_000 + b"<Message/>", "do not reach the element Message"),
        (b"PK\x03\x04", "well-formed"),
    ],
)
def test_hostile_files_end_in_words(content: bytes, said: str) -> None:
    assert said in problems(content)[0]


class _Endless(io.RawIOBase):
    """A census of very many children that is made as it is read."""

    def __init__(self, children: int) -> None:
        self._pieces = self._written(children)
        self._left = b""

    def _written(self, children: int) -> Iterator[bytes]:
        yield b"<Message><Children>"
        for _ in range(children // 50):
            yield OTHER.encode() * 50
        yield CHILD.encode() + b"</Children></Message>"

    def read(self, size: int = -1) -> bytes:
        while len(self._left) < size:
            piece = next(self._pieces, b"")
            if not piece:
                break
            self._left += piece
        taken, self._left = self._left[:size], self._left[size:]
        return taken


def test_a_large_census_is_read_in_bounded_memory() -> None:
    peak_of_a_census(100)  # whatever is loaded once
    assert peak_of_a_census(10_000) < 2 * peak_of_a_census(200)


def peak_of_a_census(children: int) -> int:
    source = Source("cin.xml", cast("BinaryIO", _Endless(children)))
    tracemalloc.start()
    try:
        made = convert_cin(source, cases((), NUMBER))
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        assert len(made.records["CASE"]) == 1
