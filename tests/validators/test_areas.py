"""Areas: what the words of the register stand for, and what lies in what."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from validators.areas import covers, own_area
from validators.standard import load_standard

STANDARD = load_standard()
LISTS = STANDARD.codelists
CODES = [
    code
    for name in ("CL_LA", "CL_PFA", "CL_REGION", "CL_NATION")
    for code in LISTS[name].items
    if code != "UNK"
]
NATIONS = ["E92000001", "W92000004", "S92000003", "N92000002"]


def test_every_agency_has_one_code_for_its_area_and_covers_it() -> None:
    for agency in STANDARD.agencies.values():
        assert own_area(agency) in CODES, agency
        assert covers(agency.area, own_area(agency), STANDARD)


@pytest.mark.parametrize(
    ("agency", "area"),
    [
        ("NCA", "UK"),
        ("NGO-UNSEEN", "UK"),
        ("CPS", "K04000001"),
        ("COPFS", "S92000003"),
        ("PPS", "N92000002"),
        ("NGO-BAWSO", "W92000004"),
        ("NGO-KALAYAAN", "E92000001"),
        ("ROCU-WM", "E12000005"),
        ("ROCU-NW", "E12000002"),
        ("ROCU-SW", "E12000009"),
        ("ROCU-ERSOU", "E12000006"),
        ("ROCU-TARIAN", "W92000004"),
        ("POL-PFA_NI", "PFA_NI"),
        ("HSC-BHSCT", "N92000002"),
        ("LA-E10000019", "E10000019"),
    ],
)
def test_own_area(agency: str, area: str) -> None:
    assert own_area(STANDARD.agencies[agency]) == area


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        ("national", "K04000001"),
        ("UK", "PFA_NI"),
        ("England and Wales", "E92000001"),
        ("England and Wales", "W15000001"),
        ("England", "E12000001"),
        ("E92000001", "E07000008"),
        ("Wales", "W06000001"),
        ("Scotland", "S23000009"),
        ("S23000009", "S92000003"),
        ("S23000009", "S12000005"),
        ("Northern Ireland", "PFA_NI"),
        ("PFA_NI", "N09000003"),
        ("E12000005", "E08000025"),
        ("E12000005", "E12000005"),
    ],
)
def test_area_covers_what_lies_in_it(wide: str, narrow: str) -> None:
    assert covers(wide, narrow, STANDARD)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("England", "UK"),
        ("England", "K04000001"),
        ("England", "W06000001"),
        ("England and Wales", "S12000005"),
        ("England and Wales", "UK"),
        ("Northern Ireland", "UNK"),
        ("Northern Ireland", "NONSENSE"),
        ("England", "E99999999"),
        ("E12000005", "E12000006"),
        ("E12000005", "E09000001"),
        ("E12000005", "E23000014"),
        ("E23000020", "E10000019"),
        ("E10000019", "E07000136"),
        ("E12000005", "E92000001"),
        ("regional", "E12000005"),
        ("", "E92000001"),
    ],
)
def test_area_covers_nothing_else(one: str, other: str) -> None:
    assert not covers(one, other, STANDARD)


@given(st.sampled_from(CODES), st.sampled_from(CODES), st.sampled_from(CODES))
def test_covering_is_an_order(one: str, other: str, third: str) -> None:
    assert covers(one, one, STANDARD)
    if covers(one, other, STANDARD) and covers(other, third, STANDARD):
        assert covers(one, third, STANDARD)


def test_every_area_lies_in_exactly_one_nation() -> None:
    for code in set(CODES) - {"UK", "K04000001"}:
        assert sum(covers(nation, code, STANDARD) for nation in NATIONS) == 1, code


def test_every_english_authority_lies_in_exactly_one_region() -> None:
    for code in LISTS["CL_LA"].items:
        within = sum(covers(region, code, STANDARD) for region in LISTS["CL_REGION"].items)
        assert within == (1 if code.startswith("E") else 0), code
