"""The Home Office's own table, every quarter of it, and tables laid out like it."""

import csv
import io
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from validators.converting.activity import Amount, amount
from validators.converting.homeoffice import Counted, convert_home_office, quarter_of
from validators.converting.made import Conversion
from validators.converting.nationalities import country, nationalities
from validators.converting.problems import SourceUnfit
from validators.converting.tables import Source
from validators.profile import quarter
from validators.standard import load_standard

STANDARD = load_standard()
TABLE = Path(__file__).parent / "real/nrm_child_referrals_2022q2_2023q3.csv"
PUBLISHED = TABLE.read_bytes()
QUARTERS = ("2022Q2", "2022Q3", "2022Q4", "2023Q1", "2023Q2", "2023Q3")
MET = STANDARD.agencies["POL-E23000001"]
HEADER = "First responder,Exploitation type,Age at exploitation,Gender,Nationality,People,quarter"
ROW = "Metropolitan Police Service,Criminal,Child (17 or under),Male,Albanian,3,2023_q1"


def converted(
    table: bytes, *, responder: str | None = None, agency_id: str = MET.agency_id
) -> Conversion:
    return _converted(table, "2023Q1", responder, agency_id)


def _converted(table: bytes, period: str, responder: str | None, agency_id: str) -> Conversion:
    agency = STANDARD.agencies[agency_id]
    counted = Counted(STANDARD, agency, quarter(period), responder)
    return convert_home_office(Source("table.csv", io.BytesIO(table)), counted)


def table(*rows: str, header: str = HEADER) -> bytes:
    return "\r\n".join([header, *rows, ""]).encode()


def counts(made: Conversion) -> dict[tuple[str, ...], str]:
    """Each part by its sex, type and nationality; without the total."""
    columns = ("sex", "exploitation_type", "nationality")
    rows = [row for row in made.records["ACTV"] if row["age_band"] != "TOTAL"]
    return {tuple(row[name] for name in columns): row["count"] for row in rows}


def total(made: Conversion) -> str | None:
    whole = [row["count"] for row in made.records["ACTV"] if row["age_band"] == "TOTAL"]
    return whole[0] if whole else None


def problems(content: bytes) -> list[str]:
    with pytest.raises(SourceUnfit) as refused:
        converted(content)
    return [each.sentence() for each in refused.value.problems.kept]


def published() -> Iterator[dict[str, str]]:
    return csv.DictReader(io.StringIO(PUBLISHED.decode()))


def test_every_published_child_is_counted_once() -> None:
    source: Counter[tuple[str, str]] = Counter()
    for row in published():
        period = row["quarter"].replace("_q", "Q")
        source[period, row["First responder"]] += int(float(row["People"]))
    assert {period for period, _ in source} == set(QUARTERS)
    made: Counter[tuple[str, str]] = Counter()
    for period, responder in source:
        conversion = _converted(PUBLISHED, period, responder, MET.agency_id)
        parts = [int(count) for count in counts(conversion).values()]
        assert str(sum(parts)) == total(conversion)
        made[period, responder] = sum(parts)
    assert made == source
    assert sum(made.values()) == 11_063


def test_every_agency_of_the_table_is_found_by_its_name() -> None:
    named = {row["First responder"] for row in published()}
    ours = {Counted(STANDARD, each, quarter("2023Q1")).name for each in STANDARD.agencies.values()}
    # Councils are published together, and one charity is not on the register.
    assert named - ours == {"Local Authority", "Youth Work Alliance"}


def test_two_nationalities_are_counted_under_the_first_that_is_known() -> None:
    rows = [ROW.replace("Albanian", each) for each in ("Afghan UK", "Unknown UK", "UK", "Unknown")]
    assert counts(converted(table(*rows))) == {
        ("M", "CRIM", "AFG"): "3",
        ("M", "CRIM", "GBR"): "6",
        ("M", "CRIM", "UNK"): "3",
    }


