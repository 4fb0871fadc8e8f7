"""The test vectors of CTDS section 6.5, and what they leave open."""

import hashlib
from base64 import b64decode
from datetime import date, timedelta
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.validators import samples
from validators.linkage import (
    Identity,
    NotRomanised,
    dice,
    linkage_fields,
    linkage_filter,
    normalised,
    soundex,
)
from validators.schemas import build_schema
from validators.standard import load_standard

KEY = bytes(range(32))
VAN_DUC = Identity("Văn Đức", "Nguyễn", date(2009, 3, 7), "M", nrm_reference="12345")
MARSELA = Identity("Marsela", "Hoxha", date(2008, 11, 21), "F")


def bits(identity: Identity) -> bytes:
    return b64decode(linkage_fields(identity, key=KEY)["clk"])


def test_vectors_of_the_first_child() -> None:
    fields = linkage_fields(VAN_DUC, key=KEY)
    clk = b64decode(fields.pop("clk"))
    assert fields == {
        "lt_name_dob": "0ddc6d5614178a077652fd9f790ca2527ccb0f99a14fcfeb822b8f03d2ff949f",
        "lt_tokens_dob": "3d93b443ec4f0a42d7b7e1cc0b9b27143057ff4ebe6205beeb5b52a2cda94cf9",
        "lt_phon_yob": "e7229edb8889ba55238df1cf52d85c2bee16e60ee327b931717f084bea02f9f2",
        "lt_nrm": "edb441f05d91d9b76cb0553f830839bfc98646920742f3aea0744cdc99c9b797",
    }
    assert hashlib.sha256(clk).hexdigest() == (
        "c2e52b216010ef5bb77005fadce63c9501506639d3a82aa3b0c1e29bb482b200"
    )
    assert int.from_bytes(clk, "big").bit_count() == 354


def test_vectors_of_the_second_child() -> None:
    fields = linkage_fields(MARSELA, key=KEY)
    assert fields["lt_name_dob"] == (
        "5f3771a571326928cbb61f1c6116fc7fb6e99fe88915bc6f94afb952b0428b74"
    )
    assert hashlib.sha256(bits(MARSELA)).hexdigest() == (
        "f8a7c0b99b55ad22591ef41c84d61a9ea9db8b4c8f0f258c03a487545d9c9041"
    )
    assert int.from_bytes(bits(MARSELA), "big").bit_count() == 343
    assert len(fields["clk"]) == 172


def test_swapped_names_share_the_token_of_their_parts() -> None:
    swapped = Identity("Nguyen", "Van Duc", date(2009, 3, 7), "M")
    one, other = linkage_fields(VAN_DUC, key=KEY), linkage_fields(swapped, key=KEY)
    assert one["lt_tokens_dob"] == other["lt_tokens_dob"]
    assert one["lt_name_dob"] != other["lt_name_dob"]


def test_likeness_is_as_published() -> None:
    misspelt = Identity("Marsella", "Hoxa", date(2008, 11, 21), "F")
    transposed = Identity("Van Duk", "Nguyen", date(2009, 7, 3), "M")
    assert round(dice(bits(MARSELA), bits(misspelt)), 3) == 0.914
    assert round(dice(bits(VAN_DUC), bits(transposed)), 3) == 0.863
    assert round(dice(bits(VAN_DUC), bits(MARSELA)), 3) == 0.396


def test_children_who_are_not_alike_are_far_from_the_threshold() -> None:
    source = samples.rng(5)
    filters = [
        linkage_filter(
            forenames="".join(source.choices("ABCDEFGHIJKLMNOPRSTUVWY", k=source.randrange(4, 9))),
            surname="".join(source.choices("ABCDEFGHIJKLMNOPRSTUVWY", k=source.randrange(4, 10))),
            born=(date(2006, 1, 1) + timedelta(days=source.randrange(3650))).isoformat(),
            sex=source.choice("FM"),
            key=KEY,
        )
        for _ in range(150)
    ]
    assert max(dice(one, other) for one, other in combinations(filters, 2)) < 0.75


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Văn Đức", "VAN DUC"),
        ("Nguyễn", "NGUYEN"),
        ("O\u2019Neil-Smith", "ONEIL SMITH"),
        ("O`Neil", "ONEIL"),
        ("O\u02bcNeil", "ONEIL"),
        ("  Anne   Marie ", "ANNE MARIE"),
        ("Łukasz Øster", "LUKASZ OSTER"),
        ("Groß", "GROSS"),
        ("GROẞ", "GROSS"),
        ("Æthel", "AETHEL"),
        ("Jose\u0301", "JOSE"),
        ("José", "JOSE"),
        ("ﬁlip", "FILIP"),
        ("Van\u034f Du\ufe00c", "VAN DUC"),
        ("\u02bbOkina No\u02bfman", "OKINA NO MAN"),
        ("\uff21nna", "ANNA"),
        ("\u0131s\u0327\u0131k", "ISIK"),
        ("Smith 2nd", "SMITH 2ND"),
        ("", ""),
        (" - ", ""),
    ],
)
def test_names_are_normalised(name: str, expected: str) -> None:
    assert normalised(name) == expected


