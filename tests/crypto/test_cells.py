"""Small sealed values: they open in their place, under their key, and nowhere else."""

import hmac
from secrets import token_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto import CellDamaged, Cells, derived

SECRET = bytes(range(32))
CELLS = Cells(derived(SECRET, "facts"), random_bytes=token_bytes)


@given(value=st.binary(max_size=300), place=st.binary(max_size=60))
def test_what_is_sealed_opens(value: bytes, place: bytes) -> None:
    sealed = CELLS.seal(value, place=place)
    assert CELLS.open(sealed, place=place) == value
    assert len(sealed) == len(value) + 28


@given(value=st.binary(max_size=40), at=st.integers(0, 1000), bit=st.integers(0, 7))
def test_a_changed_bit_is_noticed_wherever_it_is(value: bytes, at: int, bit: int) -> None:
    sealed = bytearray(CELLS.seal(value, place=b"here"))
    sealed[at % len(sealed)] ^= 1 << bit
    with pytest.raises(CellDamaged):
        CELLS.open(bytes(sealed), place=b"here")


@pytest.mark.parametrize("length", [0, 1, 11, 12, 27, 28])
def test_a_value_cut_short_is_noticed(length: int) -> None:
    with pytest.raises(CellDamaged):
        CELLS.open(CELLS.seal(b"a", place=b"here")[:length], place=b"here")


def test_another_place_or_key_opens_nothing() -> None:
    sealed = CELLS.seal(b"a child", place=b"here")
    for place in (b"", b"there", b"here "):
        with pytest.raises(CellDamaged):
            CELLS.open(sealed, place=place)
    with pytest.raises(CellDamaged):
        Cells(derived(SECRET, "names"), random_bytes=token_bytes).open(sealed, place=b"here")


def test_the_same_value_is_sealed_differently_each_time() -> None:
    assert len({CELLS.seal(b"F", place=b"here") for _ in range(1000)}) == 1000


def test_derivation_is_hkdf_as_published() -> None:
    """RFC 5869 with SHA-256 and no salt: extract, then one round of expand."""
    extracted = hmac.digest(bytes(32), SECRET, "sha256")
    assert derived(SECRET, "facts") == hmac.digest(extracted, b"facts\x01", "sha256")
