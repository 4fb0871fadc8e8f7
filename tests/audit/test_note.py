"""Signed notes and their keys, with the example that Go's sumdb/note publishes."""

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import (
    AuditError,
    KeyRefused,
    NoteMalformed,
    NoteUntrusted,
    SignatureRefused,
)
from audit.note import Signer, Verifier, open_note
from audit.noteform import split_note
from tests.audit.samples import OTHER_KEY, SIGNER, seed

PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
PETER_SIGNS = (
    "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqd"
    "ngotpRZb6KE6RyyBwJnAM=\n"
)
# A key of the specification's own example, whose private half nobody here has.
STRANGER = "\u2014 stranger.example " + b64encode(b"idid" + bytes(64)).decode() + "\n"


def note_of(text: str, *lines: str) -> bytes:
    return (text + "\n" + "".join(lines)).encode()


def test_the_published_note_opens() -> None:
    note = open_note(note_of(TEXT, PETER_SIGNS), [Verifier.from_vkey(PETER)])
    assert note.text == TEXT
    assert [signature.name for signature in note.signatures] == ["PeterNeumann"]


def test_the_example_of_the_specification_has_its_form() -> None:
    # Its text holds an empty line of its own. The key was not published, so nothing is believed.
    text = (
        "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\n"
        "ed \u00e8 subito sera.\n"
    )
    line = (
        "\u2014 quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9o"
        "JKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n"
    )
    raw = note_of(text, line)
    split = split_note(raw)
    assert split.text == text
    (signature,) = split.signatures
    assert signature.name == "quasimodo.example/salvatore"
    assert (signature.key_id.hex(), len(signature.signature)) == ("367ba04b", 64)
    with pytest.raises(NoteUntrusted):
        open_note(raw, [Verifier.from_vkey(PETER)])


def test_the_published_key_keeps_its_text_form() -> None:
    assert Verifier.from_vkey(PETER).vkey == PETER


def test_keys_keep_their_text_forms() -> None:
    again = Signer.from_skey(SIGNER.skey())
    assert again.skey() == SIGNER.skey()
    assert SIGNER.skey().startswith(f"PRIVATE+KEY+{SIGNER.name}+")
    assert Verifier.from_vkey(SIGNER.vkey) == SIGNER.verifier


def test_new_keys_differ() -> None:
    assert Signer.generate("a.example").vkey != Signer.generate("a.example").vkey


def test_a_signer_does_not_show_its_seed() -> None:
    assert SIGNER.skey().rsplit("+", 1)[1] not in repr(SIGNER)
    assert SIGNER.vkey in repr(SIGNER)


def test_signatures_of_strangers_are_passed_over() -> None:
    raw = note_of(TEXT, STRANGER, SIGNER.sign(TEXT), OTHER_KEY.sign(TEXT))
    assert len(open_note(raw, [SIGNER.verifier]).signatures) == 1
    assert len(open_note(raw, [SIGNER.verifier, OTHER_KEY.verifier]).signatures) == 2


def test_a_text_may_hold_blank_lines() -> None:
    text = "first\n\nsecond\n"
    assert open_note(note_of(text, SIGNER.sign(text)), [SIGNER.verifier]).text == text


def test_a_note_that_no_trusted_key_signed_stays_shut() -> None:
    with pytest.raises(NoteUntrusted):
        open_note(note_of(TEXT, STRANGER), [SIGNER.verifier])
    with pytest.raises(NoteUntrusted):
        open_note(note_of(TEXT, SIGNER.sign(TEXT)), [])
    with pytest.raises(NoteUntrusted):
        open_note(note_of(TEXT, OTHER_KEY.sign(TEXT)), [SIGNER.verifier])


def test_a_wrong_signature_of_a_trusted_key_condemns_the_note() -> None:
    wrong = SIGNER.sign("another text\n")
    with pytest.raises(SignatureRefused):
        open_note(note_of(TEXT, wrong), [SIGNER.verifier])
    with pytest.raises(SignatureRefused):
        open_note(note_of(TEXT, OTHER_KEY.sign(TEXT), wrong), [SIGNER.verifier, OTHER_KEY.verifier])


def test_a_key_signs_a_note_once() -> None:
    line = SIGNER.sign(TEXT)
    with pytest.raises(SignatureRefused):
        open_note(note_of(TEXT, line, line), [SIGNER.verifier])


def test_a_signature_of_another_length_is_refused() -> None:
    line = f"\u2014 {SIGNER.name} " + b64encode(SIGNER.verifier.key_id + bytes(63)).decode() + "\n"
    with pytest.raises(SignatureRefused):
        open_note(note_of(TEXT, line), [SIGNER.verifier])


