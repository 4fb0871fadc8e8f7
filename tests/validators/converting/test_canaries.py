"""Who a child is reaches nothing that a conversion makes or says, whatever column it stands in.

Each export is filled with canaries: names, numbers, dates of birth, postcodes and free text, in the
columns made for them, in columns that nobody reads, and in columns meant for codes.
"""

import unicodedata
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from xml.sax.saxutils import escape

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.validators.converting.exports import (
    CHILD,
    EPISODE,
    HEADER,
    HTCDS,
    HTCDS_NUMBER,
    LISTED,
    LOCAL_ID,
    MISSING,
    STANDARD,
    UASC,
    UPN,
    census,
    cin,
    htcds,
    judged,
    sender,
    ssda903,
    table,
)
from validators.converting.cases import Seen
from validators.converting.children import Child
from validators.converting.made import Conversion
from validators.converting.problems import Place, SourceUnfit
from validators.report import render_text

LETTERS = "abcdefghiklmnoprstuvz\u00e9\u00f8\u0111\u1ecdABCDEFGHIKL"
# Shorter ones stand by chance in the base64 of a filter.
NAMES = st.text(LETTERS, min_size=8, max_size=14).map(lambda each: f"Q{each}q")
BORN = st.dates(date(2009, 5, 1), date(2014, 12, 28))
NUMBERS = st.integers(10**6, 10**9).map(lambda each: f"MOSAIC-{each}")
POSTCODES = st.sampled_from(["LS1 4AP", "B33 8TH", "EC1A 1BB"])


@st.composite
def canaries(draw: st.DrawFn) -> dict[str, str]:
    """Who one child is."""
    born = draw(BORN)
    return {
        "forename": draw(NAMES),
        "surname": draw(NAMES),
        "born": born.isoformat(),
        "born_903": born.strftime("%d/%m/%Y"),
        "number": draw(NUMBERS),
        "upn": UPN,
        "postcode": draw(POSTCODES),
        "note": f"{draw(NAMES)} told {draw(NAMES)}",
    }


def forms(who: Mapping[str, str]) -> Iterator[str]:
    """Every canary as it might be written."""
    for name, value in who.items():
        yield value
        yield value.replace(" ", "")
        if name == "born":
            yield value.replace("-", "")
            yield value.replace("-", "/")
        if name == "note":
            yield from value.split(" told ")


def plain(text: str) -> str:
    """Without what writing differs in: case, accents and their composition."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(each for each in parts if not unicodedata.combining(each))


def said(run: Callable[[], Conversion]) -> str:
    """All that a conversion makes and says."""
    try:
        made = run()
    except SourceUnfit as refused:
        told = [each.sentence() for each in refused.problems.kept]
        return "\n".join([str(refused), repr(refused.problems), *told])
    files = [data.decode("utf-8-sig") for data in made.files(STANDARD).values()]
    return "\n".join([*files, *made.notes, repr(made), render_text(judged(made))])


def assert_nowhere(who: Mapping[str, str], text: str) -> None:
    written = plain(text)
    found = [form for form in forms(who) if plain(form) in written]
    assert found == []


def of_903(who: Mapping[str, str]) -> dict[str, list[dict[str, str]]]:
    number = {"CHILD": who["number"]}
    born = {"DOB": who["born_903"]}
    free = {"URN": who["note"], "HOME_POST": who["postcode"], "PL_POST": who["postcode"]}
    names = {"forename": who["forename"], "surname": who["surname"], "notes": who["note"]}
    return {
        "Header": [HEADER | number | born | {"UPN": who["upn"], "MOTHER": who["note"]}],
        "Episodes": [EPISODE | number | free],
        "Missing": [MISSING | number | born],
        "UASC": [UASC | number | born],
        "children": [LISTED | number | names | {"address": who["postcode"]}],
    }


def run_903(files: Mapping[str, list[dict[str, str]]]) -> Conversion:
    given_files = {f"{name}.csv": table(files[name]) for name in files if name != "children"}
    return ssda903(given_files, files["children"])


MANY = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60)


@MANY
@given(canaries())
def test_the_903_says_nothing_of_who_a_child_is(who: dict[str, str]) -> None:
    assert_nowhere(who, said(lambda: run_903(of_903(who))))


@MANY
@given(canaries(), st.data())
def test_nor_where_a_name_stands_in_a_column_made_for_something_else(
    who: dict[str, str], data: st.DataObject
) -> None:
    files = of_903(who)
    name = data.draw(st.sampled_from(sorted(files)))
    settable = [*STANDARD.records["CASE"].header, *STANDARD.records["EXPL"].header]
    columns = {*files[name][0], *(settable if name == "children" else ())}
    column = data.draw(st.sampled_from(sorted(columns)))
    canary = data.draw(st.sampled_from(["forename", "note", "postcode", "upn"]))
    files[name][0] |= {column: who[canary]}
    assert_nowhere(who, said(lambda: run_903(files)))


@MANY
@given(canaries(), st.sampled_from(["AOTH", "LD", "9A", "N5", "6", "0"]))
def test_the_census_says_nothing_of_who_a_child_is(who: dict[str, str], hidden_in: str) -> None:
    child = CHILD.replace(LOCAL_ID, who["number"]).replace("2009-03-07", who["born"])
    listed = {
        "LAchildID": who["number"],
        "forename": who["forename"],
        "surname": who["surname"],
        "notes": who["note"],
    }
    assert_nowhere(who, said(lambda: cin(census(child), [listed])))
    changed = child.replace(f">{hidden_in}<", f">{escape(who['note'])}<")
    assert_nowhere(who, said(lambda: cin(census(changed), [listed])))


@MANY
@given(canaries(), st.sampled_from(sorted(HTCDS)))
def test_htcds_says_nothing_of_who_a_child_is(who: dict[str, str], hidden_in: str) -> None:
    row = HTCDS | {
        HTCDS_NUMBER: who["number"],
        "prs_FirstName": who["forename"],
        "prs_MiddleName": who["forename"],
        "prs_SecondName": who["surname"],
        "prs_Birthdate": who["born"],
        "prs_MailingPostalCode": who["postcode"],
        "cas_IncomingReferralDetails": who["note"],
        "vic_AgeWhenTrafficked": "",
    }
    assert_nowhere(who, said(lambda: htcds([row])))
    if hidden_in != HTCDS_NUMBER:
        assert_nowhere(who, said(lambda: htcds([row | {hidden_in: who["note"]}])))


@pytest.mark.parametrize("text", ["MARSELA", "x,Ma\u0301rsela,y", "20090307", "2009/03/07"])
def test_the_canaries_would_be_seen(text: str) -> None:
    with pytest.raises(AssertionError):
        assert_nowhere({"forename": "M\u00e1rsela", "born": "2009-03-07"}, text)


def test_who_a_child_is_is_not_in_what_python_shows() -> None:
    place = Place("x.csv", 2)
    child = Child(place, {"forename": "Marsela"}, {}, {})
    seen = Seen(place, "MOSAIC-1", date(2009, 3, 7), {"forename": "Marsela"}, {})
    shown = f"{child!r}{seen!r}{sender()!r}"
    assert not any(each in shown for each in ("Marsela", "MOSAIC", "2009", "\\x01"))