def test_types_are_joined_in_the_order_of_the_alphabet() -> None:
    rows = [
        ROW.replace("Criminal", '"Sexual, Labour, Domestic, Organ Harvesting & Criminal"'),
        ROW.replace("Criminal", "Not specified or unknown"),
    ]
    made = counts(converted(table(*rows)))
    assert {kind for _, kind, _ in made} == {"CRIM+DOM+LAB+ORGAN+SEX", "UNK"}


def test_adults_are_passed_over_and_counted() -> None:
    ages = ("Adult (18 or over)", "Total", "Age not specified or unknown")
    made = converted(table(ROW, *(ROW.replace("Child (17 or under)", age) for age in ages)))
    assert total(made) == "3"
    assert "Rows that do not count children alone (Age at exploitation): 3" in made.notes


def test_an_estimated_part_leaves_an_estimated_total() -> None:
    made = converted(table(ROW, ROW.replace("Male", "Female").replace(",3,", ",12 [e],")))
    (whole,) = [row for row in made.records["ACTV"] if row["age_band"] == "TOTAL"]
    assert (whole["count"], whole["count_status"]) == ("15", "ESTIMATE")


def test_a_suppressed_part_leaves_no_sum_and_no_total() -> None:
    hidden = ROW.replace(",3,", ",[c],")
    other = ROW.replace("Albanian", "Vietnamese")
    made = converted(table(ROW, hidden, other))
    rows = {row["nationality"]: (row["count"], row["count_status"]) for row in made.records["ACTV"]}
    assert rows == {"ALB": ("", "SUPPRESSED"), "VNM": ("3", "ACTUAL")}


@pytest.mark.parametrize(
    ("cell", "meant"),
    [
        ("3", Amount(3, "ACTUAL")),
        ("3.0", Amount(3, "ACTUAL")),
        ("1,234", Amount(1234, "ACTUAL")),
        ("12 [e]", Amount(12, "ESTIMATE")),
        ("12 [p]", Amount(12, "ACTUAL")),
        ("*", Amount(None, "SUPPRESSED")),
        ("[c]", Amount(None, "SUPPRESSED")),
        ("<5", Amount(None, "SUPPRESSED")),
        ("[x]", Amount(None, "NOT_AVAILABLE")),
        ("[z]", Amount(None, "NOT_APPLICABLE")),
        ("3.5", None),
        ("-3", None),
        ("", None),
        ("12,34", None),
        ("1e3", None),
        ("\u0663", None),
        ("9999999", None),
    ],
)
def test_what_a_cell_says(cell: str, meant: Amount | None) -> None:
    assert amount(cell) == meant


def test_a_total_of_the_table_must_be_the_sum_of_its_parts() -> None:
    whole = "Metropolitan Police Service,Total,Child (17 or under),Total,Total,{},2023_q1"
    assert total(converted(table(ROW, whole.format(3)))) == "3"
    assert problems(table(ROW, whole.format(4)))[0].startswith(
        "table.csv: its total is 4, its parts add up to 3"
    )


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (("Albanian", "Ruritanian"), "table.csv, row 3, Nationality: the nationality is not known"),
        (("Albanian", ""), "table.csv, row 3, Nationality"),
        (("Criminal", "Criminal & Odd"), "table.csv, row 3, Exploitation type"),
        (("Male", "Boy"), "table.csv, row 3, Gender"),
        ((",3,", ",three,"), "table.csv, row 3, People"),
        (("Child (17 or under)", "Young"), "table.csv, row 3, Age at exploitation"),
        (("2023_q1", "spring"), "table.csv, row 3, Quarter"),
        ((",3,", ",3,3,"), "table.csv, row 3: the row has 8 cells, the header 7"),
    ],
)
def test_what_is_not_understood_is_named_by_row_and_column(
    changed: tuple[str, str], said: str
) -> None:
    found = problems(table(ROW, ROW.replace(*changed)))
    assert len(found) == 1
    assert found[0].startswith(said)
    assert "Ruritanian" not in found[0]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no header row"),
        (table(header=HEADER.replace(",", ";")), "not parted by commas"),
        (table(header=f"{HEADER},People"), "the same name"),
        (table(header=HEADER.replace("People", "Persons")), "People: the column is missing"),
        (table(ROW).decode().encode("utf-16"), "UTF-16"),
        (table(ROW.replace("Albanian", "Ivoirien\u00e9")).decode().encode("cp1252"), "Windows"),
        (table(ROW.replace("Albanian", '"Alb')), "quote"),
        (b"PK\x03\x04", "workbook"),
        (table(ROW)[:40] + b"\0", "NUL"),
    ],
    ids=["empty", "semicolons", "twice", "missing", "UTF-16", "1252", "quote", "workbook", "NUL"],
)
def test_a_file_that_is_no_such_table_ends_in_words(content: bytes, said: str) -> None:
    assert any(said in each for each in problems(content))


