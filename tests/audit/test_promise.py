"""Promises: what they bind the log to, and everything they must not be bent to."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import (
    AuditError,
    EntryRefused,
    NoteUntrusted,
    PromiseBroken,
    PromiseRefused,
    ReceiptRefused,
    SignatureRefused,
)
from audit.keyring import LogKeys
from audit.keys import Signer
from audit.note import open_note
from audit.promise import (
    DAY_SECONDS,
    DELEGATION,
    HEADER,
    Promiser,
    Promises,
    delegated,
    is_promise,
    open_promise,
)
from audit.receipt import Receipt
from audit.replay import replay
from audit.text64 import decode64, encode64
from audit.tiles import StoreSource
from tests.audit.samples import ORIGIN, OTHER_KEY, OTHER_LOG, SIGNER, event, log_of, seed

KEYS = LogKeys((SIGNER.verifier,))
PROMISE_KEY = Signer.generate(f"{ORIGIN}/promises", seed(21))
PROMISER = Promiser.from_text(delegated(SIGNER, PROMISE_KEY))
ENTRY = event(17).to_bytes()
TEXT = PROMISER.promise(ENTRY)
LOG = log_of(40)


def refused(text: str, error: type[AuditError], match: str | None = None) -> None:
    with pytest.raises(error, match=match):
        open_promise(text, keys=KEYS)


def signed(text: str, key: Signer = PROMISE_KEY) -> str:
    return f"{text}\n{key.sign(text)}"


def altered(line: int, value: str, key: Signer = PROMISE_KEY) -> str:
    """A promise with one line changed, signed again."""
    lines = TEXT.split("\n")[:6]
    lines[line] = value
    return signed("".join(f"{each}\n" for each in lines), key)


def test_a_promise_tells_what_the_log_will_hold_and_by_when() -> None:
    promise = open_promise(TEXT, keys=KEYS)
    assert promise.entry == event(17)
    assert promise.due == event(17).time + timedelta(seconds=DAY_SECONDS)
    assert PROMISER.promise(ENTRY) == TEXT
    assert is_promise(TEXT)


def test_the_logs_key_alone_is_needed_and_no_other_will_do() -> None:
    for key in (OTHER_KEY, OTHER_LOG):
        with pytest.raises(NoteUntrusted):
            open_promise(TEXT, keys=LogKeys((key.verifier,)))


def test_it_is_for_one_ciphertext() -> None:
    sha256 = event(17).object_sha256
    assert sha256 is not None
    open_promise(TEXT, keys=KEYS, ciphertext_sha256=sha256)
    with pytest.raises(ReceiptRefused, match="another submission"):
        open_promise(TEXT, keys=KEYS, ciphertext_sha256="0" * 64)


def test_a_promise_key_that_the_log_does_not_know_promises_nothing() -> None:
    stranger = Signer.generate(f"{ORIGIN}/promises", seed(22))
    refused(altered(3, "1", stranger), NoteUntrusted)
    own = delegated(OTHER_LOG, stranger).partition("\n\n")[2]
    refused(altered(5, encode64(own.encode()), stranger), NoteUntrusted)
    # The word that the log gave for another key does not help.
    with pytest.raises(PromiseRefused, match="another key"):
        Promiser.from_text(
            f"{stranger.skey()}\n\n{delegated(SIGNER, PROMISE_KEY).partition(chr(10) * 2)[2]}"
        )


def test_a_delegation_of_another_log_by_the_same_key_is_refused() -> None:
    twin = Signer.generate("twin.example", seed(7))  # the same seed as SIGNER
    elsewhere = Promiser.from_text(delegated(twin, PROMISE_KEY)).promise(ENTRY)
    with pytest.raises(NoteUntrusted):
        open_promise(elsewhere, keys=KEYS)
    refused(altered(1, "twin.example"), PromiseRefused, "another log")
    word = f"{DELEGATION}\ntwin.example\n{PROMISE_KEY.vkey}\n"
    note = signed(word, SIGNER).encode()
    refused(altered(5, encode64(note)), PromiseRefused, "another log")


def test_a_promise_cannot_be_passed_off_as_a_checkpoint_nor_the_other_way() -> None:
    with pytest.raises(AuditError):
        KEYS.checkpoint(TEXT.encode())
    delegation = decode64(TEXT.split("\n")[5])
    assert delegation is not None
    open_note(delegation, [SIGNER.verifier])  # it is signed by the log, and is no checkpoint
    with pytest.raises(AuditError):
        KEYS.checkpoint(delegation)
    refused(LOG.checkpoints[-1].decode(), PromiseRefused)


def test_what_was_altered_is_refused() -> None:
    refused(TEXT.replace(HEADER, HEADER.replace("v1", "v2")), PromiseRefused)
    refused(TEXT.replace(f"\n{DAY_SECONDS}\n", "\n99999999\n"), SignatureRefused)
    refused(altered(2, encode64(bytes(32))), PromiseRefused, "leaf hash")
    refused(altered(2, "AAAA=="), PromiseRefused, "malformed")
    for seconds in ("", "-1", "01", "1e3", "9" * 30):
        refused(altered(3, seconds), PromiseRefused, "malformed")
    refused(altered(5, ""), AuditError)
    refused(altered(5, encode64(b"no note")), AuditError)
    loose = ENTRY.replace(b'"v"', b' "v"')
    refused(PROMISER.promise(loose), EntryRefused)


@given(st.integers(0, len(TEXT) - 1), st.characters(min_codepoint=32, max_codepoint=126))
def test_no_other_character_anywhere_says_another_thing(at: int, character: str) -> None:
    text = TEXT[:at] + character + TEXT[at + 1 :]
    try:
        promise = open_promise(text, keys=KEYS)
    except AuditError:
        return
    assert (promise.entry, promise.due) == (event(17), open_promise(TEXT, keys=KEYS).due)


def replayed(promises: Promises) -> None:
    replay(StoreSource(LOG), verifier=KEYS, on_entries=promises.see)


def test_a_log_that_holds_what_it_promised_has_kept_it() -> None:
    promises = Promises(
        open_promise(PROMISER.promise(event(n).to_bytes()), keys=KEYS) for n in (3, 39)
    )
    replayed(promises)
    assert promises.require_kept(event(0).time + timedelta(days=9)) == 0


def test_an_entry_that_was_taken_out_before_it_was_sequenced_convicts_the_log() -> None:
    """Nothing in the log shows it, and no checkpoint is contradicted: the promise alone does."""
    missing = event(4711)
    promises = Promises([open_promise(PROMISER.promise(missing.to_bytes()), keys=KEYS)])
    replayed(promises)
    assert promises.require_kept(missing.time) == 1, "not due yet"
    with pytest.raises(PromiseBroken, match=missing.event_id):
        promises.require_kept(missing.time + timedelta(seconds=DAY_SECONDS + 1))


def test_a_receipt_is_no_promise() -> None:
    text = Receipt(ENTRY, 17, (), LOG.checkpoints[-1]).to_text()
    assert not is_promise(text)
    refused(text, PromiseRefused)
