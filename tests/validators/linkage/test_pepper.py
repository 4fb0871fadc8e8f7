"""What stands for a received token (CTDS section 6.2): vectors, and what it promises."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from validators.linkage import Peppering, peppered
from validators.standard import load_standard

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "vectors" / "linkage" / "pepper.json").read_text()
)
PEPPER = bytes.fromhex(VECTORS["pepper"])
CASE = load_standard().records["CASE"]
TOKENS = [name for name in CASE.header if name.startswith("lt_")]
token = st.binary(min_size=32, max_size=32).map(bytes.hex)
pepper = st.binary(min_size=32, max_size=32)


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=lambda each: each["comment"])
def test_vectors(vector: dict[str, str]) -> None:
    given = bytes.fromhex(vector.get("pepper", VECTORS["pepper"]))
    assert peppered(vector["field"], vector["token"], pepper=given) == vector["peppered"]


@pytest.mark.parametrize("vector", VECTORS["refused"], ids=lambda each: each["comment"])
def test_a_pepper_of_another_length_is_refused(vector: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="32 octets"):
        peppered("lt_nrm", "0" * 64, pepper=bytes.fromhex(vector["pepper"]))


def test_another_program_comes_to_the_same() -> None:
    """OpenSSL's own HMAC over the text that the standard writes down."""
    vector = VECTORS["vectors"][0]
    told = subprocess.run(
        ["openssl", "dgst", "-sha256", "-mac", "HMAC", "-macopt", f"hexkey:{VECTORS['pepper']}"],
        input=f"CTL1|gw|{vector['field']}|{vector['token']}".encode(),
        capture_output=True,
        check=True,
    )
    assert told.stdout.decode().split()[-1] == vector["peppered"]


def test_a_record_keeps_everything_but_what_linked_it() -> None:
    vector = VECTORS["record"]
    assert Peppering(CASE, pepper=PEPPER).replaced(vector["received"]) == vector["kept"]


@given(given=st.dictionaries(st.sampled_from([*CASE.header]), token), pepper=pepper)
def test_no_received_token_is_left_whatever_the_record(
    given: dict[str, str], pepper: bytes
) -> None:
    kept = Peppering(CASE, pepper=pepper).replaced(given)
    assert set(kept) == set(given) - {"clk"}
    for name, value in kept.items():
        assert (value != given[name]) == (name in TOKENS)


@given(one=token, other=token, pepper=pepper)
def test_only_the_same_token_of_the_same_field_stays_the_same(
    one: str, other: str, pepper: bytes
) -> None:
    kept = {
        (name, each): peppered(name, each, pepper=pepper)
        for name in TOKENS
        for each in (one, other)
    }
    assert len(set(kept.values())) == len(kept)


def test_whatever_links_is_replaced_or_left_out() -> None:
    """A field that a later version adds to class L is not sealed as it was received."""
    linking = {field.name for field in CASE.fields if field.privacy == "L"}
    assert linking == {*TOKENS, "clk"}