LINE = SIGNER.sign(TEXT)
# The last character before the padding of 68 bytes carries unused bits.
OTHER_SPELLING = LINE[:-3] + chr(ord(LINE[-3]) + 1) + "=\n"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\n",
        b"\n\n",
        TEXT.encode(),
        note_of(TEXT),
        note_of(TEXT, LINE.rstrip("\n")),
        note_of(TEXT, LINE, "\n"),
        note_of(TEXT, LINE.replace("\u2014", "-")),
        note_of(TEXT, LINE.replace(" ", "  ")),
        note_of(TEXT, LINE.replace("\n", " x\n")),
        note_of(TEXT, LINE.replace("\n", "\r\n")),
        note_of(TEXT, LINE.replace(SIGNER.name, "with+plus")),
        note_of(TEXT, LINE.replace(SIGNER.name, "with\u00a0space")),
        note_of(TEXT, LINE.replace(SIGNER.name, "")),
        note_of(TEXT, f"\u2014 {SIGNER.name} AAAA\n"),
        note_of(TEXT, LINE.replace("=", "")),
        note_of(TEXT, OTHER_SPELLING),
        note_of(TEXT + "\x1b[2J\n", LINE),
        note_of(TEXT + "\x00\n", LINE),
        note_of(TEXT, LINE).replace(b"answer", b"answ\xff"),
        note_of(TEXT, *[STRANGER] * 65),
        note_of("a" * 300_000 + "\n", LINE),
    ],
)
def test_what_is_not_exactly_a_note_is_malformed(raw: bytes) -> None:
    with pytest.raises(NoteMalformed):
        open_note(raw, [SIGNER.verifier])


def test_sixteen_signatures_are_accepted() -> None:
    raw = note_of(TEXT, *[STRANGER] * 15, SIGNER.sign(TEXT))
    assert open_note(raw, [SIGNER.verifier]).text == TEXT


def test_text_without_a_final_newline_is_not_signed() -> None:
    with pytest.raises(NoteMalformed):
        SIGNER.sign("no newline")


@given(st.integers(min_value=0), st.integers(min_value=0, max_value=7))
def test_no_bit_of_a_note_can_be_altered(position: int, bit: int) -> None:
    raw = bytearray(note_of(TEXT, SIGNER.sign(TEXT)))
    raw[position % len(raw)] ^= 1 << bit
    with pytest.raises(AuditError):
        open_note(bytes(raw), [SIGNER.verifier])


NAME, KEY_ID, KEY = SIGNER.vkey.split("+", 2)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a+b",
        f"{NAME}+{KEY_ID}",
        f"{NAME}+{KEY_ID}+",
        f"+{KEY_ID}+{KEY}",
        f"other+{KEY_ID}+{KEY}",
        f"{NAME}+00000000+{KEY}",
        f"{NAME}+{KEY_ID.upper()}x+{KEY}",
        f"{NAME}+{KEY_ID}+{KEY}=",
        f"{NAME} {NAME}+{KEY_ID}+{KEY}",
        f"{NAME}+{KEY_ID}+{b64encode(bytes([1]) + bytes(31)).decode()}",
        f"{NAME}+{KEY_ID}+{b64encode(bytes([4]) + bytes(32)).decode()}",
        SIGNER.vkey + "\n",
        SIGNER.skey(),
    ],
)
def test_what_is_not_exactly_a_verifying_key_is_refused(text: str) -> None:
    with pytest.raises(KeyRefused):
        Verifier.from_vkey(text)


def test_a_key_id_has_one_spelling() -> None:
    # A seed whose key id has a letter in it, so that upper case is another spelling.
    key = next(s for s in map(_numbered, range(99)) if s.verifier.key_id.hex().upper() != _id(s))
    with pytest.raises(KeyRefused):
        Verifier.from_vkey(key.vkey.replace(_id(key), _id(key).upper(), 1))


def _numbered(fill: int) -> Signer:
    return Signer.generate("a.example", seed(fill))


def _id(signer: Signer) -> str:
    return signer.verifier.key_id.hex()


@pytest.mark.parametrize(
    "text",
    ["", SIGNER.vkey, SIGNER.skey().replace(NAME, "other"), SIGNER.skey().replace("PRIV", "priv")],
)
def test_what_is_not_exactly_a_signing_key_is_refused(text: str) -> None:
    with pytest.raises(KeyRefused) as refused:
        Signer.from_skey(text)
    assert SIGNER.skey().rsplit("+", 1)[1] not in str(refused.value)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "a\u2003b"])
def test_a_key_name_fits_its_line(name: str) -> None:
    with pytest.raises(KeyRefused):
        Signer.generate(name, seed(1))


def test_a_short_seed_is_refused() -> None:
    with pytest.raises(KeyRefused):
        Signer.generate("a.example", lambda size: bytes(size - 1))