@pytest.mark.parametrize("name", ["Иван", "محمد", "李", "Ivan Иванов", "Ὀδυσσεύς", "ไทย"])
def test_other_scripts_are_romanised_first(name: str) -> None:
    with pytest.raises(NotRomanised) as refused:
        normalised(name)
    assert name not in str(refused.value)


@pytest.mark.parametrize("name", ["Þór", "Guðrún", "Cœur", "Əliyev", "Ħal", "Ŋ", "Ǿrsted", "ĸ"])
def test_what_would_lose_a_letter_is_romanised_first(name: str) -> None:
    with pytest.raises(NotRomanised) as refused:
        normalised(name)
    assert name not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ROBERT", "R163"),
        ("RUPERT", "R163"),
        ("ASHCRAFT", "A261"),
        ("TYMCZAK", "T522"),
        ("PFISTER", "P236"),
        ("HONEYMAN", "H555"),
        ("VAN DUC", "V532"),
        ("LEE", "L000"),
        ("2ND", "N300"),
        ("", ""),
    ],
)
def test_soundex(name: str, expected: str) -> None:
    assert soundex(name) == expected


@pytest.mark.parametrize(
    "identity",
    [
        Identity("Marsela", "", date(2008, 11, 21), "F"),
        Identity("", "Hoxha", date(2008, 11, 21), "F"),
        Identity("Marsela", "Hoxha", None, "F"),
        Identity("'", "-", date(2008, 11, 21), "F"),
        Identity("Unknown", "Hoxha", date(2008, 11, 21), "F"),
        Identity("Marsela", "(not known)", date(2008, 11, 21), "F"),
        Identity("Not recorded", "UNKNOWN", date(2008, 11, 21), "F"),
    ],
)
def test_a_blank_name_gives_no_token(identity: Identity) -> None:
    assert linkage_fields(identity, key=KEY) == {}


@pytest.mark.parametrize(
    ("upn", "given"),
    [("H801200001001", True), ("h801-2000 01001", True), ("A801200001001", False), ("", False)],
)
def test_only_a_upn_with_its_check_letter_gives_a_token(upn: str, given: bool) -> None:
    assert ("lt_upn" in linkage_fields(Identity(upn=upn), key=KEY)) is given


def test_references_are_compared_by_letters_and_digits() -> None:
    one = linkage_fields(Identity(nrm_reference=" ab-123/4 "), key=KEY)
    assert one == linkage_fields(Identity(nrm_reference="AB1234"), key=KEY)
    assert set(one) == {"lt_nrm"}


@pytest.mark.parametrize("text", ["", "N/A", "unknown", "Pending", "TBC", "-", "0", "000000"])
def test_what_stands_in_place_of_a_reference_gives_no_token(text: str) -> None:
    """Rung 1 of the ladder would link every child of whom it is said."""
    assert linkage_fields(Identity(nrm_reference=text, home_office_reference=text), key=KEY) == {}


def test_another_key_gives_other_tokens() -> None:
    one, other = (linkage_fields(VAN_DUC, key=bytes([n]) * 32) for n in (1, 2))
    assert all(one[column] != other[column] for column in one)


@pytest.mark.parametrize("key", [b"", bytes(31), bytes(33)])
def test_a_key_of_another_length_is_refused(key: bytes) -> None:
    with pytest.raises(ValueError, match="32 octets"):
        linkage_fields(VAN_DUC, key=key)


def test_an_identity_does_not_show_itself() -> None:
    assert "Marsela" not in repr(MARSELA)


def test_the_fields_of_the_standard_take_what_is_made() -> None:
    schema = build_schema(load_standard(), "CASE", today=samples.RECEIVED_ON)
    whole = Identity(
        "Marsela", "Hoxha", date(2008, 11, 21), "F", "12345", "H801200001001", "A1234567"
    )
    fields = linkage_fields(whole, key=bytes(range(1, 33)))
    assert set(fields) == {name for name in schema.fields if name.startswith("lt_")} | {"clk"}
    for name, value in fields.items():
        assert schema.fields[name].deserialize(value, name) == value


LATIN = st.text(st.characters(max_codepoint=0x24F, categories=["L", "N", "P", "Zs", "Mn"]))


@given(LATIN)
def test_normalising_twice_changes_nothing(name: str) -> None:
    try:
        once = normalised(name)
    except NotRomanised:
        return
    assert normalised(once) == once
    assert set(once) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ")
    assert sum(map(str.isalpha, once)) >= sum(map(str.isalpha, name))
