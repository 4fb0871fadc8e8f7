"""Personal identifiers: true ones of every kind, near misses, and the rate of false alarms."""

import base64
import random
import time
import timeit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from validators.identifiers import KINDS, find_identifier, may_name_person
from validators.standard import load_standard

# Numbers published as examples or reserved for drama and tests; none is a real person's.
TRUE = {
    "e-mail address": [
        "jane@example.org",
        "Write to j.doe+case@mail.example.co.uk today",
        "x@y.uk",
        "\uff4aane@example.org",
    ],
    "postcode": ["SW1A 1AA", "sw1a1aa", "lives at M1 1AE.", "EC1A 1BB", "B33 8TH", "W1A0AX"],
    "National Insurance number": ["AB123456C", "AB 12 34 56 C", "ab-12-34-56-d"],
    "unique pupil number": ["H801200001001", "h801200001001", "(H801200001001)"],
    "NHS number": ["9434765919", "943 476 5919", "943-476-5919", "NHS no: 9434765919."],
    "telephone number": [
        "07700900123",
        "07700 900 123",
        "(01632) 960 001",
        "+44 7700 900123",
        "+44 (0) 20 7946 0000",
        "0044 20 7946 0958",
        "0808 157 0192",
        "\uff10\uff17\uff17\uff10\uff10\uff19\uff10\uff10\uff11\uff12\uff13",
    ],
    "passport number": [
        "passport no. 123456789",
        "Passport: AB1234567",
        "passport number is 925665416",
        "P<GBREXAMPLE<<JANE<<<<<<<<<<<<<<<<<<<<<<<<<<",
    ],
}  # fmt: skip
NEAR = [
    "P-5f3a1234567890ab",
    "CTL1-2026",
    "E23000020",
    "POL-E23000020",
    "H801200001002",  # a wrong check letter
    "I801200001001",  # no UPN begins with I
    "9434765918",  # a wrong check digit
    "0000000000",
    "1111111111",
    "12345678901234567890",
    "123456789",  # nine digits may be anything
    "BG123456C",  # prefixes never issued
    "GB123456A",
    "DA123456C",
    "AB123456E",
    "2026-01-31",
    "01-02-2026 10:30",
    "1000000",
    "level B1 2nd attempt",
    "Unit E2 3rd floor",
    "ZZ1 1AA",  # no such postcode area
    "SW1A 1CC",  # C is not used in the second half
    "SW1A 1A",
    "@home",
    "jane at example dot org",
    "a@b",
    "0123",
    "7700900123",
    "0000 0000 000",
    "550e8400-e29b-41d4-a716-446655440000",
    "she lost her passport in 2019",
    "passport 2019",
    "CRIM+LAB;SEX.IMAGES",
    "application/vnd.oasis.opendocument.text",
    "He was 14 and 3 others were 15, 16 and 17; 12 of 30 visits took place.",
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "text"), [(k, text) for k, texts in TRUE.items() for text in texts]
)
def test_identifier_is_found_and_named(kind: str, text: str) -> None:
    assert find_identifier(text) == kind


def test_every_kind_is_tried() -> None:
    assert {kind.name for kind in KINDS} == set(TRUE)


@pytest.mark.parametrize("text", NEAR)
def test_near_miss_is_let_pass(text: str) -> None:
    assert find_identifier(text) is None


def test_temporary_pupil_number_ends_in_a_letter() -> None:
    # Weighted sum of 80120000100 and B (1): 16+0+4+10+0+0+0+0+10+0+0 + 13 = 53; 53 mod 23 = 7, H.
    assert find_identifier("H80120000100B") == "unique pupil number"
    assert find_identifier("H80120000100A") is None
    assert find_identifier("H80120000100O") is None


def test_no_code_of_the_standard_looks_like_an_identifier() -> None:
    standard = load_standard()
    codes = {code for codelist in standard.codelists.values() for code in codelist.items}
    assert {code: kind for code in codes if (kind := find_identifier(code))} == {}


def test_random_pseudonyms_hardly_ever_look_like_an_identifier() -> None:
    source = random.Random(7)
    forms = [
        lambda: f"{source.getrandbits(128):032x}",
        lambda: f"P-{source.getrandbits(64):016x}",
        lambda: base64.urlsafe_b64encode(source.randbytes(12)).decode(),
        lambda: str(source.randrange(10**8, 10**9)),
        lambda: f"2026-{source.randrange(10**6):06}",
    ]
    alarms = [text for _ in range(4_000) for form in forms if find_identifier(text := form())]
    assert len(alarms) <= 10, alarms


@given(st.integers(0, 999_999_999))
def test_nhs_number_is_told_by_its_check_digit(body: int) -> None:
    found = [find_identifier(f"{body:09}{check}") == "NHS number" for check in range(10)]
    assert sum(found) <= 1


NAMES = [
    "a girl named Jane Example said",
    "a boy called Văn Đức",
    "Mr John Smith attended",
    "Mrs. O\u2019Neil Smith",
    "Ms Éva Kovács",
    "Named: Jane Example",
    "a boy called \u201cJohn Smith\u201d",
]
DATES = [
    "born 07/03/2009",
    "(7.3.2009)",
    "2009-03-07",
    "2009/03/07",
    "born 07/03/09",
    "7th March 2009",
    "March 7, 2009",
    "on the 21st of November 2008",
]


@pytest.mark.parametrize("text", NAMES + DATES)
def test_narrative_that_may_name_somebody_is_seen(text: str) -> None:
    assert may_name_person(text)


@pytest.mark.parametrize(
    "text",
    [
        "a service called Barnardo's helped",
        "The so called county lines model",
        "In March 2024 the team met 14 times; 3/4 of visits took place.",
        "Mr justice was asked",
        "The child was called back Tuesday",
        "version 1.2.2023a",
        "the Named Person of the school",
    ],
)
def test_other_narrative_is_let_pass(text: str) -> None:
    assert not may_name_person(text)


@pytest.mark.parametrize(
    "part",
    [
        *("0", "a@", "a.", "P<", "1 ", "0 1", "+44", "(", " ", "\u00e9", "AB1 ", "Mr Aa", "jan 1 "),
        *("passport ", "passport is no "),
    ],
)
def test_hostile_text_costs_linear_time(part: str) -> None:
    text = (part * 100_000)[:100_000]
    started = time.process_time()
    find_identifier(text)
    may_name_person(text)
    assert time.process_time() - started < 2


@pytest.mark.parametrize("part", ["1 ", "a1 ", "AB1 ", "+44 "])
def test_what_is_no_postcode_is_held_against_no_area(part: str) -> None:
    """Else a return that is full of such texts would keep a worker busy for hours."""
    text = (part * 30_000)[:30_000]
    assert _seconds("postcode", text) < 20 * _seconds("unique pupil number", text)


def _seconds(kind: str, text: str) -> float:
    [pattern] = (each.pattern for each in KINDS if each.name == kind)
    return min(timeit.repeat(lambda: list(pattern.finditer(text)), number=1, repeat=5))


@given(st.text())
def test_any_text_is_borne(text: str) -> None:
    assert find_identifier(text) in {None, *TRUE}
    may_name_person(text)
