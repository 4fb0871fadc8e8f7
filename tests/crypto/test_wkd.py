"""The Web Key Directory's own example, and its alphabet."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto import wkd_hash


@pytest.mark.parametrize("local_part", ["Joe.Doe", "joe.doe", "JOE.DOE"])
def test_the_example_of_the_draft(local_part: str) -> None:
    # draft-koch-openpgp-webkey-service section 3.1
    assert wkd_hash(local_part) == "iy9q119eutrkn8s1mk4r39qejnbu3n5q"


@given(st.text())
def test_always_thirty_two_characters_of_the_alphabet(local_part: str) -> None:
    hashed = wkd_hash(local_part)
    assert len(hashed) == 32
    assert set(hashed) <= set("ybndrfg8ejkmcpqxot1uwisza345h769")
