"""A message is whole at its end and nowhere before, whoever wrote it and in whatever form."""

import os
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto import Wholeness, wholeness
from tests.crypto.corpus import Case, key, read_corpus
from tests.crypto.gnupg import Gnupg, require_gpg

CASES = [case for case in read_corpus()[1] if case.message != "recipe:bomb"]
GATEWAY = key("gateway").certificates[0]
GOOD = [case for case in CASES if "accepted" in case.outcome]


def told(data: bytes) -> Wholeness:
    return wholeness(BytesIO(data))


@pytest.mark.parametrize("case", GOOD, ids=[case.name for case in GOOD])
def test_no_part_of_a_good_message_is_whole(case: Case) -> None:
    data = case.data(GATEWAY)
    assert told(data) is Wholeness.WHOLE
    end = len(data.rstrip(b"\r\n")) if data.startswith(b"-") else len(data)
    cuts = range(1, end) if end < 5000 else [*range(1, 2000), *range(2000, end, 997), end - 1]
    assert {told(data[:cut]) for cut in cuts} <= {Wholeness.CUT_SHORT, Wholeness.NO_MESSAGE}


@pytest.mark.parametrize("armor", [False, True])
@pytest.mark.parametrize("size", [0, 100, 9000, 70_000])
def test_what_gpg_writes_into_a_pipe_is_whole_at_its_end(
    tmp_path_factory: pytest.TempPathFactory, size: int, armor: bool
) -> None:
    """gpg does not know the length then, and writes it in parts (RFC 9580 section 4.2.1.4)."""
    home = tmp_path_factory.mktemp("g")
    home.chmod(0o700)
    gpg = Gnupg(require_gpg(), home)
    form = ("--armor",) if armor else ()
    data = gpg("--passphrase", "x", "--symmetric", *form, given=os.urandom(size))
    assert told(data) is Wholeness.WHOLE
    end = len(data.rstrip()) if armor else len(data)
    for cut in {*range(1, min(end, 600)), *range(1, end, 1009), end - 1}:
        assert told(data[:cut]) in {Wholeness.CUT_SHORT, Wholeness.NO_MESSAGE}


def test_only_the_sender_knows_the_end_of_a_message_without_a_length() -> None:
    head = bytes([0xC1, 3]) + b"abc"  # a session key packet
    unprotected = bytes([0x80 | 9 << 2 | 3])
    assert told(head + unprotected + b"x" * 100) is Wholeness.OPEN_ENDED


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_every_hostile_message_gets_an_answer(case: Case) -> None:
    assert told(case.data(GATEWAY)) in Wholeness


@given(st.binary(max_size=300))
def test_rubbish_gets_an_answer(data: bytes) -> None:
    assert told(data) in Wholeness
    assert told(b"\x85" + data) in Wholeness


def test_nothing_is_no_message() -> None:
    assert told(b"") is Wholeness.NO_MESSAGE
    assert told(b"record_id,sex\n") is Wholeness.NO_MESSAGE