def test_a_mark_of_utf_8_is_no_part_of_the_header() -> None:
    assert total(converted(b"\xef\xbb\xbf" + table(ROW))) == "3"


def test_the_same_table_gives_the_same_records_in_any_order() -> None:
    first, *rest = PUBLISHED.splitlines(keepends=True)
    turned = b"".join([first, *reversed(rest)])
    assert converted(PUBLISHED).records == converted(turned).records


CELLS = st.tuples(
    st.sampled_from(["Criminal", "Labour & Criminal", "Sexual, Labour & Domestic"]),
    st.sampled_from(["Male", "Female", "Other", "Not Recorded"]),
    st.sampled_from(["Albanian", "Afghan UK", "Unknown UK", "Unknown", "South Sudanese Sudanese"]),
    st.integers(0, 400),
)


@settings(deadline=None)
@given(st.lists(CELLS, min_size=1, max_size=40))
def test_whatever_rows_come_together_their_sum_stays(
    cells: list[tuple[str, str, str, int]],
) -> None:
    responder, _, age, *_, period = ROW.split(",")
    rows = [f'{responder},"{t}",{age},{sex},{word},{n},{period}' for t, sex, word, n in cells]
    made = converted(table(*rows))
    keys = counts(made)
    assert total(made) == str(sum(n for *_, n in cells)) == str(sum(map(int, keys.values())))
    assert len(keys) == len(made.records["ACTV"]) - 1


def test_other_agencies_and_quarters_are_counted_as_passed_over() -> None:
    rows = (ROW, ROW.replace("2023_q1", "2023_q2"), ROW.replace("Metropolitan", "Rural"))
    assert converted(table(*rows)).notes == (
        "Rows of other first responders: 1",
        "Rows of other quarters: 1",
    )


@pytest.mark.parametrize("cell", ["2023_q1", "2023 Q1", "Q1 2023", "2023-Q1", "2023Q1"])
def test_quarters_are_written_in_several_ways(cell: str) -> None:
    assert quarter_of(cell) == (2023, 1)
    assert quarter_of(f"{cell}1") is None


def test_every_country_is_known_by_name_and_codes() -> None:
    for code, name in STANDARD.codelists["CL_COUNTRY"].items.items():
        assert country(code, STANDARD) == code
        assert nationalities(name, STANDARD) == (code,)
    assert (country("GB", STANDARD), country("na", STANDARD)) == ("GBR", "NAM")


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("South Sudanese Sudanese", ("SSD", "SDN")),
        ("Sudanese South Sudanese", ("SDN", "SSD")),
        ("Central African Congolese (Drc)", ("CAF", "COD")),
        ("Russian UKrainian", ("RUS", "UKR")),
        ("Papua New Guinean", ("PNG",)),
        ("Citizen of the Dominican Republic Spanish", ("DOM", "ESP")),
        ("Dominican", ("DMA",)),
        ("Cote d\u2019Ivoire", ("CIV",)),
        ("Albanian Ruritanian", None),
        ("x " * 1_000, None),
    ],
)
def test_nationalities_are_read_as_they_are_written(
    text: str, codes: tuple[str, ...] | None
) -> None:
    assert nationalities(text, STANDARD) == codes
